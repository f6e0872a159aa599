"""Tables in full: defaults, comments, constraints, indexes, and the SQL that made them.

Of its own databases and of files the engine itself knows; of a source whose connector tells more,
that is asked.
"""

from __future__ import annotations

import json
from collections import defaultdict
from typing import Any

import duckdb

from core.engine.worker.activity import Activity
from core.engine.worker.database import Database
from core.engine.worker.errors import translate
from core.engine.worker.over import read
from core.errors import NotFound
from core.structure import Structure
from core.workers.child import Call

# A null names all: of one table, of a schema, or of the catalog.
_HERE = """
database_name = $catalog AND schema_name = coalesce($schema, schema_name)
AND {0} = coalesce($name, {0})
"""

_TABLES = f"""
SELECT schema_name AS schema, table_name AS name, 'table' AS kind,
       coalesce(comment, '') AS comment, coalesce(sql, '') AS sql,
       -- Of another system's tables DuckDB knows no count, only a guess that is off by one.
       CASE WHEN (SELECT type FROM system.main.duckdb_databases() AS d
                  WHERE d.database_oid = t.database_oid) = 'duckdb' THEN estimated_size END AS rows
FROM system.main.duckdb_tables() AS t WHERE NOT internal AND {_HERE.format("table_name")}
UNION ALL
SELECT schema_name, view_name, 'view', coalesce(comment, ''), coalesce(sql, ''), NULL
FROM system.main.duckdb_views() WHERE NOT internal AND {_HERE.format("view_name")}
ORDER BY ALL
"""

_COLUMNS = f"""
SELECT schema_name AS schema, table_name AS table, column_name AS name, data_type AS type,
       is_nullable AS nullable, coalesce(column_default, '') AS default,
       coalesce(comment, '') AS comment
FROM system.main.duckdb_columns() WHERE {_HERE.format("table_name")}
ORDER BY schema_name, table_name, column_index
"""

# NOT NULL is told with its column. Of a key of one column in a SQLite file DuckDB writes
# PRIMARY KEY().
_CONSTRAINTS = f"""
SELECT schema_name AS schema, table_name AS table, constraint_type AS kind,
       constraint_column_names AS columns, coalesce(constraint_name, '') AS name,
       CASE WHEN ends_with(constraint_text, '()')
            THEN replace(constraint_text, '()', '(' || constraint_column_names[1] || ')')
            ELSE constraint_text END AS sql,
       CASE WHEN referenced_table IS NOT NULL THEN
            {{schema: schema_name, "table": referenced_table, columns: referenced_column_names}}
       END AS target
FROM system.main.duckdb_constraints() WHERE {_HERE.format("table_name")}
  AND constraint_type <> 'NOT NULL'
ORDER BY schema_name, table_name, constraint_index
"""

_INDEXES = f"""
SELECT schema_name AS schema, table_name AS table, index_name AS name, is_unique AS unique,
       coalesce(sql, '') AS sql,
       list_transform(coalesce(try_cast(expressions AS VARCHAR[]), []), x -> trim(x, '"'))
       AS columns
FROM system.main.duckdb_indexes() WHERE {_HERE.format("table_name")}
ORDER BY schema_name, table_name, index_name
"""

_PARTS = {"columns": _COLUMNS, "constraints": _CONSTRAINTS, "indexes": _INDEXES}


def structures(
    database: Database,
    activity: Activity,
    call: Call,
    told: list[Structure] | None,
) -> None:
    """Answer op `structures` by catalog and, where given, schema and name: a JSON list.

    `told` is what a connector knows; None leaves it to the engine. Raises NotFound for a table
    by name that is not there.
    """
    named = {each: call.args[each] for each in ("catalog", "schema", "name")}
    if told is None:
        with database.system(activity) as cursor, activity.on(cursor):
            answer = _own(cursor, named)
    else:
        with database.system(activity) as cursor, activity.on(cursor):
            answer = _typed(cursor, named, [each.to_json() for each in told])
    if named["name"] is not None and not answer:
        raise NotFound(f"There is no table {named['name']} any more.")
    call.finish({}, json.dumps(answer).encode())


def _own(cursor: duckdb.DuckDBPyConnection, named: dict[str, str | None]) -> list[dict[str, Any]]:
    tables = [{**row, "bytes": None} for row in _rows(cursor, _TABLES, named)]
    for part, sql in _PARTS.items():
        of_table: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
        for row in _rows(cursor, sql, named):
            of_table[row.pop("schema"), row.pop("table")].append(row)
        for each in tables:
            each[part] = of_table[each["schema"], each["name"]]
    return tables


def _typed(
    cursor: duckdb.DuckDBPyConnection, named: dict[str, str | None], told: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    """Fill in the types that a connector left to the engine: what it does not see has none."""
    types = {
        (row["schema"], row["table"], row["name"]): row["type"]
        for row in _rows(cursor, _COLUMNS, named)
    }
    for each in told:
        for column in each["columns"]:
            seen = types.get((each["schema"], each["name"], column["name"]), "")
            column["type"] = column["type"] or seen
    return told


def _rows(
    cursor: duckdb.DuckDBPyConnection, sql: str, named: dict[str, str | None]
) -> list[dict[str, Any]]:
    try:
        rows: list[dict[str, Any]] = read(cursor.execute(sql, named)).to_pylist()
    except Exception as error:
        raise translate(error, sql) from error
    return rows
