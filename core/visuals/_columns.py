"""A column of a result as a chart needs it: found by name, as a number, as a label."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from core.engine.relation import family
from core.engine.results import Column
from core.errors import InvalidInput

EMPTY = "(empty)"

Role = Literal["time", "number", "category"]


def find(columns: Sequence[Column], name: str) -> int:
    """Return the position of the first column of that name. Raises InvalidInput with the names."""
    for at, column in enumerate(columns):
        if column.name == name:
            return at
    names = ", ".join(column.name for column in columns)
    raise InvalidInput(f"There is no column {name!r}.", hint=f"Choose from {names}."[:500])


def role(columns: Sequence[Column], name: str) -> Role:
    """Say what a column is along an axis; without a name it is the row's number."""
    if not name:
        return "number"
    kind = family(columns[find(columns, name)].type)
    if kind in ("date", "timestamp"):
        return "time"
    return "number" if kind in ("integer", "number") else "category"


def number(columns: Sequence[Column], name: str) -> str:
    """Return the SQL of a column as a finite DOUBLE. Raises InvalidInput if it has no numbers."""
    at = find(columns, name)
    kind = family(columns[at].type)
    if kind not in ("integer", "number", "boolean"):
        fits = [each.name for each in columns if family(each.type) in ("integer", "number")]
        raise InvalidInput(
            f"{name!r} holds {columns[at].type}, not numbers.",
            hint=f"Choose from {', '.join(fits)}, or count it."[:500] if fits else "Count it.",
        )
    double = f"CAST(c{at} AS DOUBLE)"
    return double if kind != "number" else f"CASE WHEN isfinite({double}) THEN {double} END"


def category(at: int) -> str:
    """Return the SQL of a column as a label."""
    return f"coalesce(CAST(c{at} AS VARCHAR), '{EMPTY}')"
