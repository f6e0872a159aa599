"""Equal bins over numbers and times: their edges, their SQL, and how an edge is written.

Times are measured in seconds: since 1970 for dates and timestamps (as shown, in the session's time
zone), since midnight for times of day.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from core.engine.relation import Family

MOST = 20
"""Bins at most."""
DAY = 86_400
EXACT = 2**53
"""Up to here a DOUBLE has every whole number."""
_EPOCH = datetime(1970, 1, 1)


@dataclass(frozen=True)
class Bin:
    """How many values lie from `low` up to `high`; the last bin holds its `high` as well."""

    low: float
    high: float
    count: int
    label: str


@dataclass(frozen=True)
class Grid:
    """`count` bins of one `width` from `low` on."""

    low: float
    width: float
    count: int
    kind: Family

    def bins(self, counts: Mapping[int, int]) -> tuple[Bin, ...]:
        """Fill the bins from counts by the number of the bin, from 0."""
        edges = [self.low + self.width * step for step in range(self.count + 1)]
        return tuple(
            Bin(low, high, counts.get(step, 0), _label(low, high, self))
            for step, (low, high) in enumerate(pairwise(edges))
        )


def measure(cell: str, kind: Family) -> str | None:
    """Return the SQL of a cell as a DOUBLE, NULL for infinite times; None: it has no measure."""
    if kind in ("integer", "number"):
        return f"CAST({cell} AS DOUBLE)"
    if kind == "time":
        return f"epoch({cell})"
    if kind in ("date", "timestamp"):
        moment = f"CAST({cell} AS TIMESTAMP)"
        return f"CASE WHEN isfinite({moment}) THEN epoch({moment}) END"
    return None


def grid(low: float, high: float, kind: Family) -> Grid:
    """Lay at most 20 equal bins from `low` to `high`; whole numbers and days are not cut."""
    if low == high:
        return Grid(low, {"date": DAY, "integer": 1}.get(kind, 0) or abs(low) or 1, 1, kind)
    unit = {"date": DAY, "integer": 1}.get(kind)
    if unit and max(abs(low), abs(high)) < EXACT:
        units = (high - low) / unit + 1
        width = unit * math.ceil(units / MOST)
        return Grid(low, width, math.ceil(units * unit / width), kind)
    return Grid(low, (high - low) / MOST, MOST, kind)


def shown(value: float, kind: Family) -> float | str:
    """Write a measure as a person reads it: a time as text, a number as it is."""
    if kind == "time":
        return str((_EPOCH + timedelta(seconds=value)).time().replace(microsecond=0))
    if kind not in ("date", "timestamp"):
        return value
    try:
        moment = _EPOCH + timedelta(seconds=value)
    except OverflowError:  # beyond the years 1 to 9999
        return str(value)
    if kind == "date":
        return str(moment.date())
    return moment.isoformat(" ", timespec="seconds")


def _label(low: float, high: float, grid: Grid) -> str:
    unit = {"date": DAY, "integer": 1}.get(grid.kind, 0)
    if unit and grid.width == unit:
        return _text(low, grid)
    return f"{_text(low, grid)} to {_text(high - unit, grid)}"


def _text(value: float, grid: Grid) -> str:
    text = shown(value, grid.kind)
    return text if isinstance(text, str) else f"{text:,.6g}"
