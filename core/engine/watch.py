"""The watch over runs under way: repeats interrupts, stops what is late, kills what is deaf."""

from __future__ import annotations

import threading
import time
from contextlib import suppress

from core.engine.run import Run
from core.errors import MillpondError

WATCH = 0.05
"""Seconds between two interrupts: one that lands before a statement starts is lost."""


class Watch:
    """Knows the runs under way. `grace` s after a cancel, what still runs loses its worker."""

    def __init__(self, grace: float) -> None:
        self._grace = grace
        self._runs: dict[str, Run] = {}
        self._begun = threading.Event()
        self._closed = False
        threading.Thread(target=self._look_after, name="engine-watch", daemon=True).start()

    def add(self, run: Run) -> None:
        """Look after a run from now on."""
        self._runs[run.id] = run
        self._begun.set()

    def drop(self, run: Run) -> None:
        """Forget a run, as when it has ended."""
        self._runs.pop(run.id, None)

    def close(self) -> None:
        """End the watch; what still runs is left alone."""
        self._closed = True
        self._begun.set()

    def _look_after(self) -> None:
        while not self._closed:
            self._begun.wait()
            self._begun.clear()  # before the look, so that a run begun meanwhile sets it again
            while self._runs and not self._closed:
                time.sleep(WATCH)
                for run in [*self._runs.values()]:
                    with suppress(MillpondError):
                        self._look_at(run)

    def _look_at(self, run: Run) -> None:
        if run.cancelling_since is None:
            if run.is_late():
                run.cancel_late()
        elif time.monotonic() - run.cancelling_since > self._grace:
            if run.worker is not None:
                run.worker.kill("a cancelled query did not stop")
        else:
            run.interrupt()
