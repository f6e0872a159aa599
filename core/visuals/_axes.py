"""What stands along an axis, and which rows have a place on it.

Numbers are DOUBLE without NaN and infinities, times TIMESTAMP in the session's time zone, all else
text.
"""

from __future__ import annotations

from collections.abc import Sequence

from core.engine.results import Column
from core.visual import Unit
from core.visuals._columns import category, find, number, role

# Seconds of a span up to which a step gives a readable number of points: 180, 120, 1,100, 360.
_STEPS = (("minute", 10_800), ("hour", 432_000), ("day", 95_040_000), ("month", 946_080_000))


def axis(columns: Sequence[Column], name: str, unit: Unit = "exact") -> str:
    """Return the SQL of an axis: a DOUBLE, a TIMESTAMP cut to `unit`, or text."""
    if not name:
        return "CAST(__row + 1 AS DOUBLE)" if unit == "exact" else "'All'"
    at = find(columns, name)
    match role(columns, name):
        case "number":
            return number(columns, name)
        case "category":
            return category(at)
    moment = f"CAST(c{at} AS TIMESTAMP)"
    if unit == "exact":
        return moment
    return f"date_trunc({_auto(moment) if unit == 'auto' else repr(unit)}, {moment})"


def _auto(moment: str) -> str:
    span = f"date_diff('second', min({moment}), max({moment}))"
    cases = " ".join(f"WHEN {span} <= {seconds} THEN '{step}'" for step, seconds in _STEPS)
    return f"(SELECT CASE {cases} ELSE 'year' END FROM result WHERE {drawable(moment)})"


def drawable(moment: str) -> str:
    """Return the condition that a TIMESTAMP lies in the years that Python and browsers know."""
    return f"{moment} BETWEEN TIMESTAMP '0001-01-01' AND TIMESTAMP '9999-12-31 23:59:59'"


def present(columns: Sequence[Column], *names: str) -> str:
    """Return a WHERE for rows that have a place along axes of numbers and times, or nothing."""
    parts = []
    for name in names:
        kind = role(columns, name)
        if name and kind == "time":
            parts.append(drawable(f"CAST(c{find(columns, name)} AS TIMESTAMP)"))
        elif name and kind == "number":
            parts.append(f"({number(columns, name)}) IS NOT NULL")
    return f" WHERE {' AND '.join(parts)}" if parts else ""
