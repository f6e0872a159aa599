"""How several files become one table: what a person may set, and the SELECT that reads them."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import ConfigDict, Field

from connectors._dialect import CsvReading, arguments, guesses
from connectors._ports import longest_wait
from connectors._sql import call

ENDINGS = {
    "parquet": (".parquet", ".pq", ".parq"),
    "csv": (".csv", ".tsv", ".csv.gz", ".tsv.gz"),
    "json": (".json", ".ndjson", ".jsonl", ".json.gz", ".ndjson.gz", ".jsonl.gz"),
}


class ManyOptions(CsvReading):
    """What the files are, and how they are put together; the rest is about CSV."""

    format: Literal["auto", "parquet", "csv", "json"] = Field(
        "auto", title="Format", description="What the files are; auto: by their names."
    )
    hive: Literal["auto", "yes", "no"] = Field(
        "auto", title="Hive partitions", description="Folders named year=2024 are columns."
    )
    by_name: bool = Field(
        True, title="Match columns by name", description="Otherwise by position, which is faster."
    )
    file_column: bool = Field(
        False, title="File name", description="Add a column `filename` that says where a row is."
    )


def _fold(schema: dict[str, Any]) -> None:
    """Let a form ask first where the files are: what they are like can mostly be seen."""
    for name in RemoteFiles.model_fields:
        if name != "format":
            schema["properties"][name]["more"] = True


class RemoteFiles(ManyOptions):
    """The same of files that take a request each to look at."""

    model_config = ConfigDict(json_schema_extra=_fold)

    by_name: bool = Field(
        False,
        title="Match columns by name",
        description="Looks at the columns of every file first, which takes a request each.",
    )
    connect_timeout: int = longest_wait()


def format_of(file: str) -> str:
    """Tell what a file is by its name; "" where that does not tell."""
    return next((kind for kind, endings in ENDINGS.items() if file.endswith(endings)), "")


def select(options: ManyOptions, kind: str, files: list[str]) -> str:
    """Return the SELECT that reads files or patterns, all of one kind, as one table."""
    given: dict[str, object] = {"union_by_name": options.by_name}
    if options.file_column:
        given["filename"] = True
    if options.hive != "auto":
        given["hive_partitioning"] = options.hive == "yes"
    if kind == "csv":
        csv = arguments(options) | guesses(options)
        csv.pop("hive_partitioning")
        given = csv | given
    elif kind == "json" and options.bad_rows == "skip":
        given |= {"ignore_errors": True, "format": "newline_delimited"}
    return call(f"read_{kind}", files, given)
