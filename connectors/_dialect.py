"""How CSV files are written: what a person may set, what a look finds, how read_csv is told."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator

from core.connector import Options


class CsvReading(Options):
    """What a person may have to say about a CSV file. Empty: found out by looking."""

    delimiter: str = Field(
        "", max_length=4, title="Delimiter", description="Between values; empty: found by looking."
    )
    header: Literal["auto", "yes", "no"] = Field(
        "auto", title="Header", description="Whether the first row holds the names of the columns."
    )
    quote: str = Field(
        '"', max_length=1, title="Quote", description="Around values; empty: there is none."
    )
    escape: str = Field(
        "", max_length=1, title="Escape", description="Before a quote; empty: the quote doubled."
    )
    encoding: Literal["utf-8", "utf-16", "latin-1"] = Field(
        "utf-8", title="Encoding", description="UTF-8, UTF-16, or Latin-1 for older files."
    )
    skip: int = Field(
        0, ge=0, le=10**6, title="Rows to skip", description="Lines before the header or the data."
    )
    null_text: str = Field(
        "", max_length=100, title="No value", description="Text for no value, as NA; empty is one."
    )
    decimal_comma: bool = Field(
        False, title="Decimal comma", description="Numbers are written 1,5 and not 1.5."
    )
    all_text: bool = Field(
        False, title="All text", description="Read every column as text; nothing is converted."
    )
    bad_rows: Literal["refuse", "skip"] = Field(
        "refuse", title="Bad rows", description="Refuse the query and name the line, or skip them."
    )
    sample_rows: int = Field(
        20_480, ge=1, title="Rows to look at", description="How many rows decide on the types."
    )
    longest_line: int = Field(
        2_000_000,
        ge=1_000,
        le=256_000_000,
        title="Longest line",
        description="Bytes that one row may take; reading needs several times as much memory.",
    )

    @field_validator("delimiter", "quote", "escape", "null_text")
    @classmethod
    def _readable(cls, text: str) -> str:
        if "\0" in text or "\n" in text or "\r" in text:
            raise ValueError("it cannot hold a line break or a NUL character")
        return {"\\t": "\t", "tab": "\t"}.get(text, text)


class Found(Options):
    """What a look at one file found. Columns: name -> DuckDB type."""

    delimiter: str
    quote: str
    escape: str
    comment: str
    header: bool
    skip: int
    columns: dict[str, str]
    date_format: str = ""
    timestamp_format: str = ""
    first_line: str = ""


def arguments(options: CsvReading) -> dict[str, object]:
    """Return the arguments of read_csv that follow from what a person set."""
    given: dict[str, object] = {
        "quote": options.quote,
        "escape": options.escape or options.quote,
        "encoding": options.encoding,
        "nullstr": ["", options.null_text] if options.null_text else [""],
        "decimal_separator": "," if options.decimal_comma else ".",
        "ignore_errors": options.bad_rows == "skip",
        "max_line_size": options.longest_line,
        "hive_partitioning": False,
    }
    return given


def guesses(options: CsvReading) -> dict[str, object]:
    """Return the further arguments with which DuckDB shall find out the rest."""
    given: dict[str, object] = {
        "sample_size": options.sample_rows,
        "all_varchar": options.all_text,
    }
    if options.delimiter:
        given["delim"] = options.delimiter
    if options.header != "auto":
        given["header"] = options.header == "yes"
    if options.skip:
        given["skip"] = options.skip
    return given
