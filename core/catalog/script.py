"""The statements of a change of schema, put into an order in which they could run.

What a dialect cannot say stands there too, as a line that no SQL runs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from graphlib import CycleError, TopologicalSorter
from typing import Literal

from core.catalog.ddl import Unsayable, Words, remark
from core.catalog.limits import Limits

Phase = Literal[
    "views go",
    "links go",
    "keys go",
    "indexes go",
    "tables go",
    "tables change",
    "keys come",
    "tables come",
    "links come",
    "views come",
    "indexes come",
    "comments",
]
_PHASES: tuple[Phase, ...] = Phase.__args__  # type: ignore[attr-defined]
_LABELS = {"duckdb": "DuckDB", "postgres": "PostgreSQL"}


class Script:
    """Statements by phase; `words` write what there is on the right."""

    def __init__(self, words: Words, limits: Limits) -> None:
        self.words, self.limits = words, limits
        self._parts: dict[Phase, list[str]] = {phase: [] for phase in _PHASES}

    @property
    def label(self) -> str:
        """The dialect as people name it."""
        return _LABELS[self.words.dialect]

    def add(
        self, phase: Phase, sql: str | Callable[[], str], what: str = "", reason: str = ""
    ) -> bool:
        """Add a statement, or a line that says why there is none; tell whether there is.

        `what` says what it would do, as "Drop the column a"; `sql` may raise Unsayable.
        """
        try:
            if reason:
                raise Unsayable(reason)
            self._parts[phase].append(f"{sql if isinstance(sql, str) else sql()};")
        except Unsayable as why:
            self.note(phase, f"Not possible by a statement of {self.label}. {what}: {why}.")
            return False
        return True

    def note(self, phase: Phase, text: str) -> None:
        """Add lines that no SQL runs."""
        self._parts[phase].append(remark(text))

    def text(self) -> str:
        """Return all of it, the phases apart from each other."""
        return "\n\n".join("\n".join(part) for part in self._parts.values() if part)


def in_order(needs: Mapping[str, Iterable[str]]) -> tuple[list[str], bool]:
    """Return names so that each comes after those it needs, and whether that is possible."""
    known = {name: [each for each in given if each in needs and each != name]
             for name, given in needs.items()}  # fmt: skip
    try:
        return list(TopologicalSorter(known).static_order()), True
    except CycleError:
        return list(needs), False
