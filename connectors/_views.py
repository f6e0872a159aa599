"""Files as views: one table as `files.main.<alias>`, several as a catalog `<alias>` of their own.

A view reads the file anew for every query, so what is on the disk is what is seen; nothing is
loaded and nothing is kept. Kinds of one file say only which SQL reads it.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from connectors._errors import reading
from connectors._paths import PathOptions, read_head
from connectors._sql import named
from core.connector import Connector, Grants, Report, quoted

if TYPE_CHECKING:
    import duckdb

P = TypeVar("P", bound=PathOptions)


class FileOfOneTable(Connector[P]):
    """A file that is one table. A kind of it declares the facts and `relation`."""

    def relation(self, con: duckdb.DuckDBPyConnection, options: P, cache: Path | None) -> str:
        """Return the SELECT that reads the file; may look into it, and keep what it found."""
        raise NotImplementedError

    def grants(self, options: P) -> Grants:
        return Grants(read=(options.path,))

    def inspect(self, con: duckdb.DuckDBPyConnection, options: P, alias: str) -> Report:
        read_head(options.path)
        with reading(options.path):
            con.execute(f"DESCRIBE {self.relation(con, options, None)}").fetchall()
        return Report(tables=(named(con, alias),))

    def attach(
        self,
        con: duckdb.DuckDBPyConnection,
        options: P,
        alias: str,
        *,
        cache: Path | None = None,
    ) -> None:
        read_head(options.path)
        with reading(options.path):
            show(con, alias, self.relation(con, options, cache))

    def detach(self, con: duckdb.DuckDBPyConnection, alias: str) -> None:
        hide(con, alias)


def show(con: duckdb.DuckDBPyConnection, alias: str, select: str) -> None:
    """Make the view `files.main.<alias>`, in place of whatever had that alias."""
    con.execute(f"DESCRIBE {select}").fetchall()  # fails before anything is dropped
    hide(con, alias)
    con.execute(f"CREATE VIEW files.main.{quoted(alias)} AS {select}")


def show_several(con: duckdb.DuckDBPyConnection, alias: str, selects: Mapping[str, str]) -> None:
    """Make the catalog `<alias>` with a view for each name, in place of what was there.

    A schema of `files` would not do: `<alias>.<name>` does not find it.
    """
    hide(con, alias)
    con.execute(f"ATTACH ':memory:' AS {quoted(alias)}")
    for name, select in selects.items():
        con.execute(f"CREATE VIEW {quoted(alias)}.main.{quoted(name)} AS {select}")


def hide(con: duckdb.DuckDBPyConnection, alias: str) -> None:
    """Drop what stands under an alias: view or table in `files`, a catalog, or nothing."""
    import duckdb

    con.execute(f"DETACH DATABASE IF EXISTS {quoted(alias)}")
    # Tried rather than looked up: listing tables asks every attached database.
    try:
        con.execute(f"DROP VIEW IF EXISTS files.main.{quoted(alias)}")
    except duckdb.CatalogException:
        con.execute(f"DROP TABLE files.main.{quoted(alias)}")
