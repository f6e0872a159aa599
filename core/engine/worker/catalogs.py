"""What can be queried: every table and view with its columns, and the macros of the workspace."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

from core.engine.worker.activity import Activity
from core.engine.worker.database import Database
from core.engine.worker.errors import translate
from core.engine.worker.over import read
from core.engine.worker.sources import Listed, Sources
from core.errors import MillpondError
from core.workers.child import Call
from core.workers.protocol import error_to_json

# system.main, here and elsewhere: a macro of the workspace may have the name of DuckDB's own table.
_TABLES = """
SELECT c.database_name AS catalog, c.schema_name AS schema, c.table_name AS "table",
       coalesce(t.kind, 'view') AS kind, t.rows AS rows,
       c.column_name AS "column", c.data_type AS type, c.is_nullable AS nullable
FROM system.main.duckdb_columns() AS c
LEFT JOIN (
    -- Of another system's tables DuckDB knows no count, only a guess that is off by one.
    SELECT t.database_oid, schema_oid, table_oid, 'table' AS kind,
           CASE WHEN d.type = 'duckdb' THEN estimated_size END AS rows
    FROM system.main.duckdb_tables() AS t
    JOIN system.main.duckdb_databases() AS d USING (database_oid)
) AS t ON (t.database_oid, t.schema_oid, t.table_oid)
        = (c.database_oid, c.schema_oid, c.table_oid)
WHERE NOT c.internal AND c.database_name NOT IN ('system', 'temp')
ORDER BY c.database_oid, c.schema_name, c.table_name, c.column_index
"""

_SCHEMAS = """
SELECT database_name AS catalog, schema_name AS schema
FROM system.main.duckdb_schemas()
WHERE database_name NOT IN ('system', 'temp')
  AND schema_name NOT IN ('information_schema', 'pg_catalog')
ORDER BY ALL
"""

_MACROS = r"""
SELECT function_name AS name, parameters
FROM system.main.duckdb_functions()
WHERE function_type IN ('macro', 'table_macro') AND NOT internal
  AND regexp_matches(function_name, '^[A-Za-z_]\w*$')
ORDER BY ALL
"""


def catalog(database: Database, activity: Activity, call: Call, sources: Sources) -> None:
    """Answer op `catalog`: one row a column of a table, as JSON.

    DuckDB tells nothing of any database while one of them is away: those are let go. All that are
    away are named, with what they said. A row with a `dialect` is of a table that its source's own
    engine alone can read.
    """
    _tell(database, activity, call, sources, _TABLES, _columns)


def schemas(database: Database, activity: Activity, call: Call, sources: Sources) -> None:
    """Answer op `schemas`: one row a schema, those without a table too, as `catalog` does."""
    _tell(database, activity, call, sources, _SCHEMAS, _schemas)


def _tell(
    database: Database,
    activity: Activity,
    call: Call,
    sources: Sources,
    sql: str,
    rows_of: Callable[[Listed], Iterator[dict[str, Any]]],
) -> None:
    began = time.monotonic()
    try:
        rows = _rows(database, activity, sql)
    except MillpondError:
        activity.check()
        if not sources.lost(database, began):
            raise
        rows = _rows(database, activity, sql)
    away = {alias: error_to_json(error) for alias, error in sources.away.items()}
    for each in sources.listed(database, activity):
        rows += rows_of(each)
        if each.problem is not None:
            away[each.alias.lower()] = error_to_json(each.problem)
    # Not Arrow: the app draws its first pages without importing it.
    call.finish({"rows": len(rows), "away": away}, json.dumps(rows).encode())


def _columns(listed: Listed) -> Iterator[dict[str, Any]]:
    for table in listed.tables:
        for column in table.columns:
            yield {
                "catalog": listed.alias,
                "schema": table.schema,
                "table": table.name,
                "kind": table.kind,
                "rows": table.rows,
                "column": column.name,
                "type": column.type,
                "nullable": column.nullable,
                "dialect": listed.dialect,
            }


def _schemas(listed: Listed) -> Iterator[dict[str, Any]]:
    for schema in sorted({each.schema for each in listed.tables}):
        yield {"catalog": listed.alias, "schema": schema}


def macros(database: Database, activity: Activity, call: Call) -> None:
    """Answer op `macros`: one row a macro with the list of its parameters, as JSON."""
    rows = _rows(database, activity, _MACROS)
    call.finish({"rows": len(rows)}, json.dumps(rows).encode())


def _rows(database: Database, activity: Activity, sql: str) -> list[dict[str, Any]]:
    with database.system(activity) as cursor, activity.on(cursor):
        try:
            rows: list[dict[str, Any]] = read(cursor.execute(sql)).to_pylist()
        except Exception as error:
            raise translate(error, sql) from error
    return rows
