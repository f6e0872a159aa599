"""Our own sessions with a MySQL or MariaDB server: how one is opened, ruled, found and stopped.

The server's word decides what it is, and not the kind of the connection: a session is told its
limits in the words of whoever answers.
"""

from __future__ import annotations

import logging
import os
import re
import socket
import ssl
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field, field_validator

from connectors._certificates import certificates
from connectors._my_errors import explained
from connectors._servers import ServerOptions
from core.errors import ConnectError

if TYPE_CHECKING:
    import pymysql

log = logging.getLogger(__name__)

_OLDEST = {"MySQL": (5, 7, 8), "MariaDB": (10, 2, 2)}


class MysqlOptions(ServerOptions):
    """A server that speaks MySQL's protocol, a database on it, and who asks."""

    port: int = Field(3306, title="Port", description="The TCP port.", ge=1, le=65535)
    database: str = Field(
        "", title="Database", description="The one that is meant where none is named; may be empty."
    )
    user: str = Field(
        "root", title="User", description="One who may only SELECT is enough, and safest."
    )
    tls: Literal["preferred", "required", "verify_identity", "disabled"] = Field(
        "preferred",
        title="Encryption",
        description="verify_identity also makes sure that the server is the one it says it is.",
    )
    tls_authority: str = Field(
        "",
        title="Certificate authority",
        description="PEM text of who signed the server's certificate; empty: who is known here.",
        max_length=100_000,
    )

    @field_validator("tls_authority")
    @classmethod
    def _whole_certificates(cls, value: str) -> str:
        return certificates(value)


@dataclass(frozen=True)
class Server:
    """Who answers: MySQL or MariaDB, and its version as it tells it and as numbers."""

    product: str
    version: str
    numbers: tuple[int, ...]

    @classmethod
    def of(cls, session: pymysql.Connection[Any]) -> Server:
        """Read it out of the server's greeting. Raises ConnectError for one too old."""
        # MariaDB puts 5.5.5- before its own, because old replicas believed only one digit.
        text = str(session.get_server_info()).removeprefix("5.5.5-")
        product = "MariaDB" if "mariadb" in text.lower() else "MySQL"
        numbers = tuple(int(each) for each in re.findall(r"\d+", text)[:3])
        version = f"{product} {'.'.join(str(each) for each in numbers)}"
        if numbers < _OLDEST[product]:
            oldest = ".".join(str(each) for each in _OLDEST[product][:2])
            raise ConnectError(
                f"The server is {version}; {oldest} is the oldest that can be used.",
                hint="Upgrade it, or connect to a copy.",
            )
        return cls(product, version, numbers)


class _OnlyEncrypted:
    """Gives the password in the clear, as LDAP and PAM need it, where nobody can overhear it."""

    def __init__(self, session: Any) -> None:
        self._session = session

    def authenticate(self, _: Any) -> Any:
        import pymysql

        if not self._session._secure:
            raise pymysql.OperationalError(0, "the password would be sent in the clear")
        self._session.write_packet(self._session.password + b"\0")
        return self._session._read_packet()


_open: set[int] = set()
"""The local ports of the sessions that `connected` has open now."""


@contextmanager
def connected(options: MysqlOptions, *, plain: bool = True) -> Iterator[pymysql.Connection[Any]]:
    """Open a session of our own, with its rules. Raises ConnectError.

    Each statement is by itself. Values arrive as Python's; with `plain` off as the bytes that the
    server sends.
    """
    import pymysql
    from pymysql.converters import conversions, encoders

    with explained(options):
        session = pymysql.connect(
            host=_host(options),
            port=options.port,
            user=options.user,
            # The driver would take the letters of a text for Latin-1.
            password=options.password.get_secret_value().encode(),
            database=options.database or None,
            charset="utf8mb4",
            use_unicode=plain,
            conv=conversions if plain else encoders,
            autocommit=True,
            program_name="millpond",
            connect_timeout=options.connect_timeout,
            read_timeout=options.connect_timeout,
            write_timeout=options.connect_timeout,
            auth_plugin_map={"mysql_clear_password": _OnlyEncrypted, "dialog": _OnlyEncrypted},
            **_tls(options),
        )
        for rule in _rules(options, Server.of(session)):
            session.query(rule)
        session._read_timeout = None  # from here on the server's own limit counts
    port = session._sock.getsockname()[1]
    _open.add(port)
    try:
        yield session
    finally:
        _open.discard(port)
        with suppress(pymysql.MySQLError):
            session.close()


def _host(options: MysqlOptions) -> str:
    # The name `localhost` would mean to some drivers a socket, and so perhaps another server.
    return "127.0.0.1" if options.host.lower() == "localhost" else options.host


def _tls(options: MysqlOptions) -> dict[str, Any]:
    if options.tls == "disabled":
        return {"ssl_disabled": True}
    if options.tls == "preferred":
        return {}
    if options.tls == "required":
        return {"ssl": {"check_hostname": False}}
    trusting = ssl.create_default_context(cadata=options.tls_authority or None)
    # What a server makes for itself at its first start lacks a field that strict ones ask for.
    trusting.verify_flags &= ~getattr(ssl, "VERIFY_X509_STRICT", 0)
    return {"ssl": trusting}


def _rules(options: MysqlOptions, server: Server) -> Iterator[str]:
    """Return what a session is told first: moments in UTC, reading only, and how long at most."""
    yield "SET SESSION time_zone = '+00:00'"
    if options.statement_timeout and server.product == "MariaDB":
        yield f"SET SESSION max_statement_time = {options.statement_timeout}"
    elif options.statement_timeout:
        yield f"SET SESSION max_execution_time = {options.statement_timeout * 1000}"
    if not options.allow_writing:
        yield "SET SESSION TRANSACTION READ ONLY"


def kill(options: MysqlOptions, thread: int) -> None:
    """Stop the statement of one session of our own."""
    with connected(options) as session:
        session.query(f"KILL QUERY {thread:d}")


def kill_scans(options: MysqlOptions, seconds: float) -> None:
    """Stop what DuckDB's sessions of this process run at a server, begun in the last so many s.

    They bear no name. A session is ours if it comes from a port that a socket of this process is
    bound to; where something in between changes ports, none can be told to be ours, and none is
    stopped.
    """
    with connected(options) as session, session.cursor() as cursor:
        own = session._sock.getsockname()[1]
        ports = _ports(session._sock.getpeername()) - _open
        cursor.execute("SHOW PROCESSLIST")
        under_way = [tuple(row[:6]) for row in cursor.fetchall()]
        (seen,) = (host for thread, _, host, *_ in under_way if thread == session.thread_id())
        machine, _, port = seen.rpartition(":")
        if port != str(own):
            log.warning("statements at %s cannot be told from others'", options.address)
            return
        ours = {f"{machine}:{each}" for each in ports}
        for thread, user, host, database, command, age in under_way:
            same = (user, database or "") == (options.user, options.database)
            if same and host in ours and command in ("Query", "Execute") and age <= seconds:
                cursor.execute(f"KILL QUERY {thread:d}")


def _ports(server: tuple[Any, ...]) -> set[int]:
    """Return the local ports of this process's connections to an address."""
    import resource  # no system without it has numbered sockets

    found = set()
    most = min(resource.getrlimit(resource.RLIMIT_NOFILE)[0], 65_536)
    for number in range(most):
        with suppress(OSError):
            if stat.S_ISSOCK(os.fstat(number).st_mode):
                with socket.socket(fileno=os.dup(number)) as twin:
                    if twin.getpeername()[:2] == server[:2]:
                        found.add(twin.getsockname()[1])
    return found
