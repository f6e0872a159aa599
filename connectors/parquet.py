"""Parquet files. DuckDB reads only the footer here, and later only the columns that are asked."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from connectors._paths import PathOptions, pattern
from connectors._sql import call
from connectors._views import FileOfOneTable

if TYPE_CHECKING:
    import duckdb


class ParquetOptions(PathOptions):
    """Where the Parquet file is; everything else stands in the file."""


class Parquet(FileOfOneTable[ParquetOptions]):
    name = "parquet"
    label = "Parquet"
    icon = "view_column"
    help = "A Parquet file as one table. Fast at any size: only the columns asked for are read."
    Options = ParquetOptions
    suffixes = (".parquet", ".pq", ".parq")

    def relation(
        self, con: duckdb.DuckDBPyConnection, options: ParquetOptions, cache: Path | None
    ) -> str:
        # Without hive_partitioning=false a folder named `year=2024` adds a column.
        return call("read_parquet", pattern(options.path), {"hive_partitioning": False})
