"""CSV and TSV files, also gzipped: looked at once, then read as they were found."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from connectors._dialect import CsvReading
from connectors._errors import reading
from connectors._paths import PathOptions, read_head
from connectors._pinned import guarded, look, pinned, remembered
from connectors._rejects import STORE, rejected
from connectors._sql import named
from connectors._views import FileOfOneTable
from core.connector import Report
from core.errors import ConnectError

if TYPE_CHECKING:
    import duckdb


class CsvOptions(PathOptions, CsvReading):
    """Where the file is, and what cannot be seen from it."""


class Csv(FileOfOneTable[CsvOptions]):
    name = "csv"
    label = "CSV"
    icon = "csv"
    help = "A text file of rows: comma, semicolon or tab separated, also gzipped (.gz)."
    Options = CsvOptions
    suffixes = (".csv", ".tsv", ".tab", ".csv.gz", ".tsv.gz", ".tab.gz")

    def inspect(self, con: duckdb.DuckDBPyConnection, options: CsvOptions, alias: str) -> Report:
        _check_encoding(options)
        with reading(options.path):
            found = look(con, options.path, options)
            report = rejected(con, pinned(options.path, options, found, **STORE))
        return replace(report, tables=(named(con, alias),))

    def relation(
        self, con: duckdb.DuckDBPyConnection, options: CsvOptions, cache: Path | None
    ) -> str:
        _check_encoding(options)
        return guarded(options.path, options, remembered(con, options.path, options, cache))


def _check_encoding(options: CsvOptions) -> None:
    head = read_head(options.path)
    if head[:2] in (b"\xff\xfe", b"\xfe\xff") and options.encoding != "utf-16":
        raise ConnectError(
            f"{options.path} is written in UTF-16.", hint="Choose UTF-16 as the encoding."
        )
