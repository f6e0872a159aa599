"""The worker's DuckDB instance: opened, set up once, locked; cursors are lent to sessions.

Settings that are per cursor (progress, search path) cannot be changed after the lock, so the pool
of cursors is made and configured before it.
"""

from __future__ import annotations

import shutil
import threading
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb

from core.connector import literal
from core.engine.extensions import ALWAYS, SETTINGS, extension_file
from core.engine.worker.activity import Activity
from core.engine.worker.forget import SEARCH_PATH, SYSTEM_PATH, forget
from core.errors import LimitExceeded, WorkerLost

# lock_configuration comes last; external access stays on: Landlock and seccomp are the wall, and a
# connection must be attachable later.
_CONNECT: dict[str, str | bool | int | float | list[str]] = {
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    "allow_community_extensions": False,
    "allow_unredacted_secrets": False,
    # Until the lock: to check a signature takes 0.1 s, and these came with the packages.
    "allow_unsigned_extensions": True,
    # SET would change the main connection only, and SQL could read the worker's variables.
    "python_enable_replacements": False,
    # More start threads, and a wall can only be entered by a process that has one.
    "threads": 1,
}

FILE = "workspace.duckdb"
"""The name of the workspace's own database, in its folder."""


@dataclass
class Lease:
    """A session's cursor; `lock` makes its statements wait for each other, `users` counts them."""

    cursor: duckdb.DuckDBPyConnection
    lock: threading.Lock = field(default_factory=threading.Lock)
    users: int = 0
    released: bool = False
    touched: bool = False
    """Whether a statement may have left something temporary in it."""


def prepare() -> duckdb.DuckDBPyConnection:
    """Open an instance without a file, and load the extensions into it.

    What a spare can do before it knows its workspace.
    """
    main = duckdb.connect(config=_CONNECT)
    _load(main, ALWAYS)
    return main


class Database:
    """One DuckDB instance, made by `prepare`, and who uses which cursor of it."""

    def __init__(self, main: duckdb.DuckDBPyConnection, spec: dict[str, Any]) -> None:
        folder = self.folder = Path(spec["folder"])
        self.spools = folder / "spools"
        self.cache = folder / "cache"
        self.readable = tuple(spec["wall"]["read"]) + tuple(spec["wall"]["write"])
        self.listed = tuple(spec["wall"]["listed"])
        self.hosts = tuple(spec["hosts"])
        self.main = main
        main.execute(f"ATTACH {literal(str(folder / FILE))} AS workspace (TYPE duckdb)")
        # Opened, it is ours alone: what lies there is of processes that are gone.
        for each in ("temp", "exports", "spools") if spec["tidy"] else ("temp",):
            _empty(folder / each)
        _load(main, spec["extensions"])
        for statement in _settings(spec, folder):
            main.execute(statement)
        self._free = [self._cursor() for _ in range(spec["sessions"])]
        self._system = [self._cursor(SYSTEM_PATH) for _ in range(4)]
        main.execute("SET lock_configuration = true")
        self._leases: OrderedDict[str, Lease] = OrderedDict()
        self.main_lock = threading.Lock()
        self._lock = threading.Lock()
        self._system_free = threading.Semaphore(len(self._system))

    def _cursor(self, search_path: str = SEARCH_PATH) -> duckdb.DuckDBPyConnection:
        cursor = self.main.cursor()
        cursor.execute("SET enable_progress_bar = true")
        cursor.execute("SET enable_progress_bar_print = false")
        cursor.execute(search_path)
        return cursor

    @contextmanager
    def session(self, name: str, activity: Activity) -> Iterator[duckdb.DuckDBPyConnection]:
        """Use a session's cursor as soon as its other calls are done with it."""
        lease = self._lease(name)
        try:
            with activity.holding(lease.lock), activity.on(lease.cursor) as cursor:
                yield cursor
        finally:
            with self._lock:
                lease.users -= 1
                if lease.released and not lease.users:
                    self._give_back(lease)

    def _lease(self, session: str) -> Lease:
        """Find the session's cursor, or lend it one."""
        with self._lock:
            if session in self._leases:
                self._leases.move_to_end(session)
            else:
                if not self._free:
                    self._reclaim()
                self._leases[session] = Lease(self._free.pop())
            self._leases[session].users += 1
            return self._leases[session]

    def _reclaim(self) -> None:
        """Take the cursor of the session that has been quiet for longest."""
        for session, lease in self._leases.items():
            if not lease.users:
                self._give_back(self._leases.pop(session))
                return
        raise LimitExceeded(
            f"All {len(self._leases)} sessions of this workspace are running queries.",
            hint="Wait for one to end, or raise MILLPOND_SESSIONS.",
            setting="MILLPOND_SESSIONS",
        )

    def release(self, session: str) -> None:
        """End a session, when its calls have ended: what was temporary in it is gone."""
        with self._lock:
            lease = self._leases.pop(session, None)
            if lease is not None:
                lease.released = True
                if not lease.users:
                    self._give_back(lease)

    def _give_back(self, lease: Lease) -> None:
        cursor = lease.cursor
        if not lease.touched:  # looking for what was left takes 12 ms
            self._free.append(cursor)
            return
        with suppress(duckdb.Error):
            cursor.rollback()
        try:
            forget(cursor)
        except duckdb.Error:  # a cursor without progress is better than one with another's tables
            cursor.close()
            cursor = self.main.cursor()
            cursor.execute(SEARCH_PATH)
        self._free.append(cursor)

    def touch(self, session: str) -> None:
        """Remember that a session runs more than reads: its cursor must be cleaned at its end."""
        with self._lock:
            if session in self._leases:
                self._leases[session].touched = True

    def check_usable(self) -> None:
        """Raise WorkerLost if nothing runs any more: SQL can bring an instance to that."""
        try:
            with self.main.cursor() as cursor:
                cursor.execute("SELECT 1").fetchall()
        except duckdb.Error as error:
            raise WorkerLost(
                "A query left the engine unusable, so it is started again.",
                hint="Run the query again; leave out what changes the engine itself.",
            ) from error

    @contextmanager
    def beside(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """Open a cursor for what may take long and concerns no session: a server, for one."""
        with self.main_lock:
            cursor = self.main.cursor()
        with cursor:
            cursor.execute(SYSTEM_PATH)
            yield cursor

    @contextmanager
    def system(self, activity: Activity) -> Iterator[duckdb.DuckDBPyConnection]:
        """Lend one of the few cursors kept for our own work."""
        with activity.holding(self._system_free):
            cursor = self._system.pop()
            try:
                yield cursor
            finally:
                self._system.append(cursor)


def _load(main: duckdb.DuckDBPyConnection, extensions: Iterable[str]) -> None:
    """Load those that are installed; a source says what it misses when it is attached."""
    for file in filter(None, map(extension_file, extensions)):
        main.execute(f"LOAD {literal(file)}")


def _empty(folder: Path) -> None:
    for left in folder.iterdir():
        with suppress(OSError):
            shutil.rmtree(left) if left.is_dir() and not left.is_symlink() else left.unlink()


def _settings(spec: dict[str, Any], folder: Path) -> list[str]:
    nowhere = literal("/dev/null/nowhere")  # a folder that can never be made
    return [
        "USE workspace",
        "DETACH memory",  # what the instance was opened with: tables in it would be lost
        "ATTACH ':memory:' AS files",
        "SET GLOBAL allow_unsigned_extensions = false",
        "SET GLOBAL arrow_lossless_conversion = true",
        # Theirs is set when the extension comes, which is after the lock; see gate.py as well.
        f"SET allowed_configs = {literal(name for each in SETTINGS.values() for name in each)}",
        f"SET memory_limit = '{spec['memory_limit']} bytes'",
        f"SET threads = {spec['threads']}",
        f"SET home_directory = {literal(str(folder))}",
        f"SET secret_directory = {nowhere}",
        f"SET extension_directory = {nowhere}",
        f"SET temp_directory = {literal(str(folder / 'temp'))}",
        # Given to connect() it is reported but not enforced; SET is.
        f"SET max_temp_directory_size = '{spec['temp_limit']} bytes'",
    ]
