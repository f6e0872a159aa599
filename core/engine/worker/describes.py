"""One table in full: defaults, comments, constraints, indexes, and the SQL that made it."""

from __future__ import annotations

import json
from typing import Any

import duckdb

from core.engine.worker.activity import Activity
from core.engine.worker.database import Database
from core.engine.worker.errors import translate
from core.engine.worker.over import read
from core.errors import NotFound
from core.workers.child import Call

_HERE = "database_name = $catalog AND schema_name = $schema AND {} = $name"

_TABLE = f"""
SELECT coalesce(comment, '') AS comment, coalesce(sql, '') AS sql
FROM system.main.duckdb_tables() WHERE {_HERE.format("table_name")}
UNION ALL
SELECT coalesce(comment, ''), coalesce(sql, '')
FROM system.main.duckdb_views() WHERE {_HERE.format("view_name")}
"""

_COLUMNS = f"""
SELECT column_name AS name, data_type AS type, is_nullable AS nullable,
       coalesce(column_default, '') AS default, coalesce(comment, '') AS comment
FROM system.main.duckdb_columns() WHERE {_HERE.format("table_name")}
ORDER BY column_index
"""

# NOT NULL is told with its column. Of a key of one column in a SQLite file DuckDB writes
# PRIMARY KEY().
_CONSTRAINTS = f"""
SELECT constraint_type AS kind, constraint_column_names AS columns,
       CASE WHEN ends_with(constraint_text, '()')
            THEN replace(constraint_text, '()', '(' || constraint_column_names[1] || ')')
            ELSE constraint_text END AS sql
FROM system.main.duckdb_constraints() WHERE {_HERE.format("table_name")}
  AND constraint_type <> 'NOT NULL'
ORDER BY constraint_index
"""

_INDEXES = f"""
SELECT index_name AS name, is_unique AS unique, coalesce(sql, '') AS sql
FROM system.main.duckdb_indexes() WHERE {_HERE.format("table_name")}
ORDER BY index_name
"""


def describe(database: Database, activity: Activity, call: Call) -> None:
    """Answer op `describe` of one table by catalog, schema and name, as JSON. Raises NotFound."""
    named = {each: call.args[each] for each in ("catalog", "schema", "name")}
    with database.system(activity) as cursor, activity.on(cursor):
        table = _rows(cursor, _TABLE, named)
        if not table:
            raise NotFound(f"There is no table {named['name']} any more.")
        answer = table[0] | {
            "columns": _rows(cursor, _COLUMNS, named),
            "constraints": _rows(cursor, _CONSTRAINTS, named),
            "indexes": _rows(cursor, _INDEXES, named),
        }
    call.finish({}, json.dumps(answer).encode())


def _rows(
    cursor: duckdb.DuckDBPyConnection, sql: str, named: dict[str, str]
) -> list[dict[str, Any]]:
    try:
        rows: list[dict[str, Any]] = read(cursor.execute(sql, named)).to_pylist()
    except Exception as error:
        raise translate(error, sql) from error
    return rows
