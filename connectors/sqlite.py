"""A SQLite file as a catalog, opened for reading only.

A file that is no database, or holds a view that cannot be prepared, makes DuckDB fail to list the
tables of every other source as well; so both are looked for before it is attached.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING

from connectors._catalogs import attach_file, detach, with_companions
from connectors._paths import PathOptions, read_head
from connectors._sql import named
from connectors._sqlite import opened, structures
from core.connector import Connector, Grants, Report, quoted
from core.errors import ConnectError
from core.structure import Structure

if TYPE_CHECKING:
    import duckdb

_MAGIC = b"SQLite format 3\0"


class SqliteOptions(PathOptions):
    """Where the SQLite file is."""


class Sqlite(Connector[SqliteOptions]):
    name = "sqlite"
    label = "SQLite"
    icon = "database"
    help = "A SQLite database file, read in place; nothing is written to it."
    Options = SqliteOptions
    suffixes = (".sqlite", ".sqlite3", ".db", ".db3")

    def grants(self, options: SqliteOptions) -> Grants:
        return Grants(read=with_companions(options.path, "-wal", "-shm", "-journal"))

    def inspect(self, con: duckdb.DuckDBPyConnection, options: SqliteOptions, alias: str) -> Report:
        tables, untyped = _look(options.path)
        notes = [f"Columns without a type are read as bytes: {', '.join(untyped)}."]
        return Report(
            tables=tuple(named(con, alias, table) for table in tables),
            notes=tuple(notes) if untyped else (),
        )

    def attach(
        self,
        con: duckdb.DuckDBPyConnection,
        options: SqliteOptions,
        alias: str,
        *,
        cache: Path | None = None,
    ) -> None:
        _look(options.path)
        attach_file(con, options.path, alias, "sqlite")

    def structures(
        self, options: SqliteOptions, schema: str | None, name: str | None
    ) -> list[Structure] | None:
        return structures(options.path, name) if schema in (None, "main") else []

    def detach(self, con: duckdb.DuckDBPyConnection, alias: str) -> None:
        detach(con, alias)


def _look(path: str) -> tuple[list[str], list[str]]:
    """Return tables and views, and columns without a type as `table.column`; prepare each once."""
    head = read_head(path)
    if not head.startswith(_MAGIC):
        kind = "a DuckDB database" if head[8:12] == b"DUCK" else ""
        raise ConnectError(
            f"{path} is not an SQLite database.", hint=f"It is {kind}." if kind else ""
        )
    with opened(path) as db:
        names = "SELECT name FROM sqlite_master WHERE type IN ('table', 'view')"
        own = [row[0] for row in db.execute(names) if not row[0].startswith("sqlite_")]
        for name in own:
            _prepare(db, path, name)
        columns = [
            f"{name}.{column[1]}"
            for name in own
            for column in db.execute(f"PRAGMA table_info({quoted(name)})")
            if not column[2]
        ]
        views = {row[0] for row in db.execute("SELECT name FROM sqlite_master WHERE type='view'")}
    return own, [column for column in columns if column.split(".", 1)[0] not in views]


def _prepare(db: sqlite3.Connection, path: str, name: str) -> None:
    try:
        db.execute(f"SELECT * FROM {quoted(name)} LIMIT 0")
    except sqlite3.OperationalError as error:
        raise ConnectError(
            f"{path}: {name} in it cannot be read: {error}.", hint="Repair or drop it there first."
        ) from error
