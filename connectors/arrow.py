"""Arrow IPC files, streams and Feather (version 2), through a Parquet copy.

DuckDB reads Arrow only from memory, and an object registered on one connection is unknown to the
others of the same database (tried on 1.5.5), so no view can stand on it. The file is therefore
copied once, batch by batch: to Parquet in the cache folder, or, where there is none, to a table
in memory. A change of the file is seen the next time it is attached.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from connectors._errors import reading
from connectors._paths import PathOptions, pattern, read_head, unreadable
from connectors._sql import call, named
from connectors._views import hide, show
from core.connector import Connector, Grants, Report, literal, quoted
from core.errors import ConnectError

if TYPE_CHECKING:
    import duckdb

_INCOMING = "millpond_arrow_incoming"
_COPIED = "It is copied when it is attached; a later change of the file is seen after that."


class ArrowOptions(PathOptions):
    """Where the Arrow file is; everything else stands in the file."""


class Arrow(Connector[ArrowOptions]):
    name = "arrow"
    label = "Arrow"
    icon = "arrow_forward"
    help = "An Arrow IPC file or stream, or a Feather file, as one table."
    Options = ArrowOptions
    suffixes = (".arrow", ".arrows", ".ipc", ".feather")

    def grants(self, options: ArrowOptions) -> Grants:
        return Grants(read=(options.path,))

    def inspect(self, con: duckdb.DuckDBPyConnection, options: ArrowOptions, alias: str) -> Report:
        with _reader(options.path) as reader:
            for _ in reader:  # memory-mapped: a cut file is found without being kept
                pass
        return Report(tables=(named(con, alias),), notes=(_COPIED,))

    def attach(
        self,
        con: duckdb.DuckDBPyConnection,
        options: ArrowOptions,
        alias: str,
        *,
        cache: Path | None = None,
    ) -> None:
        read_head(options.path)
        if cache is None:
            hide(con, alias)
            _load(con, options.path, f"CREATE TABLE files.main.{quoted(alias)} AS FROM {_INCOMING}")
            return
        copy = _copy_of(options.path, cache)
        if not copy.exists():
            _write(con, options.path, copy)
        with reading(options.path):
            show(con, alias, call("read_parquet", pattern(str(copy)), {}))

    def detach(self, con: duckdb.DuckDBPyConnection, alias: str) -> None:
        hide(con, alias)


def _copy_of(path: str, cache: Path) -> Path:
    """Name the copy of a file as it is now; its older copies can be told by their beginning."""
    status = os.stat(path)
    origin = hashlib.sha256(path.encode("utf-8", "surrogatepass")).hexdigest()[:24]
    return cache / f"arrow-{origin}-{status.st_mtime_ns:x}-{status.st_size:x}.parquet"


def _write(con: duckdb.DuckDBPyConnection, path: str, copy: Path) -> None:
    unfinished = copy.with_suffix(f".{os.getpid()}.part")
    try:
        copy.parent.mkdir(parents=True, exist_ok=True)
        to = literal(str(unfinished))
        _load(con, path, f"COPY (FROM {_INCOMING}) TO {to} (FORMAT parquet, COMPRESSION zstd)")
        unfinished.replace(copy)
    except OSError as error:
        raise ConnectError(f"{path} cannot be copied: {(error.strerror or '').lower()}.") from error
    finally:
        with suppress(OSError):
            unfinished.unlink()
    origin = copy.name.rsplit("-", 2)[0]
    for old in copy.parent.glob(f"{origin}-*.parquet"):
        if old != copy:
            old.unlink(missing_ok=True)


def _load(con: duckdb.DuckDBPyConnection, path: str, statement: str) -> None:
    with _reader(path) as reader, reading(path):
        con.register(_INCOMING, reader)
        try:
            con.execute(statement).fetchall()
        finally:
            con.unregister(_INCOMING)


@contextmanager
def _reader(path: str) -> Iterator[Any]:
    """Open a file as a pyarrow.RecordBatchReader; batches are read as they are asked for."""
    import pyarrow as pa
    from pyarrow import ipc

    head = read_head(path)
    if head.startswith(b"FEA1"):
        raise ConnectError(
            f"{path} is a Feather file of version 1.", hint="Write it again as version 2."
        )
    try:
        with pa.memory_map(path) as source:
            if head.startswith(b"ARROW1"):
                file = ipc.open_file(source)
                batches = (file.get_batch(index) for index in range(file.num_record_batches))
                yield pa.RecordBatchReader.from_batches(file.schema, batches)
            else:
                yield ipc.open_stream(source)
    except PermissionError as error:
        raise unreadable(path, error) from error
    except (pa.ArrowException, OSError) as error:
        raise ConnectError(
            f"{path} is not an Arrow file, or it was cut off.",
            hint="Was it copied or written to the end?",
        ) from error
