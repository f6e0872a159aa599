"""Reach the store's database: SQLite in the data folder, or the PostgreSQL of the store URL.

SQLite is opened for many processes at once: WAL, a busy timeout, and write transactions that
take their lock at BEGIN; a deferred one fails at once, whatever the timeout, when it turns from
reading to writing after somebody else wrote.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from core.errors import ConfigError, MillpondError
from core.redaction import know
from core.settings import Settings
from core.store.rows import clean

_BUSY_SECONDS = 10.0
READ_ONLY = "millpond_read_only"
"""Execution option of a transaction that will not write."""

_POSTGRESQL = ("postgresql", "postgresql+psycopg")


def reach(settings: Settings) -> Engine:
    """Make the engine for the store's URL; the SQLite file and its folder are made if missing.

    Raises ConfigError where the URL is wrong, its driver missing, or the folder out of reach.
    """
    url = _url(settings)
    sqlite = url.get_backend_name() == "sqlite"
    arguments: dict[str, Any] = {"connect_args": {"timeout": _BUSY_SECONDS}} if sqlite else {}
    if sqlite:
        _make_file(Path(url.database or ""))
    try:
        # Parameters may be anybody's SQL: they stay out of error texts and logs.
        engine = create_engine(url, hide_parameters=True, pool_pre_ping=not sqlite, **arguments)
    except ImportError as error:
        raise ConfigError(
            f"The store URL needs the Python package {error.name}, which is not installed.",
            hint="Install it beside Millpond, or leave MILLPOND_STORE_URL empty for SQLite.",
        ) from error
    if sqlite:
        event.listen(engine, "connect", _prepare)
        event.listen(engine, "begin", _begin)
    else:
        event.listen(engine, "before_cursor_execute", _clean_texts, retval=True)
    return engine


def file_of(engine: Engine) -> Path | None:
    """Return the store's file if it is SQLite."""
    return Path(engine.url.database or "") if engine.dialect.name == "sqlite" else None


def reading(engine: Engine) -> dict[str, Any]:
    """Return the execution options of a transaction that sees one moment, and does not write."""
    if engine.dialect.name == "sqlite":
        return {READ_ONLY: True}
    # Its default shows each statement a moment of its own. Set by psycopg in BEGIN: no round trip.
    return {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}


def switch_to_wal(engine: Engine) -> None:
    """Let readers and a writer work at once, if it is SQLite. The file keeps the switch."""
    if engine.dialect.name != "sqlite":
        return
    # The busy timeout does not cover this switch: of two processes that make the store at the
    # same time, one would be told "database is locked" at once.
    deadline = time.monotonic() + _BUSY_SECONDS
    with closing(engine.raw_connection()) as connection:
        while True:
            try:
                connection.cursor().execute("PRAGMA journal_mode = WAL")
                return
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                    raise
                time.sleep(0.01)


def refusal(engine: Engine, error: DBAPIError | PoolTimeout) -> MillpondError:
    """Say what a driver's error means for the person who runs the store."""
    where = file_of(engine) or engine.url.render_as_string(hide_password=True)
    reason = str(error.orig if isinstance(error, DBAPIError) else error).strip().split("\n")[0]
    match getattr(getattr(error, "orig", None), "sqlite_errorcode", -1) & 0xFF:
        case sqlite3.SQLITE_NOTADB | sqlite3.SQLITE_CORRUPT:
            return ConfigError(
                f"The store {where} cannot be read: {reason}.",
                hint="Put a copy of it back in its place, or move it away to begin an empty one.",
            )
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return MillpondError(
                f"The store {where} is busy: another process has kept it for too long.",
                hint="Try again; if it stays so, stop the other process that has it open.",
            )
        case sqlite3.SQLITE_FULL:
            return MillpondError(
                f"The disk of the store {where} is full.", hint="Make room on it and try again."
            )
        case sqlite3.SQLITE_CANTOPEN | sqlite3.SQLITE_READONLY:
            return ConfigError(
                f"The store {where} cannot be opened for writing: {reason}.",
                hint="Give the user that runs Millpond the right to write the file and its folder.",
            )
    return MillpondError(
        f"The store {where} did not answer: {reason}.",
        hint="See that it runs and that MILLPOND_STORE_URL names it rightly.",
    )


def _url(settings: Settings) -> URL:
    if not settings.store_url:
        return URL.create("sqlite", database=str(settings.home.absolute() / "store.sqlite"))
    choices = "Write postgresql://user:password@host/name, sqlite:////folder/file, or nothing."
    try:
        url = make_url(settings.store_url)
        backend = url.get_backend_name()
    except (ArgumentError, NoSuchModuleError, ValueError) as error:
        # The URL may hold a password: it is not repeated.
        raise ConfigError("MILLPOND_STORE_URL is not a database URL.", hint=choices) from error
    if url.drivername == "sqlite" and url.database not in (None, "", ":memory:"):
        return url.set(database=str(Path(str(url.database)).absolute()), query={})
    if url.drivername not in _POSTGRESQL:
        raise ConfigError(f"The store cannot be kept in {backend} as given.", hint=choices)
    know(str(url.password or ""))
    return url.set(drivername="postgresql+psycopg")


def _make_file(path: Path) -> None:
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # Made here, so that it is never readable by others; -wal and -shm take over its mode.
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    except OSError as error:
        raise ConfigError(
            f"The store {path} cannot be opened for writing: {error.strerror}.",
            hint="Choose another data folder with MILLPOND_HOME, or allow writing to this one.",
        ) from error


def _prepare(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None  # BEGIN is ours to send, see _begin
    # SQLite's own folds ASCII only: "É" would not find "é" in the history.
    connection.create_function("lower", 1, _lower, deterministic=True)
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA synchronous = NORMAL")


def _lower(value: Any) -> Any:
    return value.lower() if isinstance(value, str) else value


def _clean_texts(
    connection: Connection, cursor: Any, statement: str, parameters: Any, context: Any, many: bool
) -> tuple[str, Any]:
    """Clean all texts on their way to PostgreSQL, which refuses a whole statement for a NUL.

    An id out of an address may hold one: it is then nobody's id, and no fault of the program.
    """
    # Not by `many`: what inserts many rows by one statement says so of a single mapping.
    if isinstance(parameters, list):
        return statement, [_cleaned(each) for each in parameters]
    return statement, _cleaned(parameters)


def _cleaned(row: Any) -> Any:
    if isinstance(row, Mapping):
        return {name: _clean_text(value) for name, value in row.items()}
    return tuple(_clean_text(value) for value in row) if isinstance(row, tuple) else row


def _clean_text(value: Any) -> Any:
    return clean(value) if isinstance(value, str) and not value.isprintable() else value


def _begin(connection: Connection) -> None:
    deferred = connection.get_execution_options().get(READ_ONLY)
    connection.exec_driver_sql("BEGIN" if deferred else "BEGIN IMMEDIATE")
