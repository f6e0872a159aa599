"""What PostgreSQL, libpq and DuckDB's scanner say when it cannot be, as one sentence each."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from core.errors import ConnectError, MillpondError, QueryError

if TYPE_CHECKING:
    from connectors._postgres import PostgresOptions

# What is said, and what a person can act on; the first that fits wins.
_REASONS = (
    (
        r"password authentication failed|no password supplied",
        "{user} was refused: the password is wrong, or there is no such user.",
        "Enter the password again; PostgreSQL does not tell the two apart.",
    ),
    (
        r'role "[^"]*" does not exist',
        "There is no user {user} on {place}.",
        "Check the spelling; names that were made without quotes are lower case.",
    ),
    (
        r'database "[^"]*" does not exist',
        "There is no database {database} on {place}.",
        "Check the spelling; names that were made without quotes are lower case.",
    ),
    (
        r"no pg_hba\.conf entry.*no encryption|SSL connection is required",
        "{place} takes encrypted connections only.",
        "Choose require under Encryption.",
    ),
    (
        r"no pg_hba\.conf entry|not permitted to log in|permission denied for database",
        "{place} does not let {user} in from here.",
        "Its administrator can: pg_hba.conf, LOGIN and CONNECT are what decides.",
    ),
    (
        r"server does not support SSL",
        "{place} offers no encryption.",
        "Choose prefer or disable under Encryption, if you trust the network.",
    ),
    (
        r"certificate verify failed|root certificate file|does not match host name",
        "{place} cannot prove that it is {host}: this machine does not trust its certificate.",
        "Add its authority to this machine's certificates, or choose require.",
    ),
    (
        r"too many (?:clients|connections)|remaining connection slots",
        "{place} has no connection free.",
        "Try again later, or raise its max_connections.",
    ),
    (
        r"starting up|shutting down|in recovery mode|terminating connection",
        "{place} is starting or stopping now.",
        "Try again in a moment.",
    ),
    (
        r"could not translate host name|Name or service not known",
        "There is no host named {host}.",
        "Check the spelling; inside a company it may need the VPN.",
    ),
    (
        r"Connection refused",
        "{place} refuses connections.",
        "Is the server running, and does it listen on this port and address?",
    ),
    (
        r"timeout expired|timed out",
        "{place} does not answer: nothing came within {seconds} s.",
        "A firewall may be in between, or what listens there is no PostgreSQL.",
    ),
    (
        r"closed the connection unexpectedly|invalid response|Connection reset|broken pipe",
        "{place} broke the connection off.",
        "It may be restarting, or what listens there is no PostgreSQL.",
    ),
)

_PREFIX = re.compile(r"^(?:[A-Z]\w+ )*Error: |^Unable to connect to Postgres at \"[^\"]*\": ?")


@contextmanager
def explained(options: PostgresOptions) -> Iterator[None]:
    """Turn what goes wrong while connecting into ConnectError."""
    import duckdb
    import psycopg

    try:
        yield
    except (duckdb.InterruptException, MillpondError):
        raise
    except (duckdb.Error, psycopg.Error) as error:
        raise _connect_error(str(error), options) from error


def _connect_error(text: str, options: PostgresOptions) -> ConnectError:
    known = {
        "user": options.user,
        "database": options.database,
        "host": options.host,
        "place": options.address,
        "seconds": options.connect_timeout,
    }
    for said, sentence, hint in _REASONS:
        if re.search(said, text, re.IGNORECASE | re.DOTALL):
            return ConnectError(sentence.format(**known), hint=hint)
    first = next((line for line in text.splitlines() if line.strip()), "it cannot be reached")
    reason = _PREFIX.sub("", _PREFIX.sub("", first)).rstrip(". ")
    return ConnectError(f"{options.address}: {reason}.")


_REFUSED = re.compile(r"Failed to \w+ query .*?: ERROR: +([^\n]*)(.*)", re.DOTALL)
_EXCERPT = re.compile(r"\nLINE (\d+): ([^\n]*)\n( *)\^")


@contextmanager
def asking(sql: str) -> Iterator[None]:
    """Turn what the server says of a statement into QueryError, with its place where it has one."""
    import duckdb
    import psycopg

    try:
        yield
    except psycopg.Error as error:
        told = error.diag
        message = told.message_primary or str(error).splitlines()[0]
        hint = " ".join(part for part in (told.message_detail, told.message_hint) if part)
        line, column = _place(sql, int(told.statement_position or 0))
        raise QueryError(f"{message}.", hint=hint, sql=sql, line=line, column=column) from error
    except duckdb.Error as error:
        said = _REFUSED.search(str(error))
        if said is None:
            raise
        line = column = 0
        if excerpt := _EXCERPT.search(said[2]):
            line, column = int(excerpt[1]), len(excerpt[3]) - len(f"LINE {excerpt[1]}: ") + 1
        rest = _EXCERPT.sub("", said[2].partition("\n\n\n")[0])  # beyond that is our own call
        hint = " ".join(each.strip() for each in rest.splitlines() if each.strip())
        raise QueryError(f"{said[1]}.", hint=hint, sql=sql, line=line, column=column) from error


def _place(sql: str, position: int) -> tuple[int, int]:
    """Return line and column of a character, all counted from 1; zeros for none."""
    if not position:
        return 0, 0
    before = sql[: position - 1]
    return before.count("\n") + 1, len(before) - before.rfind("\n")
