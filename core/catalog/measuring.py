"""Guessed relations put to the data: how many of the child's values does the parent have?

A query reads the first rows of the child, and of the parent what it must.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from core.catalog.asking import Asking
from core.catalog.relations import End, Overlap, Relation
from core.connector import quoted
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


class Measuring(Asking):
    """The measuring of some relations: each is a query.

    `likely` are those that the data bears out so far, in the order of the guesses.
    """

    def __init__(self, session: Session, guesses: Sequence[Relation], *, left_out: int = 0) -> None:
        super().__init__(session, len(guesses), left_out)
        self._guesses = guesses
        self._likely: list[Relation] = []

    @property
    def likely(self) -> list[Relation]:
        with self._lock:
            return [*self._likely]

    def _ask_all(self) -> None:
        for guess in self._guesses:
            if self.cancelled:
                break
            self._measure(guess)
            self.done += 1

    def _measure(self, guess: Relation) -> None:
        try:
            looked, found, doubles = self._row(overlap_query(guess), {}, SECONDS)
        except MillpondError as error:
            self._failed(error)
            return
        overlap = Overlap(looked, found)
        # A parent's column that has a value twice is no key.
        if not doubles and looked and overlap.confidence >= LIKELY:
            with self._lock:
                self._likely.append(replace(guess, measured=overlap))
