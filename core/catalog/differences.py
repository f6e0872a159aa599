"""What a comparison of two schemas found, as values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Generic, Literal, TypeVar

from core.catalog.renames import Rename
from core.catalog.sqltext import dialect_of
from core.structure import Constraint, Index, Structure, StructuredColumn

T = TypeVar("T")
State = Literal["added", "removed", "changed"]
STATES: tuple[State, ...] = ("added", "removed", "changed")


@dataclass(frozen=True)
class Side:
    """A schema to compare: as it is now, or as it was when a snapshot was taken.

    `connector` is the kind of its source, by which its own types and SQL are understood.
    """

    name: str
    catalog: str
    schema: str
    connector: str
    structures: tuple[Structure, ...]
    taken_at: datetime | None = None

    @property
    def dialect(self) -> str:
        """The SQL that its source speaks, as sqlglot names it."""
        return dialect_of(self.connector)


@dataclass(frozen=True)
class Pair(Generic[T]):
    """A thing on both sides that differs, or on one of them only: None is where it is not."""

    left: T | None
    right: T | None

    @property
    def state(self) -> State:
        """Return what happened to it from left to right."""
        if self.left is None:
            return "added"
        return "removed" if self.right is None else "changed"


@dataclass(frozen=True)
class TableChange(Pair[Structure]):
    """A table or view that differs, and in what; `definition` is said of a view's SQL."""

    columns: tuple[Pair[StructuredColumn], ...] = ()
    constraints: tuple[Pair[Constraint], ...] = ()
    indexes: tuple[Pair[Index], ...] = ()
    definition: bool = False
    renames: tuple[Rename, ...] = ()

    @property
    def name(self) -> str:
        """The table's name, on the right where it is there."""
        told = self.right or self.left
        return told.name if told else ""

    @property
    def kind(self) -> Literal["table", "view"]:
        """What it is, on the right where it is there."""
        told = self.right or self.left
        return told.kind if told else "table"

    @property
    def remade(self) -> bool:
        """Return whether a table became a view, or a view a table."""
        return bool(self.left and self.right and self.left.kind != self.right.kind)

    def told(self) -> list[str]:
        """Return in a few words each what differs in a table that is on both sides."""
        if self.left is None or self.right is None:
            return []
        words = ["name"] if self.left.name != self.right.name else []
        words += [f"{self.left.kind} now a {self.right.kind}"] if self.remade else []
        words += ["comment"] if self.left.comment != self.right.comment else []
        words += ["definition"] if self.definition else []
        parts = (
            (len(self.columns), "column", "columns"),
            (len(self.constraints), "key", "keys"),
            (len(self.indexes), "index", "indexes"),
        )
        return words + [
            f"{count:,} {one if count == 1 else many}" for count, one, many in parts if count
        ]


@dataclass(frozen=True)
class Comparison:
    """All that differs; `same` counts the tables that do not.

    `reordered` are those with columns in another order, whatever else is said of them.
    """

    left: Side
    right: Side
    changes: tuple[TableChange, ...]
    same: int
    renames: tuple[Rename, ...] = ()
    reordered: tuple[str, ...] = ()

    @property
    def equal(self) -> bool:
        """Return whether nothing differs."""
        return not self.changes

    @property
    def spoken(self) -> Literal["duckdb", "postgres"]:
        """The SQL that the left is changed in, of the two there are."""
        return "postgres" if self.left.dialect == "postgres" else "duckdb"

    def count(self, state: State) -> int:
        """Count the tables that were added, removed or changed."""
        return sum(change.state == state for change in self.changes)

    def summary(self) -> str:
        """Say it in one line: `3 added, 1 removed, 2 changed, 40 the same`."""
        counted = [
            f"{self.count('added'):,} added",
            f"{self.count('removed'):,} removed",
            f"{self.count('changed'):,} changed",
        ]
        return ", ".join([*counted, f"{self.same:,} the same"])
