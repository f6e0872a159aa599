"""What runs now in the worker: how far it is, and how to interrupt it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import duckdb

from core.errors import QueryCancelled
from core.workers.child import Call
from core.workers.protocol import Closed

TICK = 0.1
"""Seconds between two reports of progress."""

WAIT = 0.05
"""Seconds a call that waits for another takes to notice that it was cancelled."""


class Activity:
    """One call that may take long. `cancel` may come before, while and after it holds a cursor."""

    def __init__(self, call: Call) -> None:
        self.call = call
        self.cancelled = False
        self.reported = -1.0
        self._cursor: duckdb.DuckDBPyConnection | None = None
        self._stops: list[Callable[[], None]] = []
        self._lock = threading.Lock()

    @contextmanager
    def on(self, cursor: duckdb.DuckDBPyConnection) -> Iterator[duckdb.DuckDBPyConnection]:
        """Work on this cursor for a while."""
        with self._lock:
            self.check()
            self._cursor = cursor
        try:
            yield cursor
        finally:
            # Under the lock: an interrupt must not reach whoever uses the cursor next.
            with self._lock:
                self._cursor = None

    @contextmanager
    def holding(self, lock: threading.Lock | threading.Semaphore) -> Iterator[None]:
        """Wait for a lock, and stop waiting when the call is cancelled."""
        while not lock.acquire(timeout=WAIT):
            self.check()
        try:
            yield
        finally:
            lock.release()

    def on_cancel(self, stop: Callable[[], None]) -> None:
        """Call this, once and in a thread of its own, when the call is cancelled."""
        with self._lock:
            if not self.cancelled:
                self._stops.append(stop)
                return
        _aside(stop)

    def check(self) -> None:
        """Stop here if the call was cancelled."""
        if self.cancelled:
            raise QueryCancelled("The query was cancelled.")

    def cancel(self) -> None:
        """Interrupt the cursor, now and whenever the call gets one."""
        self.cancelled = True
        with self._lock:
            stops, self._stops = self._stops, []
            if self._cursor is not None:
                self._cursor.interrupt()
        for stop in stops:
            _aside(stop)

    def progress(self) -> float:
        """Return percent done, or -1 where DuckDB does not know."""
        cursor = self._cursor
        if cursor is None:
            return -1.0
        try:
            percent = cursor.query_progress()
        except duckdb.Error:
            return -1.0
        return -1.0 if percent is None else float(percent)


def _aside(stop: Callable[[], None]) -> None:
    threading.Thread(target=stop, name="stop", daemon=True).start()


class Activities:
    """All calls under way, by id, with one thread that reports their progress."""

    def __init__(self) -> None:
        self._running: dict[int, Activity] = {}
        self._wake = threading.Event()
        threading.Thread(target=self._report, name="progress", daemon=True).start()

    @contextmanager
    def begin(self, call: Call) -> Iterator[Activity]:
        """Register a call for as long as it runs."""
        activity = self._running[call.id] = Activity(call)
        self._wake.set()
        try:
            yield activity
        finally:
            self._running.pop(call.id, None)

    def cancel(self, call_id: int) -> bool:
        """Interrupt a call; False when it does not run (any more)."""
        activity = self._running.get(call_id)
        if activity is None:
            return False
        activity.cancel()
        return True

    def _report(self) -> None:
        while True:
            self._wake.wait()
            if not self._running:
                self._wake.clear()
            time.sleep(TICK)
            for activity in [*self._running.values()]:
                percent = activity.progress()
                if percent > activity.reported:
                    activity.reported = percent
                    with suppress(Closed):
                        activity.call.send({"progress": percent})
