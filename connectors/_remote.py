"""What lies across a network and DuckDB reads by itself: its keys, and its errors."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from connectors._errors import translated
from core.connector import literal

if TYPE_CHECKING:
    import duckdb


def secret_name(alias: str) -> str:
    """Name the secret of a source: it stays there while the source is attached."""
    return f"millpond_{hashlib.sha256(alias.lower().encode()).hexdigest()[:24]}"


def keep_secret(
    con: duckdb.DuckDBPyConnection,
    name: str,
    kind: str,
    values: Mapping[str, Any],
    scope: list[str],
) -> None:
    """Tell DuckDB a key, and for which addresses alone. What SQL can see of it is redacted.

    Only values that DuckDB redacts may be secret: a token, a password; never a header.
    """
    given = {key: value for key, value in values.items() if value not in ("", None)}
    told = "".join(f", {key} ${key}" for key in given)
    con.execute(
        f"CREATE OR REPLACE TEMPORARY SECRET {name} (TYPE {kind}{told}, SCOPE {literal(scope)})",
        given,
    )


def drop_secret(con: duckdb.DuckDBPyConnection, name: str) -> None:
    """Let DuckDB forget a key, or nothing."""
    con.execute(f"DROP SECRET IF EXISTS {name}")


@contextmanager
def reading_from(place: str) -> Iterator[None]:
    """Turn what DuckDB says about a file's content into ConnectError.

    What it says about the way there passes through: the worker says which host is meant.
    """
    import duckdb

    try:
        yield
    except (duckdb.InterruptException, duckdb.OutOfMemoryException):
        raise
    except duckdb.IOException as error:
        if "No files found" not in str(error):
            raise
        raise translated(error, place) from error
    except duckdb.Error as error:
        raise translated(error, place) from error
