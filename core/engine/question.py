"""The SQL that asks for all figures of columns, over the cells c0, c1, ... of the relation `seen`.

A column is grouped once, and all is reckoned from its values and how often each of them stands
there. To count the distinct values of 12 columns x 10 M rows in one SELECT took 15.5 s, one by one
5.6 s: each count then has the threads and the memory for itself. Nothing here runs anything.
"""

from __future__ import annotations

from collections.abc import Iterable

from core.engine import forms, shape
from core.engine.relation import Family, family
from core.engine.results import Column
from core.engine.shape import DAY, EXACT, MOST

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
TOP = 10

_TEXT = 200
_WITH_FORMS = ("VARCHAR", "BIGINT", "UBIGINT", "HUGEINT")
"""A smaller number has too few digits for a card's, and each form asked for takes 1 ms to plan."""
# Squares of larger numbers overflow, and one such value would take the mean from all others.
_SANE = "1e150"


def question(
    columns: Iterable[tuple[int, Column]],
    *,
    various: frozenset[int] = frozenset(),
    look: bool = False,
    once: bool = True,
) -> str:
    """Return a SELECT of `at`, a column's position, and `facts`, an object as JSON text.

    Columns that are `various` have about as many values as rows: they are not grouped, their
    quantiles are estimated, and no value is told as frequent. `look` asks for shapes and forms of
    values as well. Without `once`, a value that stands there once is none of the most frequent.
    """
    asked = (_ask(at, column, at in various, look, once) for at, column in columns)
    return " UNION ALL ".join(f"SELECT * FROM ({each})" for each in asked)


def _ask(at: int, column: Column, various: bool, look: bool, once: bool) -> str:
    kind = family(column.type)
    cell = f"CAST(c{at} AS VARCHAR)" if kind == "other" else f"c{at}"
    grouped = f"SELECT {cell} AS v, count(*) AS n FROM seen GROUP BY 1"
    steps = {"g": f"SELECT {cell} AS v, 1 AS n FROM seen" if various else grouped}
    facts, source = _counts(column, kind, various), "g"
    if not various:
        facts["top"] = _top(once)
    measure = shape.measure("v", kind)
    if measure is not None:
        steps |= _measures(measure, kind, various)
        facts |= _spread(kind, various)
        source = "m, r"
    if kind == "text":
        length = "length(CAST(v AS VARCHAR))"
        mean = f"sum({length} * n) / sum(n) FILTER (v IS NOT NULL)"
        facts["lengths"] = f"[min({length}), {mean}, max({length})]"
    if look and column.type in _WITH_FORMS:
        facts["forms"] = f"({forms.forms_of('g')})"
    if look and column.type == "VARCHAR":
        facts["shapes"] = f"({forms.shapes_of('g')})"
    # What is not grouped is read again for each step: kept, it would be a copy of the column.
    kept = " NOT MATERIALIZED" if various else ""
    begin = ", ".join(f"{name} AS{kept} ({sql})" for name, sql in steps.items())
    named = ", ".join(f"'{name}': {sql}" for name, sql in facts.items())
    told = f"CAST(to_json({{{named}}}) AS VARCHAR)"
    return f"WITH {begin} SELECT {at} AS at, {told} AS facts FROM {source}"


def _counts(column: Column, kind: Family, various: bool) -> dict[str, str]:
    """Return what can be told of any column: counts and ends."""
    facts = {
        "rows": _count("TRUE", various),
        "nulls": _count("v IS NULL", various),
        "distinct": "(SELECT count(DISTINCT v) FROM g)" if various else "count(v)",
    }
    real = column.type in ("FLOAT", "DOUBLE")
    if real:
        facts["nans"] = _count("isnan(v)", various)
    if column.type != "JSON" and (kind != "other" or column.type == "INTERVAL"):
        for name in ("min", "max"):
            end = f"{name}(v) FILTER (NOT isnan(v))" if real else f"{name}(v)"
            facts[name] = f"left(CAST({end} AS VARCHAR), {_TEXT})"
    return facts


def _count(condition: str, various: bool) -> str:
    """Count rows: those of groups, or as they are."""
    if various:
        return f"count(*) FILTER ({condition})" if condition != "TRUE" else "count(*)"
    return f"CAST(coalesce(sum(n) FILTER ({condition}), 0) AS BIGINT)"


def _top(once: bool) -> str:
    which = "v IS NOT NULL" if once else "v IS NOT NULL AND n > 1"
    top = f"min_by({{'v': v, 'n': n}}, (-n, v), {TOP}) FILTER ({which})"
    cut = f"left(CAST(x.v AS VARCHAR), {_TEXT})"
    return f"list_transform({top}, lambda x: {{'item': {cut}, 'times': x.n}})"


def _measures(measure: str, kind: Family, various: bool) -> dict[str, str]:
    """Return the steps to quantiles and bins: `m` has a measure beside each value, NULL if mad."""
    sane = f"CASE WHEN abs({measure}) < {_SANE} THEN {measure} END AS m"
    steps = {
        "m": f"SELECT v, n, {sane} FROM g",
        "d": "SELECT m, n FROM m WHERE m IS NOT NULL",
        "r": f"SELECT low, high, {_width('low', 'high', kind)} AS width "
        "FROM (SELECT min(m) AS low, max(m) AS high FROM d)",
        "b": f"SELECT {_index('m')} AS bin, {_count('TRUE', various)} AS times "
        "FROM d, r GROUP BY 1",
    }
    if various:
        shares = ", ".join(map(str, QUANTILES))
        return steps | {"q": f"SELECT approx_quantile(m, [{shares}]) AS q FROM d"}
    # The values on both sides of a place that falls between two rows; the reader goes between.
    places = (f"{end}({share} * (total - 1))" for share in QUANTILES for end in ("floor", "ceil"))
    values = ", ".join(f"min(m) FILTER (upto > {place})" for place in places)
    upto = "sum(n) OVER (ORDER BY m ROWS UNBOUNDED PRECEDING) AS upto, sum(n) OVER () AS total"
    return steps | {"q": f"SELECT [{values}] AS q FROM (SELECT m, {upto} FROM d)"}


def _spread(kind: Family, various: bool) -> dict[str, str]:
    """Return how measures lie; squares are taken from the middle, where they lose no digits."""
    facts = {
        "low": "any_value(low)",
        "high": "any_value(high)",
        "sane": _count("m IS NOT NULL", various),
        "quantiles": "(SELECT q FROM q)",
        "bins": "(SELECT list([bin, times]) FROM b)",
    }
    if kind in ("integer", "number"):
        from_middle = "(m - (low + high) / 2)"
        times = "" if various else "n * "
        squares = f"sum({times}{from_middle} * {from_middle})"
        facts |= {"sum": f"sum({times}{from_middle})", "squares": squares}
    return facts


def _width(low: str, high: str, kind: Family) -> str:
    """Return the SQL of the width of the bins that `grid` lays between two measures."""
    span = f"({high} - {low})"
    even = f"CASE WHEN {low} = {high} THEN 1.0 ELSE {span} / {MOST}.0 END"
    unit = {"date": DAY, "integer": 1}.get(kind)
    if unit is None:
        return even
    whole = f"{unit} * ceil(({span} / {unit}.0 + 1) / {MOST})"
    return f"CASE WHEN greatest(abs({low}), abs({high})) < {EXACT} THEN {whole} ELSE {even} END"


def _index(measure: str) -> str:
    """Return the SQL of the number of the bin that a measure falls in, beside `low` and `width`."""
    return f"CAST(greatest(0, least(floor(({measure} - low) / width), {MOST - 1})) AS INTEGER)"
