"""The worker's DuckDB instance: opened, set up once, locked; cursors are lent to sessions.

Settings that are per cursor (progress, search path) cannot be changed after the lock, so the pool
of cursors is made and configured before it.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb

from core.connector import literal, quoted
from core.errors import LimitExceeded

# lock_configuration comes last; external access stays on: Landlock and seccomp are the wall, and a
# connection must be attachable later.
_CONNECT: dict[str, str | bool | int | float | list[str]] = {
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    "allow_community_extensions": False,
    "allow_unredacted_secrets": False,
}


@dataclass
class Lease:
    """A session's cursor; `lock` makes its statements wait for each other."""

    cursor: duckdb.DuckDBPyConnection
    lock: threading.Lock = field(default_factory=threading.Lock)


class Database:
    """One DuckDB instance, and who uses which cursor of it."""

    def __init__(self, spec: dict[str, Any]) -> None:
        folder = Path(spec["folder"])
        self.spools = folder / "spools"
        self.cache = folder / "cache"
        self.readable = tuple(spec["wall"]["read"]) + tuple(spec["wall"]["write"])
        self.main = duckdb.connect(str(folder / "workspace.duckdb"), config=_CONNECT)
        for statement in _settings(spec, folder):
            self.main.execute(statement)
        self._free = [self._cursor() for _ in range(spec["sessions"])]
        self._system = [self._cursor() for _ in range(4)]
        self.main.execute("SET lock_configuration = true")
        self._leases: OrderedDict[str, Lease] = OrderedDict()
        self.main_lock = threading.Lock()
        self._lock = threading.Lock()
        self._system_free = threading.Semaphore(len(self._system))

    def _cursor(self) -> duckdb.DuckDBPyConnection:
        cursor = self.main.cursor()
        cursor.execute("SET enable_progress_bar = true")
        cursor.execute("SET enable_progress_bar_print = false")
        cursor.execute("SET search_path = 'workspace.main,files.main'")
        return cursor

    def lease(self, session: str) -> Lease:
        """Return the session's cursor, lending one on its first use."""
        with self._lock:
            if session in self._leases:
                self._leases.move_to_end(session)
                return self._leases[session]
            if not self._free:
                self._reclaim()
            lease = self._leases[session] = Lease(self._free.pop())
            return lease

    def _reclaim(self) -> None:
        """Take the cursor of the session that has been quiet for longest."""
        for session, lease in self._leases.items():
            if not lease.lock.locked():
                self._give_back(session)
                return
        raise LimitExceeded(
            f"All {len(self._leases)} sessions of this workspace are running queries.",
            hint="Wait for one to end, or raise MILLPOND_SESSIONS.",
            setting="MILLPOND_SESSIONS",
        )

    def release(self, session: str) -> None:
        """End a session: what was temporary in it is gone."""
        with self._lock:
            if session in self._leases:
                self._give_back(session)

    def _give_back(self, session: str) -> None:
        cursor = self._leases.pop(session).cursor
        with suppress(duckdb.Error):
            cursor.rollback()
        try:
            _forget_temporary(cursor)
        except duckdb.Error:  # a cursor without progress is better than one with another's tables
            cursor.close()
            cursor = self.main.cursor()
        self._free.append(cursor)

    def system(self) -> _SystemCursor:
        """Lend one of the few cursors kept for our own work: `with database.system() as cursor`."""
        return _SystemCursor(self._system, self._system_free)


class _SystemCursor:
    def __init__(self, pool: list[duckdb.DuckDBPyConnection], free: threading.Semaphore) -> None:
        self._pool, self._free = pool, free

    def __enter__(self) -> duckdb.DuckDBPyConnection:
        self._free.acquire()
        self._cursor = self._pool.pop()
        return self._cursor

    def __exit__(self, *_: object) -> None:
        self._pool.append(self._cursor)
        self._free.release()


def _settings(spec: dict[str, Any], folder: Path) -> list[str]:
    nowhere = literal(str(folder / "nowhere"))
    return [
        *(f"LOAD {literal(path)}" for path in spec["extensions"]),
        "ATTACH ':memory:' AS files",
        "SET python_enable_replacements = false",
        "SET GLOBAL arrow_lossless_conversion = true",
        f"SET memory_limit = '{spec['memory_limit']} bytes'",
        f"SET threads = {spec['threads']}",
        f"SET home_directory = {literal(str(folder))}",
        f"SET secret_directory = {nowhere}",
        f"SET extension_directory = {nowhere}",
        f"SET temp_directory = {literal(str(folder / 'temp'))}",
        # Given to connect() it is reported but not enforced; SET is.
        f"SET max_temp_directory_size = '{spec['temp_limit']} bytes'",
    ]


def _forget_temporary(cursor: duckdb.DuckDBPyConnection) -> None:
    rows = cursor.execute(
        "SELECT 'VIEW', view_name FROM duckdb_views() WHERE temporary AND NOT internal UNION ALL "
        "SELECT 'TABLE', table_name FROM duckdb_tables() WHERE temporary"
    ).fetchall()
    for kind, name in rows:
        cursor.execute(f"DROP {kind} IF EXISTS temp.main.{quoted(name)} CASCADE")
    cursor.execute("SET search_path = 'workspace.main,files.main'")
