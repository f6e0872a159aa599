"""The contract of a kind of cell: what one file in `core/notebooks/cells/` declares.

A kind tells by its text alone what a cell gives a name to and which names it needs; nothing here
runs anything.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from core.notebooks.models import Cell

if TYPE_CHECKING:
    from core.notebooks.work import Work


@dataclass(frozen=True)
class Problem:
    """What is wrong in a cell, in a sentence; `line` counts from 1 in its body, 0 if unknown."""

    message: str
    hint: str = ""
    line: int = 0


@dataclass(frozen=True)
class Names:
    """What a cell defines and reads, as they are written.

    `reads` only another cell can give; to `tables` a source may answer as well, and `calls` are the
    engine's own functions unless a cell makes macros of these names. `dynamic`: it may read more,
    which only running it can tell.
    """

    defines: frozenset[str] = frozenset()
    reads: frozenset[str] = frozenset()
    tables: frozenset[str] = frozenset()
    calls: frozenset[str] = frozenset()
    problems: tuple[Problem, ...] = ()
    dynamic: bool = False


@dataclass(frozen=True)
class Outcome:
    """What a cell gave: how many rows, or a sentence about it.

    `failed`: it is a test, and what it tests is not so.
    """

    rows: int | None = None
    said: str = ""
    failed: bool = False


class CellKind:
    """A kind of cell. Stateless: one instance serves everybody."""

    name: ClassVar[str]
    label: ClassVar[str]
    icon: ClassVar[str]
    """A Material symbol, as in `:material/table:` without colons and prefix: `table`."""
    help: ClassVar[str]

    def names(self, cell: Cell) -> Names:
        """Tell what it defines and reads. Never raises for what people write."""
        raise NotImplementedError

    def run(self, cell: Cell, work: Work) -> Outcome:
        """Do what it says, and give what it defines to `work`. Raises MillpondError."""
        raise NotImplementedError
