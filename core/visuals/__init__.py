"""The kinds of chart, one file each, and a first choice for a result that nobody has drawn yet."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from core.engine.relation import family
from core.engine.results import Column

# Up to so many rows a result is taken for an answer that is aggregated already.
_FEW = 100
_DENSE = 1_000
_LABEL = re.compile(
    r"(?:^|_)(?:year|quarter|month|week|day|hour|minute|second|id|no|number)s?$", re.IGNORECASE
)


def suggest(columns: Sequence[Column], rows: int) -> tuple[str, dict[str, Any]]:
    """Suggest a kind by name, and what to give its `Options`, for a result of `rows` rows."""
    of: dict[str, list[str]] = {"time": [], "number": [], "category": []}
    for column in columns:
        kind = family(column.type)
        role = {"date": "time", "timestamp": "time", "integer": "number", "number": "number"}
        of[role.get(kind, "category")].append(column.name)
    times, categories = of["time"], of["category"]
    # Years, hours and ids are numbers that nobody adds up.
    numbers = sorted(of["number"], key=lambda name: bool(_LABEL.search(name)))
    if times and numbers:
        chosen = {"x": times[0], "y": (numbers[0],), "colour": (categories or [""])[0]}
        return "line", {**chosen, "aggregate": "none" if rows <= _DENSE else "avg"}
    if times:
        return "line", {"x": times[0], "aggregate": "count"}
    if categories and numbers:
        aggregate = "none" if rows <= _FEW else "sum"
        return "bar", {"x": categories[0], "y": (numbers[0],), "aggregate": aggregate}
    if len(numbers) > 1:
        whole = family(next(each.type for each in columns if each.name == numbers[0])) == "integer"
        chosen = {"x": numbers[0], "y": (numbers[1],)}
        return "bar" if whole and rows <= _FEW else "scatter", chosen
    if numbers:
        return "histogram", {"x": numbers[0]}
    return "bar", {"x": (categories or [""])[0], "aggregate": "count"}
