"""A DuckLake as a catalog: tables in Parquet files, listed by a database, read only.

Its list is a DuckDB or SQLite file or a PostgreSQL database, its files lie in a folder or in
S3-compatible storage. Both must be in reach by themselves: what the list says of other places is
the wall's to refuse.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

from connectors._catalogs import detach, with_companions
from connectors._lake import LakeOptions, attach_lake, explained, list_alive
from connectors._remote import drop_secret, secret_name
from connectors._s3 import keep_keys, reach_store
from core.connector import Checked, Connector, Grants, Report, literal, quoted

if TYPE_CHECKING:
    import duckdb


class Ducklake(Connector[LakeOptions]):
    name = "ducklake"
    label = "DuckLake"
    icon = "water"
    help = "Tables in Parquet files with a history, listed by a file or a PostgreSQL database."
    Options = LakeOptions
    group = "storage"
    extensions = ("ducklake", "postgres_scanner", "httpfs")
    remote = True

    def extensions_for(self, options: LakeOptions) -> tuple[str, ...]:
        postgres = ("postgres_scanner",) if options.server is not None else ()
        return ("ducklake", *postgres, *(("httpfs",) if options.store is not None else ()))

    def grants(self, options: LakeOptions) -> Grants:
        read: list[str] = []
        hosts: list[str] = []
        if options.server is None:
            read += with_companions(options.path, ".wal", "-wal", "-shm", "-journal")
        else:
            hosts.append(options.server.address)
        if options.store is None:
            read.append(options.data)
        else:
            hosts.append(options.store.host)
        return Grants(read=tuple(read), hosts=tuple(hosts))

    def place(self, options: LakeOptions) -> str:
        return options.place

    def test(self, con: duckdb.DuckDBPyConnection, options: LakeOptions) -> Checked:
        started = time.perf_counter()
        if options.store is not None:
            reach_store(options.store, options.connect_timeout)
        look = f"look_{uuid4().hex[:12]}"
        self.attach(con, options, look)
        try:
            seconds = time.perf_counter() - started
            with explained(options):
                row = con.execute(
                    "SELECT count(*), max(snapshot_id), max(snapshot_time)::VARCHAR "
                    f"FROM ducklake_snapshots({literal(look)})"
                ).fetchone()
                version = con.execute(
                    f"SELECT value FROM ducklake_options({literal(look)}) WHERE "
                    "option_name = 'version'"
                ).fetchone()
                tables = self._tables(con, look)
                _read_one(con, look, tables)
        finally:
            self.detach(con, look)
        count, last, when = row or (0, None, "")
        return Checked(
            seconds,
            f"DuckLake {version[0] if version else ''}".strip(),
            (
                ("Tables", f"{len(tables):,}"),
                ("Versions", f"{count:,}"),
                ("The last", f"{last}, of {str(when)[:19]}"),
            ),
        )

    def inspect(self, con: duckdb.DuckDBPyConnection, options: LakeOptions, alias: str) -> Report:
        look = f"look_{uuid4().hex[:12]}"
        self.attach(con, options, look)
        try:
            tables = self._tables(con, look)
        finally:
            self.detach(con, look)
        return Report(tuple(".".join((alias, *names)) for names in tables))

    def attach(
        self,
        con: duckdb.DuckDBPyConnection,
        options: LakeOptions,
        alias: str,
        *,
        cache: Path | None = None,
    ) -> None:
        list_alive(options)
        if options.store is not None:
            keep_keys(con, options.store, secret_name(alias))
        try:
            detach(con, alias)
            attach_lake(con, options, alias)
        except BaseException:
            drop_secret(con, secret_name(alias))
            raise

    def alive(self, con: duckdb.DuckDBPyConnection, options: LakeOptions, alias: str) -> None:
        list_alive(options)

    def detach(self, con: duckdb.DuckDBPyConnection, alias: str) -> None:
        detach(con, alias)
        drop_secret(con, secret_name(alias))

    def _tables(self, con: duckdb.DuckDBPyConnection, alias: str) -> list[tuple[str, str]]:
        rows = con.execute(
            "SELECT schema_name, table_name FROM duckdb_tables() WHERE database_name = $alias "
            "ORDER BY ALL",
            {"alias": alias},
        ).fetchall()
        return [(str(schema), str(table)) for schema, table in rows]


def _read_one(con: duckdb.DuckDBPyConnection, alias: str, tables: list[tuple[str, str]]) -> None:
    """Read a row of the first table: the list may be in reach, and its files not."""
    if tables:
        named = ".".join(quoted(part) for part in (alias, *tables[0]))
        con.execute(f"FROM {named} LIMIT 1").fetchall()
