"""The store: opened once per process, migrated on the way, shared by every slice.

A slice takes a session from `begin` or `read`, uses it and returns values of its own; no row
leaves its records.py.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing, contextmanager

from sqlalchemy import Engine
from sqlalchemy.exc import DatabaseError, DataError, IntegrityError, InterfaceError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session, sessionmaker

from core.errors import ConfigError, MillpondError
from core.settings import Settings
from core.store.database import file_of, reach, reading, refusal, switch_to_wal
from core.store.upgrade import newest, stored_version, upgrade

_FLUSH_SECONDS = 20.0


class Store:
    """One database, and the transactions on it. Safe to share between threads."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._writing = sessionmaker(engine, expire_on_commit=False)
        self._reading = sessionmaker(engine.execution_options(**reading(engine)))

    @classmethod
    def open(cls, settings: Settings) -> Store:
        """Open the store that the settings name, made or migrated if need be.

        Raises ConfigError where it cannot be opened, is not a store, or is a newer version's.
        """
        engine = reach(settings)
        try:
            with _refusals(engine):
                upgrade(engine)  # first: another program's file is left as it is
                switch_to_wal(engine)
        except BaseException:
            engine.dispose()
            raise
        return cls(engine)

    @contextmanager
    def begin(self) -> Iterator[Session]:
        """Open one transaction for writing: committed at the end, rolled back on an exception.

        SQLite has one writer at a time, so do nothing slow inside, and never nest two.
        IntegrityError passes through, for the slice to say what it means.
        """
        with _refusals(self._engine), self._writing.begin() as session:
            yield session

    @contextmanager
    def read(self) -> Iterator[Session]:
        """Open one transaction for reading: a snapshot that waits for no writer."""
        with _refusals(self._engine), self._reading.begin() as session:
            yield session

    def flush(self) -> None:
        """Return when all that was committed is on the disk, where a power cut leaves it.

        A commit to SQLite alone is not: see `synchronous` in database.py. Raises MillpondError.
        """
        if self._engine.dialect.name != "sqlite":
            return
        deadline = time.monotonic() + _FLUSH_SECONDS
        with _refusals(self._engine), closing(self._engine.raw_connection()) as connection:
            cursor = connection.cursor()
            # Beside another checkpoint it is busy at once, whatever the timeout.
            while cursor.execute("PRAGMA wal_checkpoint(FULL)").fetchone()[0]:
                if time.monotonic() > deadline:
                    raise MillpondError(
                        "The store is busy: a transaction was open for too long.",
                        hint="Try again.",
                    )
                time.sleep(0.01)

    def healthy(self) -> None:
        """Return if the store answers; raise ConfigError or MillpondError if it does not."""
        path = file_of(self._engine)
        if path and not path.exists():
            # An open connection goes on in the deleted file, and all of it would be lost.
            raise ConfigError(
                f"The store {path} has been deleted while it was open.",
                hint="Put it back and start Millpond again.",
            )
        with _refusals(self._engine), self._engine.connect() as connection:
            if stored_version(connection) != newest():
                raise ConfigError(
                    "The store was changed by another version of Millpond while it was open.",
                    hint="Start Millpond again.",
                )

    def close(self) -> None:
        """Close all connections. Nothing to do the second time."""
        self._engine.dispose()


@contextmanager
def _refusals(engine: Engine) -> Iterator[None]:
    try:
        yield
    except (IntegrityError, DataError):
        raise
    except (DatabaseError, InterfaceError, PoolTimeout) as error:
        raise refusal(engine, error) from error
