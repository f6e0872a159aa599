"""A result on disk: an Arrow IPC stream, written once by the worker, read in pieces by anyone.

The writer knows where each batch lies; with that index a reader gets any row range by reading only
the batches it touches, also while the rest is still arriving. Files are read, never mapped, in the
web process: a mapped file that is cut short would end it with SIGBUS.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from core.errors import LimitExceeded, NotFound

if TYPE_CHECKING:
    import pyarrow as pa

BATCH_BYTES = 8 * 2**20
"""A batch is cut where it gets larger, so that reading a page never needs much memory."""


PAGE_BYTES = 256 * 2**20
"""What the web process reads at a time."""


_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class Extent(NamedTuple):
    """Where one batch lies in the file: byte offset and length, first row and row count."""

    offset: int
    length: int
    row: int
    rows: int


class SpoolWriter:
    """Append batches to a spool file; raises LimitExceeded beyond `limit` bytes."""

    def __init__(self, path: Path, schema: pa.Schema, limit: int) -> None:
        import pyarrow as pa

        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        self._file = os.fdopen(descriptor, "wb", buffering=0)
        self._path, self._limit = path, limit
        self.rows = 0
        self.extents: list[Extent] = []
        self._stream = pa.ipc.new_stream(self._file, schema)
        # The schema is written with the first batch: an empty one keeps it out of the extents.
        self._stream.write_batch(pa.RecordBatch.from_pylist([], schema=schema))

    def write(self, batch: pa.RecordBatch) -> None:
        """Append the rows of one batch."""
        for piece in _pieces(batch):
            start = self._file.tell()
            if start + piece.nbytes > self._limit:
                raise LimitExceeded(
                    f"The result is larger than {self._limit / 1e6:,.0f} MB, which one may be.",
                    hint="Select fewer rows or columns, or raise MILLPOND_SPOOL_LIMIT.",
                    setting="MILLPOND_SPOOL_LIMIT",
                )
            self._stream.write_batch(piece)
            length = self._file.tell() - start
            self.extents.append(Extent(start, length, self.rows, piece.num_rows))
            self.rows += piece.num_rows

    def __enter__(self) -> SpoolWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: object
    ) -> None:
        """End the stream and the file; one for which there was no room goes, to give it back."""
        try:
            self._stream.close()
        except OSError as late:
            error = error or late
            raise
        finally:
            self._file.close()
            if getattr(error, "errno", None) in _NO_ROOM:
                self._path.unlink(missing_ok=True)


def _pieces(batch: pa.RecordBatch) -> list[pa.RecordBatch]:
    """Cut a batch in halves until each piece is small, or is one row."""
    if batch.num_rows <= 1 or batch.nbytes <= BATCH_BYTES:
        return [batch]
    half = batch.num_rows // 2
    return [*_pieces(batch.slice(0, half)), *_pieces(batch.slice(half))]


def read_rows(
    path: Path, schema: pa.Schema, extents: Sequence[Extent], offset: int, limit: int
) -> pa.Table:
    """Read rows `offset` to `offset + limit` (fewer at the end) as a table.

    Raises NotFound when the file is gone or damaged, LimitExceeded for more than PAGE_BYTES.
    """
    import pyarrow as pa

    first = covering(extents, offset)
    batches: list[pa.RecordBatch] = []
    size = 0
    try:
        with path.open("rb", buffering=0) as file:
            for extent in extents[first:]:
                if extent.row >= offset + limit:
                    break
                file.seek(extent.offset)
                batch = pa.ipc.read_record_batch(pa.py_buffer(file.read(extent.length)), schema)
                batch.validate()  # the file was written by a process that ran a user's SQL
                skip = max(0, offset - extent.row)
                end = min(extent.rows, offset + limit - extent.row)
                batches.append(batch.slice(skip, end - skip))
                size += batches[-1].nbytes
                if size > PAGE_BYTES:
                    raise LimitExceeded(
                        f"These {limit:,} rows are larger than {PAGE_BYTES / 1e6:,.0f} MB.",
                        hint="Ask for fewer rows at a time, or export the result to a file.",
                    )
    except FileNotFoundError as error:
        raise NotFound(
            "This result is no longer kept.", hint="Run the query again to get it back."
        ) from error
    except (pa.ArrowException, EOFError, OSError) as error:
        raise NotFound(
            "This result's file was damaged.", hint="Run the query again to get it back."
        ) from error
    return pa.Table.from_batches(batches, schema)


def covering(extents: Sequence[Extent], row: int) -> int:
    """Find the batch that holds a row, by bisection."""
    low, high = 0, len(extents)
    while low < high:
        middle = (low + high) // 2
        if extents[middle].row + extents[middle].rows <= row:
            low = middle + 1
        else:
            high = middle
    return low
