"""Guessed relations put to the data: how many of the child's values does the parent have?

One small query after another, in a thread, so that a page can show what is known so far and stop
it. A query reads the first rows of the child, and of the parent what it must.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace

from core.catalog.relations import End, Overlap, Relation
from core.connector import quoted
from core.engine.run import Run
from core.engine.session import Session
from core.errors import MillpondError

ROWS = 100_000
"""Rows of a child whose values are looked for, and of a parent that are looked at for doubles."""

SECONDS = 10
"""Time that one guess may take; what is larger or slower is given up, and said."""

LIKELY = 0.5
"""The share of values from which on a guess is told."""


def overlap_query(relation: Relation) -> str:
    """Compose the question to one relation of single columns: its answer is one row.

    The row has `looked`, the child's distinct values; `found`, how many of them the parent has;
    and `doubles`, the parent's values that are there more than once.
    """
    # The child's few values are what is hashed: the parent streams by, however large it is.
    return f"""
WITH looked AS MATERIALIZED (
    SELECT DISTINCT value FROM ({_values(relation.child)} LIMIT {ROWS}) WHERE value IS NOT NULL
)
SELECT (SELECT count(*) FROM looked) AS looked,
       (SELECT count(DISTINCT value)
        FROM ({_values(relation.parent)}) SEMI JOIN looked USING (value)) AS found,
       (SELECT count(value) - count(DISTINCT value) FROM ({_values(relation.parent)} LIMIT {ROWS}))
       AS doubles
"""


def _values(end: End) -> str:
    table = ".".join(quoted(part) for part in end.place)
    return f"SELECT {quoted(end.columns[0])} AS value FROM {table}"


class Measuring:
    """The measuring of some relations, under way or ended. Everything may be asked from any thread.

    `likely` are those that the data bears out so far, in the order of the guesses; `failed` counts
    those that could not be measured, `problem` says why the last of them could not. `left_out` are
    guesses beyond the number that is measured.
    """

    def __init__(self, session: Session, guesses: Sequence[Relation], *, left_out: int = 0) -> None:
        self.total = len(guesses)
        self.left_out = left_out
        self.done = 0
        self.failed = 0
        self.problem: MillpondError | None = None
        self.cancelled = False
        self._session, self._guesses = session, guesses
        self._likely: list[Relation] = []
        self._run: Run | None = None
        self._lock = threading.Lock()
        self._ended = threading.Event()

    def start(self) -> None:
        """Begin, and return at once."""
        threading.Thread(target=self._measure_all, name="relations", daemon=True).start()

    @property
    def ended(self) -> bool:
        return self._ended.is_set()

    @property
    def likely(self) -> list[Relation]:
        with self._lock:
            return [*self._likely]

    def wait(self, seconds: float | None = None) -> bool:
        """Wait for the end, and tell whether it has come."""
        return self._ended.wait(seconds)

    def cancel(self) -> None:
        """Stop after the guess under way, which is interrupted; what was found stays."""
        with self._lock:
            self.cancelled, run = True, self._run
        if run is not None:
            run.cancel()

    def _measure_all(self) -> None:
        try:
            for guess in self._guesses:
                if self.cancelled:
                    break
                self._measure(guess)
                self.done += 1
        finally:
            self._ended.set()
            with suppress(MillpondError):  # a worker that is lost has no session any more
                self._session.close()

    def _measure(self, guess: Relation) -> None:
        try:
            overlap = self._ask(guess)
        except MillpondError as error:
            if not self.cancelled:
                self.failed, self.problem = self.failed + 1, error
            return
        if overlap is not None and overlap.looked and overlap.confidence >= LIKELY:
            with self._lock:
                self._likely.append(replace(guess, measured=overlap))

    def _ask(self, guess: Relation) -> Overlap | None:
        """Return what was found; None where the parent's column is no key. Raises why not."""
        run = self._session.start(overlap_query(guess), timeout=SECONDS)
        with self._lock:
            self._run = run
            late = self.cancelled
        if late:
            run.cancel()
        run.wait()
        if run.error is not None:
            raise run.error
        assert run.result is not None
        looked, found, doubles = self._session.page(run, run.result, 0, 1).frame.row(0)
        return None if doubles else Overlap(looked, found)
