"""What gRPC and Spark say when something cannot be, as one sentence each."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from connectors._spark_options import SparkOptions
from core.errors import ConnectError, QueryCancelled, QueryError

if TYPE_CHECKING:
    import grpc

# What gRPC calls a failure on the way, and what a person can act on.
_WAYS = {
    "UNAVAILABLE": (
        "{place} broke the connection off.",
        "It may be restarting, or another kind of server listens there.",
    ),
    "DEADLINE_EXCEEDED": (
        "{place} does not answer: nothing came within {seconds} s.",
        "It may be overloaded, or another kind of server listens there.",
    ),
    "UNAUTHENTICATED": ("{user} was refused: the token is wrong, or missing.", "Enter it again."),
    "PERMISSION_DENIED": (
        "{place} does not let {user} in, or not do this.",
        "Whoever keeps it can allow it.",
    ),
    "UNIMPLEMENTED": (
        "{place} does not speak Spark Connect.",
        "Spark Connect's own port is 15002, if nobody chose another.",
    ),
}

_POSITION = re.compile(r"line (\d+),? pos(?:ition)? (\d+)", re.IGNORECASE)
_TAIL = re.compile(
    r"\s*;? ?\(?line \d+,? pos(?:ition)? \d+.*|\n\s*(?:== SQL|JVM stack).*| SQLSTATE: \w+.*",
    re.IGNORECASE | re.DOTALL,
)
_CLASS = re.compile(r"^(?:\([\w.$]+\) )?\[[A-Z0-9_.]+\] ?(?=\S)")


@contextmanager
def explained(options: SparkOptions) -> Iterator[None]:
    """Turn what goes wrong while a session is opened into ConnectError."""
    from grpc import FutureTimeoutError, RpcError

    try:
        yield
    except FutureTimeoutError as error:
        if options.tls == "require":
            raise ConnectError(
                f"No encrypted connection to {options.address} came about.",
                hint="It offers none, or this machine does not trust its certificate.",
            ) from error
        raise ConnectError(
            f"{options.address} does not answer as Spark Connect does: nothing came within "
            f"{options.connect_timeout} s.",
            hint="Is it Spark Connect's port, and does it want encryption?",
        ) from error
    except RpcError as error:
        if (said := _on_the_way(error, options)) is not None:
            raise said from error
        sentence = _sentence(error)
        name = options.database.rpartition(".")[2]
        if name and name in sentence:
            raise ConnectError(
                f"There is no database {options.database} on {options.address}.",
                hint="Check the spelling; a database of another catalog is catalog.database.",
            ) from error
        raise ConnectError(f"{options.address}: {sentence}.") from error


@contextmanager
def asking(sql: str, options: SparkOptions) -> Iterator[None]:
    """Turn what Spark says of a statement into QueryError, with its place where it has one.

    What goes wrong on the way there is a ConnectError, what was stopped QueryCancelled.
    """
    from grpc import RpcError

    try:
        yield
    except RpcError as error:
        if error.code().name == "CANCELLED":
            raise QueryCancelled("The query was cancelled.") from error
        if (said := _on_the_way(error, options)) is not None:
            raise said from error
        line, column = _place(error.details() or "")
        raise QueryError(f"{_sentence(error)}.", sql=sql, line=line, column=column) from error


def _on_the_way(error: grpc.RpcError, options: SparkOptions) -> ConnectError | None:
    if (found := _WAYS.get(error.code().name)) is None:
        return None
    known = {"place": options.address, "user": options.user, "seconds": options.connect_timeout}
    return ConnectError(found[0].format(**known), hint=found[1])


def _place(said: str) -> tuple[int, int]:
    """Return line and column, from 1, where Spark tells them; zeros where not."""
    match = _POSITION.search(said)
    return (int(match[1]), int(match[2]) + 1) if match else (0, 0)


def _sentence(error: grpc.RpcError) -> str:
    """Leave out the class in brackets, the place, the statement and the server's stack."""
    said = (error.details() or str(error.code())).strip()
    return _CLASS.sub("", _TAIL.sub("", said)).strip().partition("\n")[0].rstrip(". ")
