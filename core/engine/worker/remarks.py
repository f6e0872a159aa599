"""Comments as the databases keep them, read and written, and the SQL of views.

Only what is said is told: of 100,000 columns few have a comment.
"""

from __future__ import annotations

import json

from core.connector import literal, quoted
from core.engine.worker.activity import Activity
from core.engine.worker.database import Database
from core.engine.worker.errors import translate
from core.engine.worker.over import read
from core.errors import NotFound
from core.workers.child import Call

_COMMENTS = """
SELECT database_name AS catalog, schema_name AS schema, table_name AS "table", '' AS "column",
       comment
FROM system.main.duckdb_tables() WHERE NOT internal AND comment <> ''
UNION ALL
SELECT database_name, schema_name, view_name, '', comment
FROM system.main.duckdb_views() WHERE NOT internal AND comment <> ''
UNION ALL
SELECT database_name, schema_name, table_name, column_name, comment
FROM system.main.duckdb_columns() WHERE NOT internal AND comment <> ''
"""

# The views of `files` stand for files, and read no table.
_VIEWS = """
SELECT database_name AS catalog, schema_name AS schema, view_name AS "table", sql
FROM system.main.duckdb_views()
WHERE NOT internal AND sql <> '' AND database_name NOT IN ('files', 'system', 'temp')
ORDER BY ALL
"""

_KIND = """
SELECT 'TABLE' FROM system.main.duckdb_tables()
WHERE database_name = $catalog AND schema_name = $schema AND table_name = $name
UNION ALL
SELECT 'VIEW' FROM system.main.duckdb_views()
WHERE database_name = $catalog AND schema_name = $schema AND view_name = $name
"""


def remarks(database: Database, activity: Activity, call: Call) -> None:
    """Answer op `remarks`, as JSON: `comments`, of tables with an empty `column`, and `views`."""
    with database.system(activity) as cursor, activity.on(cursor):
        answer = {}
        for name, sql in (("comments", _COMMENTS), ("views", _VIEWS)):
            try:
                answer[name] = read(cursor.execute(sql)).to_pylist()
            except Exception as error:
                raise translate(error, sql) from error
    call.finish({}, json.dumps(answer).encode())


def comment(database: Database, activity: Activity, call: Call) -> None:
    """Do op `comment`: keep a text with a table, or with one of its columns; empty takes it away.

    Raises NotFound for a table that is gone, and what DuckDB says of a column.
    """
    named = {each: call.args[each] for each in ("catalog", "schema", "name")}
    column, text = call.args["column"], call.args["text"]
    with database.system(activity) as cursor, activity.on(cursor):
        found = cursor.execute(_KIND, named).fetchone()
        if found is None:
            raise NotFound(f"There is no table {named['name']} any more.")
        place = ".".join(quoted(each) for each in named.values())
        place += f".{quoted(column)}" if column else ""
        kind = "COLUMN" if column else found[0]
        sql = f"COMMENT ON {kind} {place} IS {literal(text) if text else 'NULL'}"
        try:
            cursor.execute(sql)
        except Exception as error:
            raise translate(error, sql) from error
    call.finish({})
