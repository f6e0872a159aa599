"""The questions behind charts: which columns, how aggregated, and at most 10,000 points.

Answers have the columns `x`, `colour` (where asked for), `y0`, `y1`, ... and `total`: how many
points there were before the cut. Numbers are DOUBLE without NaN and infinities, times TIMESTAMP
in the session's time zone, all else text.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from core.engine.relation import Query, family, text_of
from core.engine.results import Column
from core.errors import InvalidInput
from core.visual import Aggregate, Options, Unit

LIMIT = 10_000
EMPTY = "(empty)"
_MOST_SERIES = 20
_SQL = {"sum": "sum", "avg": "avg", "min": "min", "max": "max", "median": "median"}
# Seconds of a span up to which a step gives a readable number of points: 180, 120, 1,100, 360.
_STEPS = (("minute", 10_800), ("hour", 432_000), ("day", 95_040_000), ("month", 946_080_000))

Role = Literal["time", "number", "category"]


def points(columns: Sequence[Column], options: Options, *, order: str = "place") -> Query:
    """Ask for the points of x, y and colour: each row, or one per place if aggregated.

    Rows without an x are left out where x is a number or a time. `order` is `place`, as the rows
    stand, or `x`. Raises InvalidInput for columns that are not there or do not fit.
    """
    aggregate = effective(options)
    if len(options.y) > _MOST_SERIES:
        raise InvalidInput(f"At most {_MOST_SERIES} columns can be drawn at once.")
    keys = {"x": axis(columns, options.x, options.unit if aggregate != "none" else "exact")}
    if options.colour:
        keys["colour"] = category(find(columns, options.colour))
    where = present(columns, options.x)
    if aggregate == "none":
        return _rows(columns, options, keys, where, order)
    values = measures(columns, options.y, aggregate)
    ordered = role(columns, options.x) != "category"
    return grouped(keys, values, where, "x" if ordered else "y0 DESC NULLS LAST, x")


def grouped(keys: dict[str, str], values: dict[str, str], where: str, order: str) -> Query:
    """Ask for one row per place, with the values aggregated there, the first 10,000 in order."""
    chosen = ", ".join(f"{sql} AS {name}" for name, sql in (keys | values).items())
    return Query(
        f"SELECT *, count(*) OVER () AS total FROM (SELECT {chosen} FROM result{where} "
        f"GROUP BY {', '.join(map(str, range(1, len(keys) + 1)))}) ORDER BY {order} LIMIT {LIMIT}"
    )


def _rows(
    columns: Sequence[Column], options: Options, keys: dict[str, str], where: str, order: str
) -> Query:
    values = {f"y{at}": number(columns, name) for at, name in enumerate(options.y)}
    return sample(keys | values, where, order)


def sample(chosen: dict[str, str], where: str, order: str = "place") -> Query:
    """Ask for rows, an even and repeatable sample of them where there are more than 10,000."""
    picked = ", ".join(f"{sql} AS {name}" for name, sql in chosen.items())
    return Query(
        f"SELECT {', '.join(chosen)}, total FROM (SELECT {picked}, __row AS place, "
        f"(SELECT count(*) FROM result{where}) AS total FROM result{where} "
        f"ORDER BY hash(__row), __row LIMIT {LIMIT}) ORDER BY {order}, place"
    )


def effective(options: Options) -> Aggregate:
    """Return the aggregate; where nothing is measured, rows are counted."""
    return "count" if options.aggregate == "none" and not options.y else options.aggregate


def measures(columns: Sequence[Column], names: Sequence[str], how: Aggregate) -> dict[str, str]:
    """Return the SQL of the aggregated values, named y0, y1, ..."""
    if not names:
        if how not in ("count", "none"):
            raise InvalidInput(f"Choose a column for Y: there is nothing to take the {how} of.")
        return {"y0": "count(*)"}
    if how in ("count", "distinct"):
        distinct = "DISTINCT " if how == "distinct" else ""
        return {f"y{at}": f"count({distinct}{_counted(columns, n)})" for at, n in enumerate(names)}
    return {f"y{at}": f"{_SQL[how]}({number(columns, n)})" for at, n in enumerate(names)}


def _counted(columns: Sequence[Column], name: str) -> str:
    at = find(columns, name)
    return text_of(at) if family(columns[at].type) == "other" else f"c{at}"


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


def category(at: int) -> str:
    """Return the SQL of a column as a label."""
    return f"coalesce(CAST(c{at} AS VARCHAR), '{EMPTY}')"


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
