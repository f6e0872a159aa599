"""The exact pass over a table: all rows, in the background, with progress, cancel and an end.

It asks column by column where a source gives them so, and each answer can be seen as it comes.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from core.catalog.models import Table
from core.catalog.table_profile import TableProfile
from core.engine.profile import ColumnProfile, read
from core.engine.run import Run
from core.engine.session import PAGE_LIMIT, Session
from core.errors import MillpondError, QueryCancelled

log = logging.getLogger(__name__)

Prepare = Callable[["ExactPass"], tuple[Sequence[str], frozenset[int]]]
"""Returns texts of statements, and the columns that have about as many values as rows."""
Complete = Callable[[TableProfile], object]


class ExactPass:
    """One pass. Everything here may be asked from any thread."""

    def __init__(
        self, table: Table, session: Session, prepare: Prepare, complete: Complete
    ) -> None:
        """`prepare` says what to ask; `complete` keeps the profile, once all has come."""
        self.table = table
        self.started_at = datetime.now(UTC)
        self._began, self._took = time.monotonic(), 0.0
        self.error: MillpondError | None = None
        self.found: dict[int, ColumnProfile] = {}
        """The columns that are done, by position."""
        self.looks: dict[int, ColumnProfile] = {}
        """What a sample told of the columns: their shapes and forms are taken from there."""
        self._session = session
        self._prepare, self._complete = prepare, complete
        self._various: frozenset[int] = frozenset()
        self._run: Run | None = None
        self._answers = 0
        self._cancelled = False
        self._ended = threading.Event()

    @property
    def ended(self) -> bool:
        return self._ended.is_set()

    @property
    def elapsed(self) -> float:
        """Seconds since the start, or from start to end."""
        return self._took or time.monotonic() - self._began

    @property
    def stopping(self) -> bool:
        return self._cancelled and not self.ended

    @property
    def progress(self) -> float:
        """How much is done, from 0 to 1."""
        run, done = self._run, float(self._answers)
        if run is not None:
            done += sum(each.rows for each in run.results if each.complete)
            done += 0 if run.ended else min(0.99, max(0.0, run.progress / 100))
        return min(1.0, done / max(1, len(self.table.columns)))

    def start(self) -> None:
        """Begin in a thread."""
        threading.Thread(target=self.work, name="exact-profile", daemon=True).start()

    def work(self) -> None:
        """Run to the end; what went wrong is then in `error`."""
        try:
            texts, self._various = self._prepare(self)
            for text in texts:
                self._answer(text)
            columns = tuple(self.found[at] for at in range(len(self.table.columns)))
            rows = columns[0].rows if columns else 0
            self._complete(TableProfile(datetime.now(UTC), rows, rows, True, columns))
        except MillpondError as error:
            self.error = error
        except Exception:
            log.exception("the exact profile of %s failed", self.table.address)
            self.error = MillpondError("The profile failed for an unknown reason.")
        finally:
            self._run, self._took = None, time.monotonic() - self._began
            self._ended.set()
            self._close()

    def check(self) -> None:
        """Raise QueryCancelled if it shall stop."""
        if self._cancelled:
            raise QueryCancelled("The profile was cancelled.")

    def cancel(self) -> None:
        """Ask it to stop."""
        self._cancelled = True
        if (run := self._run) is not None:
            run.cancel()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait for the end; False when it has not come in time."""
        return self._ended.wait(timeout)

    def seen(self) -> dict[int, ColumnProfile]:
        """Return the columns that have been answered so far, by position."""
        if (run := self._run) is not None and not run.ended:
            self._read(run)
        return dict(self.found)

    def _answer(self, text: str) -> None:
        """Run one text, and take its answers also where it fails on the way."""
        self.check()
        run = self._run = self._session.start(text, composed=True)
        if self._cancelled:  # it came between the two
            run.cancel()
        run.wait()
        self._read(run)
        self._run, self._answers = None, len(self.found)
        let_go(run)
        if run.error is not None:
            raise run.error

    def _read(self, run: Run) -> None:
        """Take the answers that have come."""
        for at, facts in answers(self._session, run):
            if at not in self.found:
                found = read(self.table.columns[at], facts, approximate=at in self._various)
                look = self.looks.get(at, found)
                self.found[at] = replace(found, shapes=look.shapes, forms=look.forms)

    def _close(self) -> None:
        try:
            self._session.close()
        except (MillpondError, TimeoutError) as error:
            log.info("the session of a profile could not be closed: %s", error)


def answers(session: Session, run: Run) -> Iterator[tuple[int, str]]:
    """Yield what a run has answered so far: positions of columns, and their facts."""
    for result in run.results:
        if result.complete and result.columns:
            yield from session.page(run, result, 0, PAGE_LIMIT).frame.rows()


def let_go(run: Run) -> None:
    """Remove what the answers to a run were spooled to, where they were long."""
    for result in run.results:
        run.arrival(result.id).path.unlink(missing_ok=True)
