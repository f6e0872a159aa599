"""Run SQL at a source, by its own engine and in its own dialect, and read the rows as ours."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import duckdb
import pyarrow as pa

from core.engine.results import PUSHED
from core.engine.worker.activity import Activity
from core.engine.worker.database import Database
from core.engine.worker.sources import Attached
from core.errors import InvalidInput, MillpondError


class _Arriving:
    """Batches on their way through DuckDB, of which only the text of an error would come out."""

    def __init__(self, reader: pa.RecordBatchReader, activity: Activity) -> None:
        self._activity = activity
        self.error: MillpondError | None = None
        self.reader = pa.RecordBatchReader.from_batches(reader.schema, self._passing(reader))

    def _passing(self, reader: pa.RecordBatchReader) -> Iterator[pa.RecordBatch]:
        try:
            yield from reader
            # What a source gave until it was stopped is not all.
            self._activity.check()
        except MillpondError as error:
            self.error = error
            raise


@contextmanager
def pushed(
    database: Database,
    activity: Activity,
    cursor: duckdb.DuckDBPyConnection,
    on: Attached,
    sql: str,
    into: str = "",
) -> Iterator[None]:
    """Execute on `cursor` a read of what the source gives for `sql`, as it arrives.

    With `into`, that is executed, and reads it as PUSHED. A cancelled call stops the statement at
    its server. Raises InvalidInput where the source only attaches its tables.
    """
    if not on.connector.push_down:
        raise InvalidInput(
            f"{on.alias} runs no SQL of its own.", hint="Run it on DuckDB: its tables are there."
        )
    with (
        database.beside() as beside,
        activity.on(beside),
        on.connector.fetch(beside, on.options, sql, activity.on_cancel) as reader,
    ):
        arriving = _Arriving(reader, activity)
        cursor.register(PUSHED, arriving.reader)
        try:
            cursor.execute(into or f"FROM {PUSHED}")
            yield
        except Exception as error:
            raise arriving.error or error from error
        finally:
            cursor.unregister(PUSHED)
