"""What can be queried: every table and view with its columns, and every function."""

from __future__ import annotations

from core.engine.worker.activity import Activity
from core.engine.worker.database import Database
from core.engine.worker.errors import translate
from core.engine.worker.over import read, stream
from core.workers.child import Call

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

_FUNCTIONS = """
SELECT function_name AS name, any_value(function_type) AS kind,
       any_value(parameters) AS parameters, any_value(return_type) AS returns,
       any_value(description) AS description
FROM system.main.duckdb_functions()
WHERE regexp_matches(function_name, '^[a-z_][a-z0-9_]*$') AND function_name NOT LIKE 'pragma_%'
GROUP BY ALL ORDER BY 1
"""


def catalog(database: Database, activity: Activity, call: Call) -> None:
    """Answer op `catalog`: one row a column of a table, as an Arrow stream."""
    _answer(database, activity, call, _TABLES)


def functions(database: Database, activity: Activity, call: Call) -> None:
    """Answer op `functions`: one row a function, as an Arrow stream."""
    _answer(database, activity, call, _FUNCTIONS)


def _answer(database: Database, activity: Activity, call: Call, sql: str) -> None:
    with database.system(activity) as cursor, activity.on(cursor):
        try:
            table = read(cursor.execute(sql))
        except Exception as error:
            raise translate(error, sql) from error
    call.finish({"rows": table.num_rows}, stream(table))
