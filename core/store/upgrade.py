"""Bring the store to the version of this program, once, however many processes start together.

The usual start reads one row and compares: Alembic takes 0.25 s to import and is imported only
when there is something to do. A migration is `migrations/versions/vNNNN_name.py`. What they all
make of an empty SQLite file is kept beside them, so that the first start need not take the steps:
`python -m core.store.upgrade` writes `newest.sql` anew, after a new one.
"""

from __future__ import annotations

import os
import re
import sqlite3
from contextlib import closing
from pathlib import Path

from sqlalchemy import Connection, Engine, create_engine, text

from core.errors import ConfigError
from core.store.database import READ_ONLY, file_of

MIGRATIONS = Path(__file__).with_name("migrations")
VERSION_TABLE = "millpond_version"
"""Not Alembic's own name: a PostgreSQL database may be shared with another program."""

NEWEST = "newest.sql"
_BETWEEN = "\n;\n"

_LOCK = 0x4D696C6C  # of pg_advisory_xact_lock: any number that others do not use


def newest() -> str:
    """Return the version this program wants: four digits, from the names of the migrations."""
    files = (MIGRATIONS / "versions").iterdir()
    return max(match[1] for file in files if (match := re.match(r"v(\d{4})_\w+\.py$", file.name)))


def stored_version(connection: Connection) -> str:
    """Return the version of the store, or "" if it is empty."""
    if not connection.dialect.has_table(connection, VERSION_TABLE):
        return ""
    found = connection.scalar(text(f"SELECT version_num FROM {VERSION_TABLE}"))
    return str(found or "")


def upgrade(engine: Engine) -> None:
    """Make or migrate the tables if they are not of this version; keep a copy of a SQLite file.

    All or nothing. Raises ConfigError where the store is newer than the program, or another
    program's.
    """
    with engine.connect().execution_options(**{READ_ONLY: True}) as connection:
        if not _outdated(connection):
            return
    # BEGIN IMMEDIATE on SQLite: a second process waits here, then finds nothing left to do.
    with engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
        if _outdated(connection):
            version = stored_version(connection)
            if not version and (steps := _kept(connection)):
                for statement in steps:
                    connection.exec_driver_sql(statement)
            else:
                _keep_copy(engine, version)
                _migrate(connection)


def _outdated(connection: Connection) -> bool:
    stored = stored_version(connection)
    if stored > newest():
        raise ConfigError(
            f"The store is of version {stored}; this Millpond knows versions up to {newest()}.",
            hint="Start the newer Millpond that made it, or put back the copy from before.",
        )
    if not stored and connection.dialect.name == "sqlite":
        _refuse_foreign(connection)
    return stored < newest()


def _kept(connection: Connection) -> list[str]:
    """Return the statements that make an empty store, where they are kept and of this version."""
    file = MIGRATIONS / NEWEST
    if connection.dialect.name != "sqlite" or not file.exists():
        return []
    written, *statements = file.read_text(encoding="utf-8").split(_BETWEEN)
    return statements if written == f"-- {newest()}" else []


def newest_sql() -> str:
    """Return the statements that make what all migrations make of an empty SQLite file."""
    engine = create_engine("sqlite://")
    with engine.begin() as connection:
        _migrate(connection)
        made = connection.scalars(text("SELECT sql FROM sqlite_master WHERE sql NOT NULL"))
        version = f"INSERT INTO {VERSION_TABLE} VALUES ('{newest()}')"
        return _BETWEEN.join([f"-- {newest()}", *made, version])


def _refuse_foreign(connection: Connection) -> None:
    if connection.scalar(text("SELECT count(*) FROM sqlite_master")):
        raise ConfigError(
            f"{file_of(connection.engine)} is another program's database, not a Millpond store.",
            hint="Move it away, or name another file in MILLPOND_STORE_URL.",
        )


def _keep_copy(engine: Engine, version: str) -> None:
    path = file_of(engine)
    if path is None or not version:
        return
    copy = path.with_name(f"{path.name}.v{version}")
    unfinished = path.with_name(f"{copy.name}.part")
    unfinished.unlink(missing_ok=True)
    os.close(os.open(unfinished, os.O_CREAT | os.O_RDWR, 0o600))
    # Connections of their own: this reads what is committed, beside the open transaction.
    with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(unfinished)) as target:
        source.backup(target)
    unfinished.replace(copy)


def _migrate(connection: Connection) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    config.attributes["version_table"] = VERSION_TABLE
    command.upgrade(config, "head")


if __name__ == "__main__":
    (MIGRATIONS / NEWEST).write_text(newest_sql(), encoding="utf-8")
