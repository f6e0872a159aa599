"""A DuckDB file as a catalog, opened for reading only."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from connectors._catalogs import attach_file, detach, with_companions
from connectors._paths import PathOptions, read_head
from connectors._sql import named
from core.connector import Connector, Grants, Report
from core.errors import ConnectError

if TYPE_CHECKING:
    import duckdb

_LOOK = "millpond_look"


class DuckdbOptions(PathOptions):
    """Where the DuckDB file is."""


class Duckdb(Connector[DuckdbOptions]):
    name = "duckdb"
    label = "DuckDB"
    icon = "database"
    help = "A DuckDB database file, read in place; nothing is written to it."
    Options = DuckdbOptions
    suffixes = (".duckdb", ".ddb")

    def grants(self, options: DuckdbOptions) -> Grants:
        return Grants(read=with_companions(options.path, ".wal"))

    def inspect(self, con: duckdb.DuckDBPyConnection, options: DuckdbOptions, alias: str) -> Report:
        self.attach(con, options, _LOOK)
        try:
            rows = con.execute(
                "SELECT table_schema, table_name FROM information_schema.tables "
                "WHERE table_catalog = ? ORDER BY ALL",
                [_LOOK],
            ).fetchall()
        finally:
            self.detach(con, _LOOK)
        names = [(alias, table) if schema == "main" else (alias, schema, table)
                 for schema, table in rows]  # fmt: skip
        return Report(tables=tuple(named(con, *name) for name in names))

    def attach(
        self,
        con: duckdb.DuckDBPyConnection,
        options: DuckdbOptions,
        alias: str,
        *,
        cache: Path | None = None,
    ) -> None:
        head = read_head(options.path)
        if head[8:12] != b"DUCK":
            kind = "an SQLite database" if head.startswith(b"SQLite format 3") else ""
            raise ConnectError(
                f"{options.path} is not a DuckDB database.", hint=f"It is {kind}." if kind else ""
            )
        attach_file(con, options.path, alias, "duckdb")

    def detach(self, con: duckdb.DuckDBPyConnection, alias: str) -> None:
        detach(con, alias)
