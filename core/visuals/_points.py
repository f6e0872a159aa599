"""The questions behind charts: how rows become points, at most 10,000 of them.

Answers have the columns `x`, `colour` (where asked for), `y0`, `y1`, ... and `total`: how many
points there were before the cut.
"""

from __future__ import annotations

from collections.abc import Sequence

from core.engine.relation import Query, family, text_of
from core.engine.results import Column
from core.errors import InvalidInput
from core.visual import Aggregate, Options
from core.visuals._axes import axis, present
from core.visuals._columns import category, find, number, role

LIMIT = 10_000
_MOST_SERIES = 20
_SQL = {"sum": "sum", "avg": "avg", "min": "min", "max": "max", "median": "median"}


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
