"""Take from a cursor what a session left in it, so that the next session finds none of it."""

from __future__ import annotations

import duckdb

from core.connector import quoted

SEARCH_PATH = "SET search_path = 'workspace.main,files.main'"
SYSTEM_PATH = "SET search_path = 'system.main,workspace.main,files.main'"
"""For our own questions: a user's macro named like a function must not answer them."""

_LEFT = """
SELECT 'DROP VIEW temp.main.' AS verb, view_name AS name, ' CASCADE' AS rest
FROM system.main.duckdb_views() WHERE temporary AND NOT internal
UNION ALL SELECT 'DROP TABLE temp.main.', table_name, ' CASCADE'
FROM system.main.duckdb_tables() WHERE temporary
UNION ALL SELECT 'DROP SEQUENCE temp.main.', sequence_name, ' CASCADE'
FROM system.main.duckdb_sequences() WHERE temporary
UNION ALL SELECT 'DROP TYPE temp.main.', type_name, ' CASCADE'
FROM system.main.duckdb_types() WHERE database_name = 'temp' AND NOT internal
UNION ALL SELECT DISTINCT
    CASE function_type WHEN 'macro' THEN 'DROP MACRO ' ELSE 'DROP MACRO TABLE ' END
    || 'temp.main.', function_name, ''
FROM system.main.duckdb_functions()
WHERE database_name = 'temp' AND NOT internal AND function_type IN ('macro', 'table_macro')
UNION ALL SELECT 'RESET VARIABLE ', name, '' FROM system.main.duckdb_variables()
UNION ALL SELECT 'DEALLOCATE ', name, '' FROM system.main.duckdb_prepared_statements()
"""


def forget(cursor: duckdb.DuckDBPyConnection) -> None:
    """Drop temporary objects, variables and prepared statements. Raises duckdb.Error."""
    for verb, name, rest in cursor.execute(_LEFT).fetchall():
        cursor.execute(f"{verb}{quoted(name)}{rest}")
    cursor.execute(SEARCH_PATH)
