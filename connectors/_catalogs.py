"""Database files as catalogs: attached for reading only, in place of what had their alias."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from connectors._errors import reading
from core.connector import literal, quoted

if TYPE_CHECKING:
    import duckdb


def attach_file(con: duckdb.DuckDBPyConnection, path: str, alias: str, kind: str) -> None:
    """Attach a file of DuckDB's type `kind`. Raises ConnectError."""
    with reading(path):
        con.execute(
            f"ATTACH OR REPLACE {literal(path)} AS {quoted(alias)} (TYPE {kind}, READ_ONLY)"
        )


def detach(con: duckdb.DuckDBPyConnection, alias: str) -> None:
    """Detach a catalog, or nothing."""
    con.execute(f"DETACH DATABASE IF EXISTS {quoted(alias)}")


def with_companions(path: str, *endings: str) -> tuple[str, ...]:
    """Return a database's path and those of its companion files that are there."""
    return (path, *(path + end for end in endings if os.path.exists(path + end)))
