"""SQLAlchemy's URLs as a connection's options hold them: without a secret, and with one place.

The wall lets through what the URL names before its `?`; so what would name another place after it,
or a secret anywhere, is refused.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from connectors._paths import absolute

if TYPE_CHECKING:
    from sqlalchemy import URL

FILES = ("sqlite",)
"""Databases that are a file."""

_PORTS = {
    "clickhouse": 8123,
    "clickhousedb": 8123,
    "cockroachdb": 26257,
    "mariadb": 3306,
    "mssql": 1433,
    "mysql": 3306,
    "oracle": 1521,
    "postgresql": 5432,
    "redshift": 5439,
    "trino": 8080,
}
_DIALECTS = {
    "clickhousedb": "clickhouse",
    "cockroachdb": "postgres",
    "mariadb": "mysql",
    "mssql": "tsql",
    "postgresql": "postgres",
}
_KNOWN = {"athena", "bigquery", "clickhouse", "databricks", "drill", "exasol", "hive", "mysql"}
_KNOWN |= {"oracle", "presto", "redshift", "snowflake", "sqlite", "starrocks", "teradata", "trino"}
SECRET = re.compile(r"pass(word|wd|phrase)?$|pwd|token|secret|credential|api_?key", re.IGNORECASE)
_PLACES = ("host", "hostaddr", "port", "server", "service", "unix_socket", "odbc_connect", "dsn")


def parsed(text: str) -> URL:
    """Read a URL that may be kept. Raises ValueError that quotes nothing of it."""
    from sqlalchemy import make_url
    from sqlalchemy.exc import ArgumentError

    if any(ord(sign) < 32 for sign in text):
        raise ValueError("it holds a control character")
    try:
        url = make_url(text.strip())
    except (ArgumentError, ValueError):
        # From None: the reason quotes the text.
        raise ValueError(
            "it is no URL of SQLAlchemy's, dialect+driver://user@host:port/database"
        ) from None
    if url.password is not None:
        raise ValueError("leave the password out of it: Password is its place, and is sealed")
    for name in url.query:
        if SECRET.search(name):
            raise ValueError(f"leave {name} out of it: Password is the place for what is secret")
        if name.lower() in _PLACES:
            raise ValueError(f"name host, port and database before the ?, and leave {name} out")
    backend = url.get_backend_name()
    if backend in FILES:
        if url.host or not url.database or url.query:
            raise ValueError(f"a file is named in full and alone, as {backend}:////data/shop.db")
        return url.set(database=absolute(url.database))
    if not url.host:
        raise ValueError("it names no host; write it as dialect+driver://user@host:port/database")
    if url.port is None and backend not in _PORTS:
        raise ValueError(f"it names no port, and that of {backend} is not known here")
    return url


def port(url: URL) -> int:
    """Return the port that the URL names, or its dialect's own."""
    return url.port or _PORTS[url.get_backend_name()]


def address(url: URL) -> str:
    """Return host and port as `name:port`."""
    host = url.host or ""
    return f"[{host}]:{port(url)}" if ":" in host else f"{host}:{port(url)}"


def dialect(url: URL) -> str:
    """Return what sqlglot calls the SQL of the database, "" where it knows it not."""
    backend = url.get_backend_name()
    return _DIALECTS.get(backend, backend if backend in _KNOWN else "")
