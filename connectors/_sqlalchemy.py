"""Sessions through SQLAlchemy: opened for one question, ended after it, stopped while it runs.

What a driver says is put into one sentence here. Where the database knows sessions that only read,
it is one; everywhere, what was changed is rolled back unless writing is allowed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import quote

from connectors._paths import read_head
from connectors._servers import Placed
from connectors._urls import FILES
from core.errors import ConnectError, MillpondError, QueryError
from core.secret import Secret

if TYPE_CHECKING:
    from sqlalchemy import URL, Connection, Engine

_READ_ONLY = {
    "mariadb": "SET SESSION TRANSACTION READ ONLY",
    "mysql": "SET SESSION TRANSACTION READ ONLY",
    "oracle": "SET TRANSACTION READ ONLY",
    "postgresql": "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY",
}
# What a driver calls the longest wait to connect, in s.
_TIMEOUTS = {
    "mysqldb": "connect_timeout",
    "oracledb": "tcp_connect_timeout",
    "pg8000": "timeout",
    "psycopg": "connect_timeout",
    "psycopg2": "connect_timeout",
    "pymssql": "login_timeout",
    "pymysql": "connect_timeout",
    "pyodbc": "timeout",
}
# The method of a driver's connection that stops its statement from another thread.
_STOPS = {
    "oracledb": "cancel",
    "psycopg": "cancel_safe",
    "psycopg2": "cancel",
    "pysqlite": "interrupt",
}
# Packages are not called as what the URL names: the driver, or a dialect of its own.
_PACKAGES = {
    "MySQLdb": "mysqlclient",
    "bigquery": "sqlalchemy-bigquery",
    "clickhouse": "clickhouse-sqlalchemy",
    "clickhousedb": "clickhouse-connect",
    "cockroachdb": "sqlalchemy-cockroachdb",
    "cx_Oracle": "cx_Oracle",
    "databricks": "databricks-sqlalchemy",
    "db2": "ibm-db-sa",
    "hana": "sqlalchemy-hana",
    "psycopg2": "psycopg2-binary",
    "pymysql": "PyMySQL",
    "redshift": "sqlalchemy-redshift",
    "snowflake": "snowflake-sqlalchemy",
    "teradatasql": "teradatasqlalchemy",
    "trino": "trino",
}

_REASONS = (
    (
        r"password|authenticat|access denied|login (?:failed|denied)|invalid username",
        "{user} was refused: the password is wrong, or there is no such user.",
        "Enter the password again.",
    ),
    (
        r"database .*does not exist|unknown database|cannot open database|unknown catalog",
        "There is no database {database} on {place}.",
        "Check the spelling in the URL.",
    ),
    (
        r"time[d ]?-?out|timeout",
        "{place} does not answer: nothing came within {seconds} s.",
        "A firewall may be in between, or another kind of server listens there.",
    ),
    (
        r"certificate|ssl|tls",
        "No encrypted connection to {place} came about.",
        "See which of the driver's options in the URL the server wants.",
    ),
    (
        r"closed the connection|connection reset|broken pipe|lost connection|unexpected packet",
        "{place} broke the connection off.",
        "It may be restarting, or another kind of server listens there.",
    ),
)


class Opening(Placed, Protocol):
    """What opening a session needs to know; `place` is as people may see it."""

    @property
    def parsed(self) -> URL: ...
    @property
    def place(self) -> str: ...
    @property
    def password(self) -> Secret: ...
    @property
    def allow_writing(self) -> bool: ...


@contextmanager
def connected(options: Opening, *, texts: bool = False) -> Iterator[Connection]:
    """Open a session. Raises ConnectError, Forbidden for a file that may not be read.

    With `texts` what a driver would change on the way stays as the database wrote it; SQLAlchemy's
    own questions want it changed.
    """
    engine = _engine(options)
    if texts and engine.dialect.driver == "psycopg":
        from sqlalchemy import event

        event.listen(engine, "connect", _as_texts)
    try:
        with _explained(options):
            server = engine.connect()
        with server:
            with _explained(options):
                _tune(server, options)
            yield server
            if options.allow_writing:
                with asking(""):
                    server.commit()
    finally:
        engine.dispose()


@contextmanager
def asking(sql: str) -> Iterator[None]:
    """Turn what the database says of a statement into QueryError."""
    from sqlalchemy.exc import SQLAlchemyError

    try:
        yield
    except MillpondError:
        raise
    except SQLAlchemyError as error:
        raise QueryError(f"{_said(error)}.", sql=sql) from error


def reads_only(server: Connection, options: Opening) -> str:
    """Say how far reading only goes: by the database's own rule, or by ours."""
    if options.allow_writing:
        return "writing too"
    known = server.dialect.name in (*_READ_ONLY, *FILES)
    return "reading only" if known else "reading; changes are rolled back"


def stopper(server: Connection, options: Opening) -> Callable[[], None]:
    """Return what stops a session's statement, from another thread.

    The driver's own way, KILL QUERY in MySQL and its relatives; else the connection is closed,
    and it is the server's to notice.
    """
    driver = server.connection.driver_connection
    if server.dialect.name in ("mysql", "mariadb"):
        number = int(server.exec_driver_sql("SELECT CONNECTION_ID()").scalar_one())
        return lambda: _kill(options, number)
    method = _STOPS.get(server.dialect.driver, "close")

    def stop() -> None:
        with suppress(Exception):  # it may have ended meanwhile
            getattr(driver, method)()

    return stop


def _kill(options: Opening, number: int) -> None:
    with suppress(MillpondError), connected(options) as server, asking(""):
        server.exec_driver_sql(f"KILL QUERY {number}")


def _engine(options: Opening) -> Engine:
    from sqlalchemy import create_engine
    from sqlalchemy.exc import NoSuchModuleError
    from sqlalchemy.pool import NullPool

    url = options.parsed
    given: dict[str, Any] = {}
    if url.get_backend_name() in FILES:
        read_head(url.database or "")  # which says why, where SQLite does not
        # DuckDB reads the rows in a thread of its own.
        given = {"check_same_thread": False}
        # This is how SQLite is told to open a file for reading only.
        named = f"file:{quote(url.database or '')}"
        url = url.set(database=named, query={"mode": "ro", "uri": "true"})
    elif password := options.password.get_secret_value():
        url = url.set(password=password)
    try:
        if url.get_dialect().is_async:
            raise ConnectError(
                f"{url.drivername} is an asynchronous driver, which is not used here.",
                hint="Name another driver in the URL, as postgresql+psycopg.",
            )
        if wait := _TIMEOUTS.get(url.get_driver_name()):
            given[wait] = options.connect_timeout
        return create_engine(url, poolclass=NullPool, connect_args=given)
    except NoSuchModuleError as error:
        raise _missing(url.get_backend_name()) from error
    except ModuleNotFoundError as error:
        raise _missing(error.name or url.get_driver_name()) from error


def _as_texts(driver: Any, _record: Any) -> None:
    """Leave alone what psycopg would change: the months of intervals, the texts of JSON."""
    from psycopg.types.string import TextLoader

    for name in ("interval", "json", "jsonb"):
        driver.adapters.register_loader(name, TextLoader)


def _tune(server: Connection, options: Opening) -> None:
    if not options.allow_writing and (rule := _READ_ONLY.get(server.dialect.name)):
        server.exec_driver_sql(rule)
        if server.dialect.name != "oracle":  # whose rule is the transaction's
            server.commit()


def _missing(name: str) -> ConnectError:
    package = _PACKAGES.get(name, name)
    return ConnectError(
        f"What speaks to {name} is not installed here.",
        hint=f"Install the package {package} where Millpond runs: `uv pip install {package}`.",
    )


@contextmanager
def _explained(options: Opening) -> Iterator[None]:
    from sqlalchemy.exc import SQLAlchemyError

    try:
        yield
    except SQLAlchemyError as error:
        raise _connect_error(_said(error), options) from error
    except (OSError, TypeError, ValueError) as error:  # drivers check what they are given
        raise _connect_error(str(error), options) from error


def _connect_error(said: str, options: Opening) -> ConnectError:
    known = {
        "user": options.parsed.username or "Nobody",
        "database": options.parsed.database,
        "place": options.place,
        "seconds": options.connect_timeout,
    }
    for pattern, sentence, hint in _REASONS:
        if re.search(pattern, said, re.IGNORECASE):
            return ConnectError(sentence.format(**known), hint=hint)
    return ConnectError(f"{options.place}: {said}.")


def _said(error: Exception) -> str:
    """Return the driver's first sentence: SQLAlchemy adds the SQL and a link to it."""
    original = getattr(error, "orig", None) or error
    parts: Sequence[object] = getattr(original, "args", ())
    # MySQL's drivers give a number before the text.
    text = str(parts[1]) if len(parts) > 1 and isinstance(parts[0], int) else str(original)
    first = next((line.strip() for line in text.splitlines() if line.strip()), "")
    return first.rstrip(". ") or type(original).__name__
