"""One run of a text of statements, as the web process sees it while it goes on and afterwards."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from core.engine.results import Column, ResultSet
from core.engine.spool import BATCH_BYTES, Extent, covering, read_rows
from core.errors import LimitExceeded, MillpondError, NotFound, QueryCancelled, QueryError
from core.workers.protocol import Frame
from core.workers.worker import Pending, Worker

if TYPE_CHECKING:
    import pyarrow as pa

State = Literal["running", "done", "failed", "cancelled"]


log = logging.getLogger(__name__)


def late(seconds: float) -> LimitExceeded:
    """Return the error of a query whose time was up."""
    return LimitExceeded(
        f"The query was stopped because it ran longer than {seconds:g} s.",
        hint="Make it smaller, or raise MILLPOND_QUERY_TIMEOUT.",
        setting="MILLPOND_QUERY_TIMEOUT",
    )


@dataclass
class Arrival:
    """One result as it arrives: what is known of it, and where its rows lie.

    `first` holds the rows that came at once: of a small result all of them, of a spooled one the
    first, until it is complete and the spool answers for all.
    """

    result: ResultSet
    spools: Path
    schema: pa.Schema | None = None
    first: pa.Table | None = None
    extents: list[Extent] = field(default_factory=list)

    @property
    def path(self) -> Path:
        """The file of the rows, where they are more than a few."""
        return self.spools / f"{self.result.id}.arrow"

    @property
    def body(self) -> Any:
        """A result that has no spool, as an Arrow stream for the worker; else nothing."""
        if self.first is None or self.extents:
            return b""
        import pyarrow as pa

        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, self.first.schema) as stream:
            stream.write_table(self.first)
        return sink.getvalue()

    def rows(self, offset: int, limit: int) -> pa.Table:
        """Return rows of what has arrived, named c0, c1, ..."""
        import pyarrow as pa

        if self.schema is None:
            return pa.table({})
        if self.first is not None and (not self.extents or offset + limit <= self.first.num_rows):
            return self.first.slice(offset, limit)
        return read_rows(self.path, self.schema, self.extents, offset, limit)

    def fall_back(self) -> None:
        """Show the first rows alone where the file is gone: it had filled the disk."""
        if self.extents and self.first is not None and not self.path.exists():
            self.extents = []
            self.result = replace(self.result, rows=self.first.num_rows)

    def stretch_end(self, row: int) -> int:
        """Return where to read from `row` on to in one go: about 8 MB, or what is at hand."""
        if not self.extents:
            return self.result.rows
        extents, size, last = self.extents, 0, covering(self.extents, row)
        while last + 1 < len(extents) and (size := size + extents[last].length) < BATCH_BYTES:
            last += 1
        return extents[last].row + extents[last].rows


class Run:
    """A run under way or ended. Everything here may be asked from any thread."""

    def __init__(self, run_id: str, sql: str, spools: Path, timeout: float) -> None:
        self.id = run_id
        self.sql = sql
        self.timeout = timeout
        self.started_at = datetime.now(UTC)
        self.state: State = "running"
        self.error: MillpondError | None = None
        self.progress = -1.0
        self.cancelling_since: float | None = None
        self.again = False
        """Whether it was started once more, behind a new wall."""
        self._started = time.monotonic()
        self._ended: float | None = None
        self._spools = spools
        self._arrivals: dict[int, Arrival] = {}
        self._why_cancelled: MillpondError | None = None
        self._changed = threading.Condition()
        self._on_end: list[Callable[[Run], None]] = []
        self.call: Pending | None = None
        self.worker: Worker | None = None

    @property
    def elapsed(self) -> float:
        """Seconds since the start, or from start to end."""
        return (self._ended or time.monotonic()) - self._started

    @property
    def ended(self) -> bool:
        return self.state != "running"

    @property
    def results(self) -> tuple[ResultSet, ...]:
        """One for each statement that has given something so far, in order."""
        return tuple(arrival.result for _, arrival in sorted(self._arrivals.items()))

    @property
    def result(self) -> ResultSet | None:
        """The last result that has rows to show, or the last at all."""
        results = self.results
        return next((each for each in reversed(results) if each.columns), None) or (
            results[-1] if results else None
        )

    def arrival(self, result_id: str) -> Arrival:
        """Return what is known of a result. Raises NotFound."""
        for arrival in self._arrivals.values():
            if arrival.result.id == result_id:
                return arrival
        raise NotFound("This result is no longer kept.", hint="Run the query again.")

    def wait(self, timeout: float | None = None) -> bool:
        """Wait for the end; False when it has not come in time."""
        with self._changed:
            return self._changed.wait_for(lambda: self.ended, timeout)

    def wait_rows(self, timeout: float | None = None) -> bool:
        """Wait until some result shows rows, or the end."""
        with self._changed:
            return self._changed.wait_for(lambda: self.ended or self._has_rows(), timeout)

    def wait_past(self, result_id: str, rows: int) -> ResultSet:
        """Wait until a result has more than `rows` rows, or gets no more. Raises NotFound."""
        arrival = self.arrival(result_id)
        with self._changed:
            self._changed.wait_for(
                lambda: self.ended or arrival.result.complete or arrival.result.rows > rows
            )
            return arrival.result

    def _has_rows(self) -> bool:
        return any(arrival.result.columns for arrival in self._arrivals.values())

    def when_ended(self, act: Callable[[Run], None]) -> None:
        """Call `act` at the end, at once if it has come.

        It must not call the engine: it runs in the thread that listens to it.
        """
        with self._changed:
            if not self.ended:
                self._on_end.append(act)
                return
        act(self)

    def cancel(self, why: MillpondError | None = None) -> None:
        """Ask it to stop; the engine's watch repeats that, and kills what does not listen."""
        with self._changed:
            if self.ended or self.cancelling_since is not None:
                return
            self.cancelling_since = time.monotonic()
            self._why_cancelled = why or QueryCancelled("The query was cancelled.", sql=self.sql)
        self.interrupt()

    def interrupt(self) -> None:
        """Send the interrupt once."""
        if self.worker is not None and self.call is not None:
            self.worker.cancel(self.call)

    def is_late(self) -> bool:
        """Tell whether its time is up."""
        return self.elapsed > self.timeout

    def cancel_late(self) -> None:
        """Stop it for its timeout."""
        self.cancel(late(self.timeout))

    def receive(self, frame: Frame) -> None:
        """Take a part of the worker's answer."""
        head = frame.head
        with self._changed:
            if "progress" in head:
                self.progress = head["progress"]
                self._changed.notify_all()
                return
            if "columns" in head:
                self._begin(head, frame.body)
            self._extend(head)
            self._changed.notify_all()

    def _begin(self, head: dict[str, Any], body: bytes) -> None:
        import pyarrow as pa  # here: 0.2 s, and the app's first page shows no rows

        index = head["index"]
        first = pa.ipc.open_stream(body).read_all()
        first.validate()  # it comes from a process that ran a user's SQL
        columns = tuple(Column(name, kind) for name, kind in head["columns"])
        result = ResultSet(f"{self.id}-{index}", index, head["kind"], columns, first.num_rows)
        arrival = Arrival(result, self._spools, first.schema, first)
        self._arrivals[index] = arrival

    def _extend(self, head: dict[str, Any]) -> None:
        index = head["index"]
        if index not in self._arrivals:
            result = ResultSet(f"{self.id}-{index}", index, head["kind"])
            self._arrivals[index] = Arrival(result, self._spools)
        arrival = self._arrivals[index]
        arrival.extents += [Extent(*each) for each in head.get("extents", ())]
        if arrival.extents:
            last = arrival.extents[-1]
            arrival.result = replace(arrival.result, rows=last.row + last.rows)
        if head.get("done"):
            if arrival.extents:
                arrival.first = None
            arrival.result = replace(
                arrival.result, complete=True, affected=head["affected"], elapsed=head["elapsed"]
            )

    def end(self, error: BaseException | None) -> None:
        """Take the worker's last word."""
        with self._changed:
            self.error = self._final_error(error)
            for arrival in self._arrivals.values():
                arrival.fall_back()
            if self.error is None:
                self.state = "done"
            else:
                self.state = "cancelled" if self.cancelling_since is not None else "failed"
            self._ended = time.monotonic()
            acts, self._on_end = self._on_end, []
            self.call = None
            self._changed.notify_all()
        for act in acts:
            try:
                act(self)
            except Exception:  # one that listens must not keep the end from the others
                log.exception("the end of run %s could not be told", self.id)

    def _final_error(self, error: BaseException | None) -> MillpondError | None:
        if error is None:
            return None
        if self._why_cancelled is not None:
            return self._why_cancelled
        if isinstance(error, QueryError):
            error.sql = self.sql
        if isinstance(error, MillpondError):
            return error
        return MillpondError(f"{type(error).__name__}: {error}")
