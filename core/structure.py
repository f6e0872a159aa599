"""What a source declares of its tables: columns, keys, indexes, comments. Values only.

A connector that knows more of its tables than DuckDB does gives these; see `Connector.structures`.
What there is not is an empty text, and None where that would be a figure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal


@dataclass(frozen=True)
class StructuredColumn:
    """A column: `type` as DuckDB sees it, `declared` as the source does; `default` is SQL."""

    name: str
    type: str
    nullable: bool = True
    default: str = ""
    comment: str = ""
    declared: str = ""


@dataclass(frozen=True)
class Target:
    """What a foreign key leads to, in the same catalog."""

    schema: str
    table: str
    columns: tuple[str, ...]


@dataclass(frozen=True)
class Constraint:
    """A rule of a table: PRIMARY KEY, UNIQUE, FOREIGN KEY or CHECK, and its SQL."""

    kind: str
    columns: tuple[str, ...]
    sql: str
    target: Target | None = None
    name: str = ""


@dataclass(frozen=True)
class Index:
    """An index, and the SQL that made it."""

    name: str
    unique: bool
    sql: str
    columns: tuple[str, ...] = ()


@dataclass(frozen=True)
class Structure:
    """A table or view; `sql` made it. `rows` is an estimate, `bytes` what it takes on disk."""

    schema: str
    name: str
    kind: Literal["table", "view"] = "table"
    comment: str = ""
    sql: str = ""
    rows: int | None = None
    bytes: int | None = None
    columns: tuple[StructuredColumn, ...] = ()
    constraints: tuple[Constraint, ...] = ()
    indexes: tuple[Index, ...] = ()

    def keys(self, column: str) -> tuple[str, ...]:
        """Return which keys a column is a part of: `PRIMARY KEY`, `UNIQUE`, `FOREIGN KEY`."""
        kinds = [each.kind for each in self.constraints if column in each.columns]
        return tuple(dict.fromkeys(kind for kind in kinds if kind != "CHECK"))

    @property
    def foreign_keys(self) -> tuple[Constraint, ...]:
        """The constraints that lead to another table."""
        return tuple(each for each in self.constraints if each.target is not None)

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return asdict(self)

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> Structure:
        """Return what `to_json` told."""
        plain = {key: value for key, value in told.items() if not isinstance(value, (list, tuple))}
        return cls(
            **plain,
            columns=tuple(StructuredColumn(**each) for each in told["columns"]),
            constraints=tuple(_constraint(each) for each in told["constraints"]),
            indexes=tuple(
                Index(**{**each, "columns": tuple(each["columns"])}) for each in told["indexes"]
            ),
        )


def _constraint(told: Mapping[str, Any]) -> Constraint:
    target = told["target"]
    if target is not None:
        target = Target(target["schema"], target["table"], tuple(target["columns"]))
    return Constraint(**{**told, "columns": tuple(told["columns"]), "target": target})
