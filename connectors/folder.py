"""A folder of files, or those of them that fit a pattern, as one table; Hive partitions too."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import Field, field_validator, model_validator

from connectors._errors import reading
from connectors._many import ENDINGS, ManyOptions, format_of, select
from connectors._paths import absolute, pattern, unreadable
from connectors._pinned import look, pinned
from connectors._rejects import LISTED, STORE, rejected
from connectors._sql import named
from connectors._views import hide, show
from core.connector import Connector, Grants, Reject, Report
from core.errors import ConnectError, InvalidInput

if TYPE_CHECKING:
    import duckdb

_READ_THROUGH = 1000
"""CSV files that inspecting reads to their end; each takes some 10 ms to open and look at."""


class FolderOptions(ManyOptions):
    """Which files; the rest is how they become one table."""

    path: str = Field(title="Folder", description="Full path of the folder; or with a pattern.")
    pattern: str = Field(
        "",
        max_length=500,
        title="Pattern",
        description="Files below it, as 2024-*/*.csv; ** is any depth; empty: all of the format.",
    )

    @model_validator(mode="before")
    @classmethod
    def _split(cls, given: Any) -> Any:
        """Part a pasted `/logs/2024-*/x.csv` into folder and pattern."""
        path = given.get("path") if isinstance(given, dict) else None
        if not isinstance(path, str) or given.get("pattern") or not re.search(r"[*?]", path):
            return given
        if "\0" in path or os.path.exists(path):  # a real folder may be named so
            return given
        fixed = path[: re.search(r"[*?]", path).start()].rpartition("/")[0]  # type: ignore[union-attr]
        return {**given, "path": fixed or "/", "pattern": path[len(fixed) :].lstrip("/")}

    @field_validator("path")
    @classmethod
    def _absolute(cls, path: str) -> str:
        return absolute(path)

    @field_validator("pattern")
    @classmethod
    def _below(cls, text: str) -> str:
        if "\0" in text or text.startswith("/") or ".." in text.split("/"):
            raise ValueError("a pattern stays below its folder")
        return text


class Folder(Connector[FolderOptions]):
    name = "folder"
    label = "Folder"
    icon = "folder"
    help = "All CSV, Parquet or JSON files of a folder as one table, Hive partitions included."
    Options = FolderOptions

    def grants(self, options: FolderOptions) -> Grants:
        return Grants(read=(options.path,))

    def inspect(self, con: duckdb.DuckDBPyConnection, options: FolderOptions, alias: str) -> Report:
        options = options.model_copy(update={"format": _format(con, options)})
        files = _files(con, options)
        with reading(options.path):
            con.execute(f"DESCRIBE {_select(con, options)}").fetchall()
        report = _bad_rows(con, options, files) if options.format == "csv" else Report(tables=())
        empty = sum(1 for file in files if os.path.getsize(file) == 0)
        notes = (
            f"{len(files)} file{'s' * (len(files) != 1)}.",
            *([f"{empty} of them are empty."] if empty else []),
        )
        return replace(
            report,
            tables=(named(con, alias),),
            notes=report.notes + notes,
            options=options,
        )

    def attach(
        self,
        con: duckdb.DuckDBPyConnection,
        options: FolderOptions,
        alias: str,
        *,
        cache: Path | None = None,
    ) -> None:
        options = options.model_copy(update={"format": _format(con, options)})
        with reading(options.path):
            show(con, alias, _select(con, options))

    def detach(self, con: duckdb.DuckDBPyConnection, alias: str) -> None:
        hide(con, alias)


def _format(con: duckdb.DuckDBPyConnection, options: FolderOptions) -> str:
    _check(options.path)
    if options.format != "auto":
        return options.format
    formats = [
        kind
        for kind in ENDINGS
        if any(format_of(file) == kind for file in _matching(con, options.path, _wanted(options)))
    ]
    if len(formats) > 1:
        raise InvalidInput(
            f"{options.path} holds files of several formats: {', '.join(formats)}.",
            hint="Choose one of them, or give a pattern.",
        )
    if not formats:
        raise _nothing(options)
    return formats[0]


def _check(path: str) -> None:
    try:
        with os.scandir(path):
            return
    except NotADirectoryError as error:
        raise ConnectError(f"{path} is a file, not a folder.") from error
    except FileNotFoundError as error:
        raise ConnectError(
            f"There is no folder {path}.", hint="Was it moved, renamed or deleted meanwhile?"
        ) from error
    except OSError as error:
        raise unreadable(path, error) from error


def _wanted(options: FolderOptions) -> str:
    return options.pattern or "**"


def _patterns(con: duckdb.DuckDBPyConnection, options: FolderOptions) -> list[str]:
    """Return the patterns that find something; one that finds nothing makes DuckDB refuse all."""
    below = [options.pattern] if options.pattern else [f"**/*{e}" for e in ENDINGS[options.format]]
    found = [
        pattern(options.path).rstrip("/") + "/" + each
        for each in below
        if _matching(con, options.path, each, limit=1)
    ]
    if not found:
        raise _nothing(options)
    return found


def _nothing(options: FolderOptions) -> ConnectError:
    kinds = "CSV, Parquet or JSON" if options.format == "auto" else options.format
    wanted = f"matching {options.pattern}" if options.pattern else f"that is {kinds}"
    return ConnectError(f"There is no file {wanted} in {options.path}.")


def _files(con: duckdb.DuckDBPyConnection, options: FolderOptions) -> list[str]:
    return [file for each in _patterns(con, options) for file in _glob(con, each)]


def _matching(
    con: duckdb.DuckDBPyConnection, folder: str, below: str, limit: int = 100_000
) -> list[str]:
    return _glob(con, pattern(folder).rstrip("/") + "/" + below, limit)


def _glob(con: duckdb.DuckDBPyConnection, text: str, limit: int = 100_000) -> list[str]:
    rows = con.execute("SELECT file FROM glob(?) LIMIT ?", [text, limit]).fetchall()
    return [str(row[0]) for row in rows]


def _bad_rows(con: duckdb.DuckDBPyConnection, options: FolderOptions, files: list[str]) -> Report:
    """Read CSV files one by one to their ends: DuckDB lists no rejects of files matched by name."""
    looked = [file for file in files if os.path.getsize(file)][:_READ_THROUGH]
    count = 0
    first: list[Reject] = []
    notes: dict[str, None] = {}
    for file in looked:
        with reading(file):
            found = look(con, file, options)
            report = rejected(con, pinned(file, options, found, **STORE))
        count += report.rejected
        first += report.rejects
        notes |= dict.fromkeys(report.notes)
    if len(files) > _READ_THROUGH:
        notes[f"Only the first {_READ_THROUGH} files were read to their end."] = None
    return Report((), count, tuple(first[:LISTED]), tuple(notes))


def _select(con: duckdb.DuckDBPyConnection, options: FolderOptions) -> str:
    return select(options, options.format, _patterns(con, options))
