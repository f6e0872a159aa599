"""What the engine knows of one table beyond its columns' names and types, as values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class DescribedColumn:
    """A column; `default` is SQL. What there is not is an empty text."""

    name: str
    type: str
    nullable: bool
    default: str
    comment: str


@dataclass(frozen=True)
class Constraint:
    """A rule of the table: PRIMARY KEY, UNIQUE, FOREIGN KEY or CHECK, and its SQL."""

    kind: str
    columns: tuple[str, ...]
    sql: str


@dataclass(frozen=True)
class Index:
    """An index, and the SQL that made it."""

    name: str
    unique: bool
    sql: str


@dataclass(frozen=True)
class Description:
    """A table or view; `sql` made it, and is empty where the engine does not know."""

    comment: str
    sql: str
    columns: tuple[DescribedColumn, ...]
    constraints: tuple[Constraint, ...]
    indexes: tuple[Index, ...]

    def keys(self, column: str) -> tuple[str, ...]:
        """Return which keys a column is a part of: `PRIMARY KEY`, `UNIQUE`, `FOREIGN KEY`."""
        kinds = [each.kind for each in self.constraints if column in each.columns]
        return tuple(dict.fromkeys(kind for kind in kinds if kind != "CHECK"))


def description(answer: Mapping[str, Any]) -> Description:
    """Read what the engine's op `describe` answers."""
    return Description(
        comment=answer["comment"],
        sql=answer["sql"],
        columns=tuple(DescribedColumn(**each) for each in answer["columns"]),
        constraints=tuple(
            Constraint(each["kind"], tuple(each["columns"]), each["sql"])
            for each in answer["constraints"]
        ),
        indexes=tuple(Index(**each) for each in answer["indexes"]),
    )
