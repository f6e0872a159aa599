"""What PostgreSQL's own catalog says of tables: comments, keys, indexes, sizes, definitions."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any, Literal

from core.connector import quoted
from core.structure import Constraint, Index, Structure, StructuredColumn, Target

if TYPE_CHECKING:
    import psycopg

# A null names all. What the role may not use is not told: nothing in it could be read.
_HERE = """
FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND has_schema_privilege(n.oid, 'USAGE')
  AND n.nspname NOT LIKE 'pg\\_%%' AND n.nspname <> 'information_schema'
  AND n.nspname = coalesce(%(schema)s, n.nspname) AND c.relname = coalesce(%(name)s, c.relname)
"""

_TABLES = f"""
SELECT c.oid::bigint, n.nspname, c.relname, c.relkind::text,
       coalesce(obj_description(c.oid, 'pg_class'), ''),
       CASE WHEN c.relkind IN ('v', 'm') THEN pg_get_viewdef(c.oid, true) ELSE '' END,
       CASE WHEN c.relkind IN ('r', 'm', 'p') AND c.reltuples >= 0 THEN c.reltuples::bigint END,
       CASE WHEN c.relkind IN ('r', 'm') THEN pg_total_relation_size(c.oid) END
{_HERE} ORDER BY n.nspname, c.relname
"""

_OIDS = f"(SELECT c.oid {_HERE})"

_COLUMNS = f"""
SELECT a.attrelid::bigint, a.attname, format_type(a.atttypid, a.atttypmod), NOT a.attnotnull,
       CASE WHEN a.attgenerated <> '' THEN
            'GENERATED ALWAYS AS (' || pg_get_expr(d.adbin, d.adrelid) || ') STORED'
            WHEN a.attidentity <> '' THEN 'GENERATED AS IDENTITY'
            ELSE coalesce(pg_get_expr(d.adbin, d.adrelid), '') END,
       coalesce(col_description(a.attrelid, a.attnum), '')
FROM pg_catalog.pg_attribute AS a
LEFT JOIN pg_catalog.pg_attrdef AS d ON (d.adrelid, d.adnum) = (a.attrelid, a.attnum)
WHERE a.attrelid IN {_OIDS} AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY a.attrelid, a.attnum
"""

_NAMES = """
ARRAY(SELECT a.attname::text FROM unnest({keys}) WITH ORDINALITY AS k(number, place)
      JOIN pg_catalog.pg_attribute AS a ON (a.attrelid, a.attnum) = ({table}, k.number)
      ORDER BY k.place)
"""

_CONSTRAINTS = f"""
SELECT x.conrelid::bigint, x.contype::text, x.conname, pg_get_constraintdef(x.oid, true),
       {_NAMES.format(keys="x.conkey", table="x.conrelid")},
       fn.nspname, fc.relname, {_NAMES.format(keys="x.confkey", table="x.confrelid")}
FROM pg_catalog.pg_constraint AS x
LEFT JOIN pg_catalog.pg_class AS fc ON fc.oid = x.confrelid
LEFT JOIN pg_catalog.pg_namespace AS fn ON fn.oid = fc.relnamespace
WHERE x.conrelid IN {_OIDS} AND x.contype IN ('p', 'u', 'f', 'c', 'x')
ORDER BY x.conrelid, array_position(ARRAY['p', 'u', 'f', 'c', 'x'], x.contype::text), x.conname
"""

_INDEXES = f"""
SELECT i.indrelid::bigint, ic.relname, i.indisunique, pg_get_indexdef(i.indexrelid),
       ARRAY(SELECT pg_get_indexdef(i.indexrelid, k, true)
             FROM generate_series(1, i.indnkeyatts) AS k)
FROM pg_catalog.pg_index AS i JOIN pg_catalog.pg_class AS ic ON ic.oid = i.indexrelid
WHERE i.indrelid IN {_OIDS} ORDER BY i.indrelid, ic.relname
"""

_KINDS = {
    "p": "PRIMARY KEY",
    "u": "UNIQUE",
    "f": "FOREIGN KEY",
    "c": "CHECK",
    "x": "EXCLUDE",
}


def read_structures(
    server: psycopg.Connection, schema: str | None, name: str | None
) -> list[Structure]:
    """Return all tables that the role may see, those of a schema, or one."""
    named = {"schema": schema, "name": name}
    columns: dict[int, list[StructuredColumn]] = defaultdict(list)
    for oid, column, declared, nullable, default, comment in server.execute(_COLUMNS, named):
        columns[oid].append(StructuredColumn(column, "", nullable, default, comment, declared))
    constraints: dict[int, list[Constraint]] = defaultdict(list)
    for oid, kind, called, sql, own, *target in server.execute(_CONSTRAINTS, named):
        leads = Target(target[0], target[1], tuple(target[2])) if target[1] else None
        constraints[oid].append(Constraint(_KINDS[kind], tuple(own), sql, leads, called))
    indexes: dict[int, list[Index]] = defaultdict(list)
    for oid, called, unique, sql, own in server.execute(_INDEXES, named):
        indexes[oid].append(Index(called, unique, sql, tuple(own)))
    return [
        _structure(row, columns[row[0]], constraints[row[0]], indexes[row[0]])
        for row in server.execute(_TABLES, named).fetchall()
    ]


def _structure(
    row: tuple[Any, ...],
    columns: list[StructuredColumn],
    constraints: list[Constraint],
    indexes: list[Index],
) -> Structure:
    _, schema, name, relkind, comment, definition, rows, size = row
    kind: Literal["table", "view"] = "view" if relkind in ("v", "m") else "table"
    address = f"{quoted(schema)}.{quoted(name)}"
    if kind == "view":
        materialized = "MATERIALIZED " if relkind == "m" else ""
        sql = f"CREATE {materialized}VIEW {address} AS\n{definition}"
    else:
        sql = _create(address, columns, constraints)
    return Structure(
        schema=schema,
        name=name,
        kind=kind,
        comment=comment,
        sql=sql,
        rows=rows,
        bytes=size,
        columns=tuple(columns),
        constraints=tuple(constraints),
        indexes=tuple(indexes),
    )


def _create(address: str, columns: list[StructuredColumn], constraints: list[Constraint]) -> str:
    """Write the table as one would create it: PostgreSQL keeps no such text."""
    lines = []
    for each in columns:
        line = f"{quoted(each.name)} {each.declared}"
        if each.default.startswith("GENERATED"):
            line += f" {each.default}"
        elif each.default:
            line += f" DEFAULT {each.default}"
        lines.append(line if each.nullable else f"{line} NOT NULL")
    lines += [f"CONSTRAINT {quoted(each.name)} {each.sql}" for each in constraints]
    inside = ",\n    ".join(lines)
    return f"CREATE TABLE {address} (\n    {inside}\n);" if lines else f"CREATE TABLE {address} ();"
