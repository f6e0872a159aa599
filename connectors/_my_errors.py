"""What MySQL, MariaDB and their drivers say when it cannot be, as one sentence each."""

from __future__ import annotations

import re
import ssl
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from core.errors import ConnectError, MillpondError, QueryError

if TYPE_CHECKING:
    from connectors._my_session import MysqlOptions

# Codes of the server's and the client's, a word of the text, and what a person can act on; the
# first that fits wins. https://dev.mysql.com/doc/mysql-errors/8.4/en/server-error-reference.html
_REASONS: tuple[tuple[set[int], str, str, str], ...] = (
    (
        {1698},
        "",
        "{place} lets {user} in without a password only, and from its own machine.",
        "Make a user with a password, who may only SELECT.",
    ),
    (
        {1045},
        "",
        "{user} was refused: the password is wrong, or there is no such user for this machine.",
        "Enter the password again; the server does not tell these apart, nor a user who must "
        "come encrypted.",
    ),
    (
        {1049},
        "",
        "There is no database {database} on {place}.",
        "Check the spelling; on most servers upper and lower case differ.",
    ),
    (
        {1044},
        "",
        "{user} may not use the database {database} on {place}.",
        "Its administrator can: GRANT SELECT ON {database}.* is enough.",
    ),
    (
        {1130},
        "",
        "{place} takes no connections from this machine.",
        "Its administrator can: a user is made for the machines that may use it.",
    ),
    (
        {1129},
        "",
        "{place} has blocked this machine, after too many connections that failed.",
        "Its administrator can: FLUSH HOSTS.",
    ),
    (
        {1040, 1203, 1226},
        "",
        "{place} has no connection free.",
        "Try again later, or raise its max_connections or the user's own limit.",
    ),
    (
        {1820, 1862},
        "",
        "The password of {user} has expired on {place}.",
        "Set another with ALTER USER, and enter it here.",
    ),
    ({3118, 4151}, "", "{user} is locked on {place}.", "Its administrator can: ALTER USER."),
    (
        {3159},
        "",
        "{place} takes encrypted connections only.",
        "Choose required under Encryption.",
    ),
    (
        {1053, 1077, 1079},
        "",
        "{place} is starting or stopping now.",
        "Try again in a moment.",
    ),
    (
        {1251, 2059, 2061},
        "",
        "{place} asks for a way of signing in that is not known here.",
        "Make a user with caching_sha2_password, or mysql_native_password on MariaDB.",
    ),
    (
        set(),
        "sent in the clear",
        "{place} asks for the password in the clear, and the connection is not encrypted.",
        "Choose required under Encryption.",
    ),
    (
        set(),
        "does ?n[o']t support (?:it|SSL|secure)",
        "{place} offers no encryption.",
        "Choose preferred or disabled under Encryption, if you trust the network.",
    ),
    (
        set(),
        "CERTIFICATE_VERIFY_FAILED|verif(?:y|ication) fail|NOT trusted",
        "{place} cannot prove that it is {host}: this machine does not trust its certificate.",
        "Enter the certificate of its authority, or choose required.",
    ),
    (
        set(),
        "name resolution|Name or service not known|nodename nor|Unknown MySQL server host",
        "There is no host named {host}.",
        "Check the spelling; inside a company it may need the VPN.",
    ),
    (
        set(),
        "refused",
        "{place} refuses connections.",
        "Is the server running, and does it listen on this port and address?",
    ),
    (
        set(),
        "timed out",
        "{place} does not answer: nothing came within {seconds} s.",
        "A firewall may be in between, or what listens there is no MySQL.",
    ),
    (
        {2006, 2013, 2055},
        "reset by peer|Broken pipe|gone away|Lost connection",
        "{place} broke the connection off.",
        "It may be restarting, or what listens there is no MySQL.",
    ),
)

_GARBLED = (AssertionError, IndexError, KeyError, RuntimeError, TypeError, ValueError, struct.error)
"""What the driver stumbles over when it is not answered in MySQL's protocol."""

_SCANNER = re.compile(r"with parameters \"[^\"]*\": (?P<said>.*?)(?:\. (?:First a|A)ttempted |$)")


@contextmanager
def explained(options: MysqlOptions) -> Iterator[None]:
    """Turn what goes wrong while connecting into ConnectError."""
    import duckdb
    import pymysql

    try:
        yield
    except (duckdb.InterruptException, MillpondError):
        raise
    except pymysql.MySQLError as error:
        raise _connect_error(*_told(error), options) from error
    except (duckdb.Error, ssl.SSLError) as error:
        said = _SCANNER.search(str(error))
        raise _connect_error(0, said["said"] if said else str(error), options) from error
    except _GARBLED as error:
        raise ConnectError(
            f"What listens on {options.address} does not speak as MySQL does.",
            hint="Check the port: 3306 is the usual one.",
        ) from error


def _told(error: BaseException) -> tuple[int, str]:
    """Return the code and the text of an error of the driver's."""
    if len(error.args) == 2 and isinstance(error.args[0], int):
        return error.args[0], str(error.args[1])
    return 0, str(error.args[0]) if error.args else type(error).__name__


def _connect_error(code: int, text: str, options: MysqlOptions) -> ConnectError:
    known = {
        "user": options.user,
        "database": options.database,
        "host": options.host,
        "place": options.address,
        "seconds": options.connect_timeout,
    }
    for codes, said, sentence, hint in _REASONS:
        if code in codes or (said and re.search(said, text, re.IGNORECASE)):
            return ConnectError(sentence.format(**known), hint=hint.format(**known))
    if "acket sequence" in text:
        text = "what listens there does not speak as MySQL does"
    first = next((line for line in text.splitlines() if line.strip()), "it cannot be reached")
    return ConnectError(f"{options.address}: {first.rstrip('. ')}.")


_LINE = re.compile(r" near '(?P<near>.*)' at line (?P<line>\d+)$", re.DOTALL)
_TOO_LONG = {1969, 3024}


@contextmanager
def asking(sql: str) -> Iterator[None]:
    """Turn what the server says of a statement into QueryError, with its place where it has one."""
    import pymysql

    try:
        yield
    except pymysql.MySQLError as error:
        code, text = _told(error)
        line = column = 0
        if place := _LINE.search(text):
            line, column = _place(sql, int(place["line"]), place["near"])
        hint = "Its connection says how long one may take." if code in _TOO_LONG else ""
        message = text.rstrip(". ")
        raise QueryError(f"{message}.", hint=hint, sql=sql, line=line, column=column) from error


def _place(sql: str, line: int, near: str) -> tuple[int, int]:
    """Return line and column, from 1: the server tells the line, and how the rest begins."""
    lines = sql.split("\n")
    if not 0 < line <= len(lines):
        return 0, 0
    # It is told where the rest begins, and at the end of the text that there is none.
    found = lines[line - 1].find(near.partition("\n")[0]) if near else len(lines[line - 1])
    return line, max(found, 0) + 1
