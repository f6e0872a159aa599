"""JSON and NDJSON files: an array of objects, or one object a line.

DuckDB stops at the first bad line and counts lines differently by how a file is split; when it
stops, the file is read here line by line to say which lines are bad, and how many.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Literal, cast

from pydantic import Field

from connectors._errors import reading, shortened
from connectors._paths import PathOptions, pattern, read_head
from connectors._rejects import LISTED
from connectors._sql import call, named
from connectors._views import FileOfOneTable
from core.connector import Reject, Report, quoted
from core.errors import ConnectError

if TYPE_CHECKING:
    import duckdb

_WHOLE = 64 * 2**20
"""Bytes of an array that are read into memory to find where it breaks off."""


class JsonOptions(PathOptions):
    """Where the file is, and how it is written."""

    layout: Literal["auto", "array", "lines"] = Field(
        "auto", title="Layout", description="One array of objects, or one object a line (NDJSON)."
    )
    bad_rows: Literal["refuse", "skip"] = Field(
        "refuse",
        title="Bad rows",
        description="Refuse the query and name the line, or skip lines that are not JSON and "
        "leave values empty that do not fit; only for one object a line.",
    )
    sample_rows: int = Field(
        20_480, ge=1, title="Rows to look at", description="How many rows decide on the types."
    )
    longest_value: int = Field(
        16_777_216,
        ge=16_777_216,  # DuckDB's buffers take as much in any case
        le=1_000_000_000,
        title="Longest value",
        description="Bytes that one object may take.",
    )


class Json(FileOfOneTable[JsonOptions]):
    name = "json"
    label = "JSON"
    icon = "data_object"
    help = "A JSON array of objects, or one object a line (NDJSON), also gzipped (.gz)."
    Options = JsonOptions
    suffixes = (
        ".json", ".ndjson", ".jsonl", ".json.gz", ".ndjson.gz", ".jsonl.gz",
    )  # fmt: skip

    def inspect(self, con: duckdb.DuckDBPyConnection, options: JsonOptions, alias: str) -> Report:
        read_head(options.path)
        tables = (named(con, alias),)
        strict = options.model_copy(update={"bad_rows": "refuse"})
        try:
            with reading(options.path):
                con.execute(f"SELECT count(COLUMNS(*)) FROM ({_select(strict)})").fetchall()
        except ConnectError:
            count, bad = _bad_lines(options)
            if not count:
                raise
            return Report(tables=tables, rejected=count, rejects=bad)
        return Report(tables=tables)

    def relation(
        self, con: duckdb.DuckDBPyConnection, options: JsonOptions, cache: Path | None
    ) -> str:
        select = _select(options)
        if options.bad_rows == "refuse":
            return select
        # DuckDB gives a row of NULLs for a line that is not JSON.
        columns = [row[0] for row in con.execute(f"DESCRIBE {select}").fetchall()]
        anything = " OR ".join(f"{quoted(column)} IS NOT NULL" for column in columns)
        return f"{select} WHERE {anything}"


def _select(options: JsonOptions) -> str:
    lines = options.layout == "lines" or options.bad_rows == "skip"
    layout = "newline_delimited" if lines else options.layout
    given: dict[str, object] = {
        "format": layout,
        "ignore_errors": options.bad_rows == "skip",
        "sample_size": options.sample_rows,
        "maximum_object_size": options.longest_value,
        "hive_partitioning": False,
    }
    return call("read_json", pattern(options.path), given)


def _bad_lines(options: JsonOptions) -> tuple[int, tuple[Reject, ...]]:
    """Return the number of lines that are not JSON, and the first of them; 0 if it is no NDJSON."""
    opener = gzip.open if options.path.endswith(".gz") else Path.open
    good, count, bad = 0, 0, []
    try:
        with cast(BinaryIO, opener(Path(options.path), "rb")) as file:
            if options.layout == "array" or _is_whole(file, options):
                _raise_where_it_breaks(file, options.path)
                return 0, ()
            file.seek(0)
            for number, line in enumerate(_lines(file, options.longest_value), start=1):
                if len(line) > options.longest_value:
                    raise ConnectError(
                        f"{options.path}, line {number}: one value is larger than the longest "
                        f"value allowed, {options.longest_value} bytes.",
                        hint="Raise the longest value.",
                    )
                reason = _reason(line)
                good += not reason
                if reason:
                    count += 1
                    if count <= LISTED:
                        text = shortened(line.decode("utf-8", "replace").rstrip("\r\n"))
                        bad.append(Reject(options.path, number, "", reason, text))
            if not good:
                _raise_where_it_breaks(file, options.path)
                return 0, ()
    except (OSError, EOFError) as error:
        raise ConnectError(f"{options.path} cannot be read to its end: {error}.") from error
    return count, tuple(bad)


def _lines(file: BinaryIO, longest: int) -> Iterator[bytes]:
    """Give line by line; of a longer one only so much that it is seen to be longer."""
    while line := file.readline(longest + 1):
        yield line


def _is_whole(file: BinaryIO, options: JsonOptions) -> bool:
    """Tell whether this is one value over several lines: its first line is no object by itself."""
    if options.layout == "lines":
        return False
    first = next((line for line in _lines(file, options.longest_value) if line.strip()), b"")
    return first.lstrip(b"\xef\xbb\xbf \t").startswith(b"[") or first.strip() == b"{"


def _raise_where_it_breaks(file: BinaryIO, path: str) -> None:
    file.seek(0)
    text = file.read(_WHOLE + 1)
    if len(text) > _WHOLE:
        return
    try:
        json.loads(text)
    except json.JSONDecodeError as error:
        raise ConnectError(
            f"{path}, line {error.lineno}: it is not valid JSON at column {error.colno}: "
            f"{error.msg.lower()}.",
            hint="Was it copied or written to the end?",
        ) from error
    except (ValueError, RecursionError):
        return


def _reason(line: bytes) -> str:
    if not line.strip():
        return ""
    try:
        json.loads(line)
    except json.JSONDecodeError as error:
        return f"it is not valid JSON at column {error.colno}: {error.msg.lower()}"
    except UnicodeDecodeError:
        return "it is not valid UTF-8"
    except (ValueError, RecursionError):
        return "it cannot be read as JSON"
    return ""
