"""Refuse, before it runs, what would fail in silence, or for everybody.

It is not the wall: the kernel refuses what is outside whatever the SQL looks like. But a folder
that cannot be listed looks empty to DuckDB, and an empty answer says that nothing is there.
"""

from __future__ import annotations

import os
import re
from contextlib import suppress
from typing import Any

import duckdb

from core.connector import quoted
from core.engine.extensions import SETTINGS
from core.engine.reach import inside
from core.engine.references import references
from core.engine.worker.errors import locked, outside
from core.errors import Forbidden

# A log file that cannot be written stops every statement of every session from then on.
_LOGGING = re.compile(r"""enable_logging["\s]*\(""", re.IGNORECASE)
# Everybody's search path names them: without one of them no statement runs.
_OURS = re.compile(r"""\b(?:workspace|files)["\s;]*$""", re.IGNORECASE)
_REPLACES = re.compile(r"\bor\s+replace\b", re.IGNORECASE)
_AS_OURS = re.compile(
    r"""(?:\bas\s*"?|['/])(?:workspace|files)(?![\w/])""",
    re.IGNORECASE | re.DOTALL,
)
_COMMENT = re.compile(r"/\*.*?\*/|--[^\n]*", re.DOTALL)
_LINE_COMMENT = re.compile(r"--[^\n]*")
# The profiler prints to the terminal of the app, also for the session after this one.
_PRAGMA = re.compile(r"\bpragma\s+\w*(?:profil|progress)", re.IGNORECASE)
# The lock on settings leaves these open, for when an extension comes: all sessions share them.
_SETTING = re.compile("|".join(name for each in SETTINGS.values() for name in each), re.IGNORECASE)
_SECRET = re.compile(r"\bcreate\s+(?:or\s+replace\s+)?persistent\s+secret\b", re.IGNORECASE)
# They hand a server SQL of its own outside of DuckDB's reading: past what is read-only, or in the
# way of everybody's connections. Whoever may write says so in the connection, and runs it there.
_FOREIGN = re.compile(
    r"""\b(?:postgres|mysql)_(?:execute|attach|configure_pool|clear_pool)["\s]*\(""", re.IGNORECASE
)
_NAMES_FILES = re.compile(
    r"""\b(?:glob|attach|read_\w+|sniff_csv|\w+_scan|parquet_\w+)\b|['"][^'"\n]*[*?\[]""",
    re.IGNORECASE,
)
_WRITES_FILES = re.compile(r"\b(?:copy|export)\b", re.IGNORECASE)
_EXPORTED = re.compile(r"\bexport\s+database\s+(?:[^'\s]+\s+to\s+)?'([^']*)'", re.IGNORECASE)
_READERS = {"glob", "read_text", "read_blob"}
_LONGEST = 100_000
"""A longer statement holds data, not names: parsing 2 MB of VALUES takes seconds."""
_URL = re.compile(r"^[a-z][a-z0-9+.]+://", re.IGNORECASE)
_EXTENSIONS = Forbidden(
    "Extensions cannot be loaded or installed from a query.",
    hint="The extensions that Millpond brings are loaded already.",
)


def check(
    statement: duckdb.Statement,
    sql: str,
    params: dict[str, Any],
    reachable: tuple[str, ...],
    own: str,
) -> None:
    """Raise Forbidden for a statement that must not run.

    `reachable` may be read or listed. `own` is the workspace's folder: of it a query may write
    uploads; a COPY over the database's file would lose all tables at the engine's end.
    """
    if statement.type == duckdb.StatementType.LOAD:
        raise Forbidden(_EXTENSIONS.message, hint=_EXTENSIONS.hint)
    bare = _uncommented(sql)
    _check_ours(statement, bare)
    if statement.type == duckdb.StatementType.SET and _SETTING.search(sql):
        raise locked()
    if _LOGGING.search(sql):
        raise Forbidden("The engine's own log cannot be switched on from a query.")
    if _FOREIGN.search(sql):
        raise Forbidden(
            "A query cannot hand SQL to a server past its connection.",
            hint="Choose the connection under Runs on; writing must be allowed in its options.",
        )
    if _SECRET.search(bare):
        raise Forbidden(
            "A secret cannot be kept by a query.", hint="Add a connection: it seals its secrets."
        )
    if _PRAGMA.search(sql):
        raise Forbidden("The engine's profiler cannot be switched on.", hint="Use EXPLAIN ANALYZE.")
    given = [value for value in params.values() if isinstance(value, str)]
    writes = _WRITES_FILES.search(sql)
    if len(sql) > _LONGEST or not (writes or _NAMES_FILES.search(sql)):
        return
    found = references(sql)
    if writes:
        _check_outputs([*found.outputs, *_EXPORTED.findall(sql), *given], own)
    files = [*found.files, *(given if found.functions & _READERS else ())]
    for file in files:
        if not (_URL.match(file) or _is_reachable(file, reachable)):
            raise outside(os.path.abspath(os.path.expanduser(file)))


def _uncommented(sql: str) -> str:
    """Leave comments out; what is never closed is none, and is not looked for again and again."""
    end = sql.rfind("*/") + 2 if "*/" in sql else 0
    return _COMMENT.sub(" ", sql[:end]) + _LINE_COMMENT.sub(" ", sql[end:])


def _check_ours(statement: duckdb.Statement, sql: str) -> None:
    """Keep the databases in everybody's search path: in their place tables would be lost."""
    if statement.type == duckdb.StatementType.DETACH and _OURS.search(sql):
        raise Forbidden("The workspace's own databases, workspace and files, cannot be detached.")
    replaces = _REPLACES.search(sql) if statement.type == duckdb.StatementType.ATTACH else None
    if replaces is not None and _AS_OURS.search(sql, replaces.end()):
        raise Forbidden(
            "The workspace's own databases, workspace and files, cannot be replaced.",
            hint="Attach it under another name, with AS.",
        )


def _check_outputs(outputs: list[str], own: str) -> None:
    for output in outputs:
        path = os.path.realpath(os.path.expanduser(output))
        folder = os.path.realpath(own)
        if inside(path, (folder,)) and not inside(path, (f"{folder}/uploads",)):
            raise Forbidden(
                f"{path} is where Millpond keeps this workspace, so no query may write it.",
                hint="Allow another folder for writing, or export the result.",
            )


def _is_reachable(file: str, reachable: tuple[str, ...]) -> bool:
    """Tell whether a file, or the folder in which a pattern begins, is inside."""
    if file == ":memory:" or not file:
        return True
    path = os.path.abspath(os.path.expanduser(file))
    fixed = re.split(r"[*?\[]", path, maxsplit=1)[0]
    return inside(path if fixed == path else os.path.dirname(fixed), reachable)


def check_attached(cursor: duckdb.DuckDBPyConnection, before: set[str]) -> None:
    """Detach what was attached and cannot be opened: no name would be found until it is gone.

    DuckDB opens an SQLite file when it first looks for a name. Raises what it then raises.
    """
    try:
        cursor.execute("SELECT count(*) FROM system.main.duckdb_tables()").fetchall()
    except duckdb.Error:
        for name in attached(cursor) - before:
            with suppress(duckdb.Error):
                cursor.execute(f"DETACH {quoted(name)}")
        raise


def attached(cursor: duckdb.DuckDBPyConnection) -> set[str]:
    """Return the names of the databases that are attached."""
    rows = cursor.execute("SELECT database_name FROM system.main.duckdb_databases()").fetchall()
    return {str(row[0]) for row in rows}
