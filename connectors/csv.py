"""CSV and TSV files, also gzipped: looked at once, then read as they were found."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pydantic import Field

from connectors._dialect import HIDDEN, CsvReading, Found
from connectors._errors import reading
from connectors._paths import PathOptions, read_head
from connectors._pinned import guarded, look, pinned, still_fits
from connectors._rejects import STORE, rejected
from connectors._sql import named
from connectors._views import FileOfOneTable
from core.connector import Report
from core.errors import ConnectError

if TYPE_CHECKING:
    import duckdb


class CsvOptions(PathOptions, CsvReading):
    """Where the file is, and what cannot be seen from it."""

    found: Found | None = Field(
        None,
        title="Found",
        description="What the last look at the file found.",
        json_schema_extra=HIDDEN,
    )


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
        return replace(
            report,
            tables=(named(con, alias),),
            options=options.model_copy(update={"found": found}).model_dump(mode="json"),
        )

    def relation(self, con: duckdb.DuckDBPyConnection, options: CsvOptions) -> str:
        _check_encoding(options)
        found = options.found
        if found is None or not still_fits(con, options.path, options, found):
            found = look(con, options.path, options)
        return guarded(options.path, options, found)


def _check_encoding(options: CsvOptions) -> None:
    head = read_head(options.path)
    if head[:2] in (b"\xff\xfe", b"\xfe\xff") and options.encoding != "utf-16":
        raise ConnectError(
            f"{options.path} is written in UTF-16.", hint="Choose UTF-16 as the encoding."
        )
