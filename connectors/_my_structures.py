"""What a MySQL or MariaDB server's own catalog says of tables: comments, keys, indexes, sizes."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from connectors._my_session import Server
from core.structure import Constraint, Index, Structure, StructuredColumn, Target

if TYPE_CHECKING:
    import pymysql

# A null names all. `t` is the table with its columns table_schema and table_name.
_HERE = """
t.table_schema NOT IN ('information_schema', 'mysql', 'performance_schema', 'sys')
AND t.table_schema = coalesce(%(schema)s, t.table_schema)
AND t.table_name = coalesce(%(name)s, t.table_name)
"""

_TABLES = f"""
SELECT t.table_schema, t.table_name, t.table_type, t.table_comment, t.table_rows,
       t.data_length + t.index_length, v.view_definition
FROM information_schema.tables AS t
LEFT JOIN information_schema.views AS v
    ON v.table_schema = t.table_schema AND v.table_name = t.table_name
WHERE {_HERE} ORDER BY t.table_schema, t.table_name
"""

_COLUMNS = f"""
SELECT t.table_schema, t.table_name, t.column_name, t.column_type, t.is_nullable,
       t.column_default, t.extra, t.column_comment, t.generation_expression
FROM information_schema.columns AS t WHERE {_HERE}
ORDER BY t.table_schema, t.table_name, t.ordinal_position
"""

_KEYS = f"""
SELECT t.table_schema, t.table_name, t.constraint_type, t.constraint_name, k.column_name,
       k.referenced_table_schema, k.referenced_table_name, k.referenced_column_name
FROM information_schema.table_constraints AS t
JOIN information_schema.key_column_usage AS k
    ON k.constraint_schema = t.constraint_schema AND k.constraint_name = t.constraint_name
    AND k.table_schema = t.table_schema AND k.table_name = t.table_name
WHERE t.constraint_type IN ('PRIMARY KEY', 'UNIQUE', 'FOREIGN KEY') AND {_HERE}
ORDER BY t.table_schema, t.table_name,
         field(t.constraint_type, 'PRIMARY KEY', 'UNIQUE', 'FOREIGN KEY'), t.constraint_name,
         k.ordinal_position
"""

# MariaDB names the table there, because only within it a name is its own.
_CHECKS = {
    "MariaDB": f"""
SELECT t.table_schema, t.table_name, t.constraint_name, t.check_clause FROM (
    SELECT constraint_schema AS table_schema, table_name, constraint_name, check_clause
    FROM information_schema.check_constraints
) AS t WHERE {_HERE} ORDER BY t.table_schema, t.table_name, t.constraint_name
""",
    "MySQL": f"""
SELECT t.table_schema, t.table_name, t.constraint_name, c.check_clause
FROM information_schema.table_constraints AS t JOIN information_schema.check_constraints AS c
    ON c.constraint_schema = t.constraint_schema AND c.constraint_name = t.constraint_name
WHERE t.constraint_type = 'CHECK' AND {_HERE}
ORDER BY t.table_schema, t.table_name, t.constraint_name
""",
}

_INDEXES = f"""
SELECT t.table_schema, t.table_name, t.index_name, t.non_unique, t.column_name, t.sub_part,
       t.index_type
FROM information_schema.statistics AS t WHERE {_HERE}
ORDER BY t.table_schema, t.table_name, t.index_name, t.seq_in_index
"""

_Address = tuple[str, str]


def read_structures(
    session: pymysql.Connection[Any], schema: str | None, name: str | None
) -> list[Structure]:
    """Return all tables that the user may see, those of a database, or one."""
    server = Server.of(session)
    named = {"schema": schema, "name": name}
    with session.cursor() as cursor:

        def ask(sql: str) -> list[tuple[Any, ...]]:
            cursor.execute(sql, named)
            return [tuple(row) for row in cursor.fetchall()]

        columns: dict[_Address, list[StructuredColumn]] = defaultdict(list)
        for row in ask(_COLUMNS):
            columns[row[:2]].append(_column(row[2:], server))
        constraints = _keys(ask(_KEYS))
        if server.product == "MariaDB" or server.numbers >= (8, 0, 16):
            for *table, called, clause in ask(_CHECKS[server.product]):
                check = Constraint("CHECK", (), f"CHECK ({clause})", name=called)
                constraints[table[0], table[1]].append(check)
        indexes = _indexes(ask(_INDEXES))
        found = []
        for row in ask(_TABLES):
            at = row[:2]
            written = _shown(cursor, at) if name is not None else ""
            parts = (tuple(columns[at]), tuple(constraints[at]), tuple(indexes[at]))
            found.append(_structure(row, written, *parts))
        return found


def _column(row: tuple[Any, ...], server: Server) -> StructuredColumn:
    name, declared, nullable, default, extra, comment, generated = row
    extra = str(extra or "")
    if generated:
        kind = "STORED" if "STORED" in extra or "PERSISTENT" in extra else "VIRTUAL"
        told = f"GENERATED ALWAYS AS ({generated}) {kind}"
    elif "auto_increment" in extra:
        told = "AUTO_INCREMENT"
    elif default is None or (server.product == "MariaDB" and default == "NULL"):
        told = ""
    elif server.product == "MariaDB" or "DEFAULT_GENERATED" in extra:
        told = str(default)
    else:  # MySQL tells a text without its quotes
        told = _literal(str(default))
    return StructuredColumn(name, "", nullable == "YES", told, comment, declared)


def _keys(rows: list[tuple[Any, ...]]) -> dict[_Address, list[Constraint]]:
    """Put the columns of each key together; a row is one of them."""
    found: dict[_Address, dict[str, list[tuple[Any, ...]]]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        found[row[:2]][row[3]].append(row)
    keys: dict[_Address, list[Constraint]] = defaultdict(list)
    for address, named in found.items():
        keys[address] = [_key(each) for each in named.values()]
    return keys


def _key(rows: list[tuple[Any, ...]]) -> Constraint:
    _, _, kind, name, _, schema, table, _ = rows[0]
    own = tuple(row[4] for row in rows)
    sql = f"{kind} ({_list(own)})"
    leads = None
    if table is not None:
        leads = Target(schema, table, tuple(row[7] for row in rows))
        sql += f" REFERENCES {_quoted(schema)}.{_quoted(table)} ({_list(leads.columns)})"
    return Constraint(kind, own, sql, leads, name)


def _indexes(rows: list[tuple[Any, ...]]) -> dict[_Address, list[Index]]:
    found: dict[tuple[str, str, str], list[tuple[Any, ...]]] = defaultdict(list)
    for row in rows:
        found[row[:3]].append(row)
    indexes: dict[_Address, list[Index]] = defaultdict(list)
    for (schema, table, name), parts in found.items():
        # A part without a column is an expression, which only SHOW CREATE TABLE tells.
        own = tuple(str(part[4] or "(an expression)") for part in parts)
        listed = ", ".join(
            (_quoted(part[4]) if part[4] else "(an expression)")
            + (f"({part[5]})" if part[5] else "")
            for part in parts
        )
        unique, kind = not parts[0][3], parts[0][6]
        word = "UNIQUE " if unique else f"{kind} " if kind in ("FULLTEXT", "SPATIAL") else ""
        on = f"{_quoted(schema)}.{_quoted(table)} ({listed})"
        sql = f"CREATE {word}INDEX {_quoted(name)} ON {on}"
        if name != "PRIMARY":
            indexes[schema, table].append(Index(name, unique, sql, own))
    return indexes


def _structure(
    row: tuple[Any, ...],
    written: str,
    columns: tuple[StructuredColumn, ...],
    constraints: tuple[Constraint, ...],
    indexes: tuple[Index, ...],
) -> Structure:
    schema, name, kind, comment, rows, size, definition = row
    address = f"{_quoted(schema)}.{_quoted(name)}"
    view = kind.endswith("VIEW")
    if not written and view:
        written = f"CREATE VIEW {address} AS\n{definition}" if definition else ""
    return Structure(
        schema=schema,
        name=name,
        kind="view" if view else "table",
        comment="" if view else comment,  # of a view it is the word VIEW
        sql=written or _create(address, columns, constraints),
        rows=None if view or rows is None else int(rows),
        bytes=None if view or size is None else int(size),
        columns=columns,
        constraints=constraints,
        indexes=indexes,
    )


def _shown(cursor: Any, address: _Address) -> str:
    """Return what the server itself says of one table; "" where the user may not see it."""
    import pymysql

    try:
        cursor.execute(f"SHOW CREATE TABLE {_quoted(address[0])}.{_quoted(address[1])}")
    except pymysql.MySQLError:
        return ""
    return f"{cursor.fetchone()[1]};"


def _create(
    address: str, columns: tuple[StructuredColumn, ...], constraints: tuple[Constraint, ...]
) -> str:
    """Write the table as one would create it: to ask for each of thousands takes too long."""
    lines = []
    for each in columns:
        line = f"{_quoted(each.name)} {each.declared}"
        line += "" if each.nullable else " NOT NULL"
        if each.default.startswith(("GENERATED", "AUTO_INCREMENT")):
            line += f" {each.default}"
        elif each.default:
            line += f" DEFAULT {each.default}"
        lines.append(line)
    for each_key in constraints:
        named = each_key.kind != "PRIMARY KEY"
        lines.append(
            f"CONSTRAINT {_quoted(each_key.name)} {each_key.sql}" if named else each_key.sql
        )
    inside = ",\n    ".join(lines)
    return f"CREATE TABLE {address} (\n    {inside}\n);" if lines else ""


def _quoted(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"


def _list(names: tuple[str, ...]) -> str:
    return ", ".join(_quoted(name) for name in names)


def _literal(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "''") + "'"
