"""Files in S3-compatible object storage, read in place: all as one table, or a table each.

They are listed anew for every query. How they are written is seen when a connection is attached,
from the first names of its list: a store may hold millions.
"""

from __future__ import annotations

import posixpath
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Literal
from uuid import uuid4

from pydantic import Field

from connectors._many import ENDINGS, RemoteFiles, format_of, select
from connectors._remote import drop_secret, reading_from, secret_name
from connectors._s3 import Store, as_pattern, keep_keys, reach_store, store_alive
from connectors._sql import named
from connectors._views import hide, show, show_several
from core.connector import Checked, Connector, Grants, Report
from core.errors import ConnectError, InvalidInput

if TYPE_CHECKING:
    import duckdb

_LISTED = 10_000
"""Names that are looked at: ten requests to the store."""
_TABLES = 200
"""Tables that one connection makes at most; each takes some requests when it is attached."""


class _Tables(Store):
    tables: Literal["one", "each"] = Field(
        "one",
        title="Tables",
        description="All files are one, or each folder and file directly below is one.",
    )


class S3Options(RemoteFiles, _Tables):
    """Which files of a bucket, and how they become tables; the rest is about CSV."""


class S3(Connector[S3Options]):
    name = "s3"
    label = "S3 storage"
    icon = "cloud"
    help = "CSV, Parquet or JSON files in a bucket of AWS, MinIO, R2, GCS and their like."
    Options = S3Options
    group = "storage"
    extensions = ("httpfs",)
    remote = True

    def grants(self, options: S3Options) -> Grants:
        return Grants(hosts=(options.host,))

    def place(self, options: S3Options) -> str:
        return options.place

    def test(self, con: duckdb.DuckDBPyConnection, options: S3Options) -> Checked:
        started = time.perf_counter()
        server = reach_store(options, options.connect_timeout)
        with _open(con, options, f"millpond_{uuid4().hex}"):
            names = _names(con, options)
            seconds = time.perf_counter() - started
            selects = _selects(options, names)
            with reading_from(options.root):
                con.execute(f"DESCRIBE {next(iter(selects.values()))}").fetchall()
        most = " or more" if len(names) > _LISTED else ""
        facts = (("Files", f"{min(len(names), _LISTED):,}{most}"), ("Tables", f"{len(selects):,}"))
        return Checked(seconds, server or "S3", facts, _notes(options, names, selects))

    def inspect(self, con: duckdb.DuckDBPyConnection, options: S3Options, alias: str) -> Report:
        with _open(con, options, f"millpond_{uuid4().hex}"):
            names = _names(con, options)
            selects = _selects(options, names)
        each = options.tables == "each"
        tables = [named(con, alias, name) if each else named(con, alias) for name in selects]
        return Report(tuple(tables), notes=_notes(options, names, selects))

    def attach(
        self,
        con: duckdb.DuckDBPyConnection,
        options: S3Options,
        alias: str,
        *,
        cache: Path | None = None,
    ) -> None:
        store_alive(options, options.connect_timeout)
        keep_keys(con, options, secret_name(alias))
        try:
            selects = _selects(options, _names(con, options))
            with reading_from(options.root):
                if options.tables == "each":
                    show_several(con, alias, selects)
                else:
                    show(con, alias, selects[""])
        except BaseException:
            drop_secret(con, secret_name(alias))
            raise

    def alive(self, con: duckdb.DuckDBPyConnection, options: S3Options, alias: str) -> None:
        store_alive(options, options.connect_timeout)

    def detach(self, con: duckdb.DuckDBPyConnection, alias: str) -> None:
        hide(con, alias)
        drop_secret(con, secret_name(alias))


@contextmanager
def _open(con: duckdb.DuckDBPyConnection, options: S3Options, name: str) -> Iterator[None]:
    keep_keys(con, options, name)
    try:
        yield
    finally:
        drop_secret(con, name)


def _names(con: duckdb.DuckDBPyConnection, options: S3Options) -> list[str]:
    """List what lies there as addresses, one more than `_LISTED` at most. Raises ConnectError."""
    if options.is_pattern:
        wanted = f"s3://{options.bucket}/{options.prefix}"
    else:
        wanted = f"{as_pattern(options.root)}**"
    names = _glob(con, wanted)
    if not names and options.prefix and not options.is_pattern:
        # A store lists what begins so: a file of that very name is found among them.
        file = options.root.rstrip("/")
        names = [name for name in _glob(con, f"{as_pattern(file)}*") if name == file]
    if not names:
        raise ConnectError(
            f"There is no file in {options.place}.",
            hint="Check the spelling: upper and lower case differ.",
        )
    return [name for name in names if not name.endswith("/")]


def _glob(con: duckdb.DuckDBPyConnection, wanted: str) -> list[str]:
    rows = con.execute("SELECT file FROM glob(?) LIMIT ?", [wanted, _LISTED + 1]).fetchall()
    return [str(row[0]) for row in rows]


def _selects(options: S3Options, names: list[str]) -> Mapping[str, str]:
    """Return the SELECT of each table by its name; of the one table, by none."""
    if options.tables == "one":
        return {"": _select(options, options.root, names, whole=True)}
    groups: dict[str, list[str]] = {}
    for name in names:
        groups.setdefault(name.removeprefix(options.root).partition("/")[0], []).append(name)
    known = {head: files for head, files in groups.items() if options.format != "auto"
             or any(map(format_of, files))}  # fmt: skip
    if not known:
        raise _unknown(options)
    tables: dict[str, str] = {}
    for head, files in list(known.items())[:_TABLES]:
        is_file = files == [options.root + head]
        stem = head.split(".")[0] or head
        name = stem if is_file and stem not in known and stem not in tables else head
        tables[name] = _select(options, options.root + head + "/" * (not is_file), files)
    return tables


def _select(options: S3Options, place: str, names: list[str], *, whole: bool = False) -> str:
    kind = _kind(options, place, names)
    if whole and options.is_pattern:
        return select(options, kind, [f"s3://{options.bucket}/{options.prefix}"])
    if not place.endswith("/") or names == [place.rstrip("/")]:
        return select(options, kind, [as_pattern(names[0])])
    endings = [end for end in ENDINGS[kind] if any(name.endswith(end) for name in names)]
    below = [f"**/*{end}" for end in endings] or ["**"]
    return select(options, kind, [as_pattern(place) + each for each in below])


def _kind(options: S3Options, place: str, names: list[str]) -> str:
    if options.format != "auto":
        return options.format
    kinds = sorted({kind for name in names if (kind := format_of(name))})
    if len(kinds) > 1:
        raise InvalidInput(
            f"{place} holds files of several formats: {', '.join(kinds)}.",
            hint="Choose one of them, or give a pattern.",
        )
    if not kinds:
        raise _unknown(options)
    return kinds[0]


def _unknown(options: S3Options) -> ConnectError:
    return ConnectError(
        f"No file in {options.place} is CSV, Parquet or JSON by its name.",
        hint="Choose the format if they are without endings.",
    )


def _notes(options: S3Options, names: list[str], selects: Mapping[str, str]) -> tuple[str, ...]:
    notes = []
    if len(names) > _LISTED:
        notes.append(f"Only the first {_LISTED:,} names were looked at; queries read all files.")
    if len(selects) == _TABLES:
        notes.append(f"These are the first {_TABLES} tables; more are not made.")
    if any("?" in name for name in names):
        file = posixpath.basename(next(name for name in names if "?" in name))
        notes.append(f"DuckDB cannot read names with a ?, as {file}: leave them out by a pattern.")
    return tuple(notes)
