"""Write behind: a thread of its own keeps the batches of a query, which then need not wait for it.

One writer for one query, and in order: it is no pool, and nothing outlives the `with` block.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from types import TracebackType

import pyarrow as pa

WAITING_BYTES = 8 * 2**20
"""What may wait for the writer, besides the batch that it writes; one batch may be larger."""


class Behind:
    """Calls `write` with each batch that is put, in a thread of its own.

    The end of the `with` block waits for the last batch; an error in the block drops what waits.
    What `write` raises ends the block, whatever the block itself raises meanwhile: `on_failure`
    is called at once, so that it need not wait for a query's next batch.
    """

    def __init__(
        self, write: Callable[[pa.RecordBatch], None], on_failure: Callable[[], None]
    ) -> None:
        self._write = write
        self._on_failure = on_failure
        self._waiting: deque[pa.RecordBatch] = deque()
        self._bytes = 0
        self._ended = False
        self._error: BaseException | None = None
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._work, name="spool", daemon=True)

    def put(self, batch: pa.RecordBatch) -> None:
        """Hand a batch over, as soon as there is room for it."""
        with self._changed:
            self._changed.wait_for(self._has_room)
            if self._error is not None:
                raise self._error
            self._waiting.append(batch)
            self._bytes += batch.nbytes
            self._changed.notify_all()

    def _has_room(self) -> bool:
        return self._bytes < WAITING_BYTES or self._error is not None

    def __enter__(self) -> Behind:
        try:
            self._thread.start()
        except RuntimeError as error:  # it means no memory for one more thread
            raise MemoryError(str(error)) from error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        with self._changed:
            if error is not None:
                self._waiting.clear()
            self._ended = True
            self._changed.notify_all()
        self._thread.join()
        if self._error is not None and self._error is not error:
            raise self._error from error

    def _work(self) -> None:
        try:
            while (batch := self._next()) is not None:
                self._write(batch)
        except BaseException as error:
            with self._changed:
                self._error = error
                self._waiting.clear()
                self._changed.notify_all()
            self._on_failure()

    def _next(self) -> pa.RecordBatch | None:
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._ended)
            if not self._waiting:
                return None
            batch = self._waiting.popleft()
            self._bytes -= batch.nbytes
            self._changed.notify_all()
            return batch
