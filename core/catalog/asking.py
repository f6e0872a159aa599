"""Small queries asked one after another, in a thread: a page shows what is known so far, and can
stop them.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from core.engine.run import Run
from core.engine.session import Session
from core.errors import MillpondError


class Asking:
    """Queries under way or ended. Everything may be asked from any thread.

    `total` are to be asked, `done` were. `failed` counts those that could not be answered,
    `problem` says why the last of them could not; `left_out` are beyond what is asked.
    """

    def __init__(self, session: Session, total: int, left_out: int) -> None:
        self.total, self.left_out = total, left_out
        self.done = 0
        self.failed = 0
        self.problem: MillpondError | None = None
        self.cancelled = False
        self._session = session
        self._run: Run | None = None
        self._lock = threading.Lock()
        self._ended = threading.Event()

    def start(self) -> None:
        """Begin, and return at once."""
        name = type(self).__name__.lower()
        threading.Thread(target=self._work, name=name, daemon=True).start()

    @property
    def ended(self) -> bool:
        return self._ended.is_set()

    def wait(self, seconds: float | None = None) -> bool:
        """Wait for the end, and tell whether it has come."""
        return self._ended.wait(seconds)

    def cancel(self) -> None:
        """Interrupt the query under way, and ask no other; what was found stays."""
        with self._lock:
            self.cancelled, run = True, self._run
        if run is not None:
            run.cancel()

    def _work(self) -> None:
        try:
            self._ask_all()
        finally:
            self._ended.set()
            with suppress(MillpondError):  # a worker that is lost has no session any more
                self._session.close()

    def _ask_all(self) -> None:
        raise NotImplementedError

    def _row(self, sql: str, params: Mapping[str, Any], seconds: float) -> tuple[Any, ...]:
        """Ask for one row. Raises why there is none."""
        run = self._session.start(sql, params, timeout=seconds, composed=True)
        with self._lock:
            self._run = run
            late = self.cancelled
        if late:
            run.cancel()
        run.wait()
        if run.error is not None:
            raise run.error
        assert run.result is not None
        return self._session.page(run, run.result, 0, 1).frame.row(0)

    def _failed(self, error: MillpondError) -> None:
        if not self.cancelled:
            self.failed, self.problem = self.failed + 1, error
