"""The summary of a kept result: for each column its nulls, distinct values, range and shape.

Three questions to the engine for every 50 columns, each one scan. Above a million rows it looks at
an even sample of about 200,000 and says so, unless asked to be exact; what is then still estimated
(distinct values, quantiles) is flagged.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from core.engine import shape
from core.engine.relation import Family, Query, family, text_of
from core.engine.results import Column
from core.engine.shape import Bin

if TYPE_CHECKING:
    import polars as pl

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
SAMPLE_ABOVE = 1_000_000
SAMPLE_ROWS = 200_000

_CHUNK = 50
_TOP = 10
_TEXT = 200
# Squares of larger numbers overflow, and one such value would take the mean from all others.
_SANE = "1e150"


@dataclass(frozen=True)
class ColumnProfile:
    """What is known of one column. Counts are of the `rows` looked at; None: it has no such thing.

    `minimum` and `maximum` are text as the engine shows it, cut at 200 characters, without NaN;
    `mean`, `deviation`, quantiles and bins leave out NaN and infinities. `quantiles` are pairs of
    a share (0 to 1) and a value. `top` are the most frequent values with their counts, empty where
    each value stands once. `sampled` is the size of the result that `rows` is a sample of.
    """

    column: Column
    family: Family
    rows: int
    nulls: int
    nans: int
    distinct: int
    minimum: str | None
    maximum: str | None
    mean: float | None
    deviation: float | None
    quantiles: tuple[tuple[float, float | str], ...]
    top: tuple[tuple[str, int], ...]
    bins: tuple[Bin, ...]
    sampled: int | None = None
    approximate: bool = False
    """Whether distinct values and quantiles are estimates, off by up to a quarter."""

    @property
    def note(self) -> str:
        """What a reader must know of these figures, or nothing."""
        if self.sampled is not None:
            return f"from a sample of {self.rows:,} of {self.sampled:,} rows"
        return "distinct values and quantiles are estimates" if self.approximate else ""


def profile(
    columns: Sequence[Column],
    rows: int,
    ask: Callable[[Query], pl.DataFrame],
    *,
    exact: bool = False,
) -> list[ColumnProfile]:
    """Profile a result of `rows` rows, with `ask` answering questions over it.

    Raises what `ask` raises.
    """
    large = rows > SAMPLE_ABOVE
    sampled = rows if large and not exact else None
    source = _sample(columns, rows // SAMPLE_ROWS) if sampled else "result"
    profiles = []
    for start in range(0, len(columns), _CHUNK):
        chunk = list(enumerate(columns))[start : start + _CHUNK]
        estimate = large and exact
        facts = ask(_facts_query(chunk, source, estimate=estimate)).row(0, named=True)
        top = _top(chunk, facts, source, ask)
        bins = _bins(chunk, facts, source, ask)
        profiles += [
            _profile(at, column, facts, top, bins, sampled, estimate) for at, column in chunk
        ]
    return profiles


def _sample(columns: Sequence[Column], step: int) -> str:
    """Take one row in `step`: by a hash, so that a rhythm in the rows does not matter."""
    return f"(SELECT * FROM result WHERE hash(__row) % {step} = 0)"


def _facts_query(chunk: list[tuple[int, Column]], source: str, *, estimate: bool) -> Query:
    parts = ['count(*) AS "rows"']
    for at, column in chunk:
        parts += [f"{sql} AS {name}{at}" for name, sql in _facts(at, column, estimate).items()]
    return Query(f"SELECT {', '.join(parts)} FROM {source}")


def _facts(at: int, column: Column, estimate: bool) -> dict[str, str]:
    """Return the aggregates over one column by name."""
    kind, cell = family(column.type), f"c{at}"
    key = text_of(at) if kind == "other" else cell
    facts = {"valid": f"count({cell})"}
    facts["distinct"] = f"approx_count_distinct({key})" if estimate else f"count(DISTINCT {key})"
    real = f"FILTER (NOT isnan({cell}))" if column.type in ("FLOAT", "DOUBLE") else ""
    if real:
        facts["nan"] = f"count(*) FILTER (isnan({cell}))"
    if column.type in ("JSON",) or (kind == "other" and column.type != "INTERVAL"):
        return facts
    for name in ("min", "max"):
        facts[name] = f"left(CAST({name}({cell}) {real} AS VARCHAR), {_TEXT})"
    measure = shape.measure(at, kind)
    if measure is None:
        return facts
    sane = f"FILTER (abs({measure}) < {_SANE})"
    quantile = "approx_quantile" if estimate else "quantile_cont"
    shares = ", ".join(map(str, QUANTILES))
    facts |= {"low": f"min({measure}) {sane}", "high": f"max({measure}) {sane}"}
    facts["quantiles"] = f"{quantile}({measure}, [{shares}]) {sane}"
    if kind in ("integer", "number"):
        facts |= {"mean": f"avg({measure}) {sane}", "deviation": f"stddev_samp({measure}) {sane}"}
    return facts


def _top(
    chunk: list[tuple[int, Column]],
    facts: dict[str, Any],
    source: str,
    ask: Callable[[Query], pl.DataFrame],
) -> dict[int, list[tuple[str, int]]]:
    repeated = [at for at, _ in chunk if 0 < facts[f"distinct{at}"] < facts[f"valid{at}"]]
    repeated += [at for at, _ in chunk if 0 < facts[f"valid{at}"] == facts[f"distinct{at}"] <= _TOP]
    parts = [
        f"(SELECT {at} AS at, left({text_of(at)}, {_TEXT}) AS item, count(*) AS times "
        f"FROM seen WHERE c{at} IS NOT NULL GROUP BY ALL ORDER BY times DESC, item LIMIT {_TOP})"
        for at in repeated
    ]
    found: dict[int, list[tuple[str, int]]] = {}
    if parts:
        query = Query(f"SELECT * FROM ({_seen(chunk, source)} {' UNION ALL '.join(parts)})")
        for at, item, times in ask(query).sort("at", "times", descending=[False, True]).rows():
            found.setdefault(at, []).append((item, times))
    return found


def _seen(chunk: list[tuple[int, Column]], source: str) -> str:
    """Name the rows looked at, for questions with a part for each column.

    A sample is taken once; a whole result is rather scanned for each column than copied.
    """
    names = ", ".join(f"c{at}" for at, _ in chunk)
    kept = "NOT MATERIALIZED" if source == "result" else "MATERIALIZED"
    return f"WITH seen AS {kept} (SELECT {names} FROM {source})"


def _bins(
    chunk: list[tuple[int, Column]],
    facts: dict[str, Any],
    source: str,
    ask: Callable[[Query], pl.DataFrame],
) -> dict[int, tuple[Bin, ...]]:
    grids, parts = {}, []
    for at, column in chunk:
        kind = family(column.type)
        measure = shape.measure(at, kind)
        if measure is None or facts[f"low{at}"] is None:
            continue
        grids[at] = grid = shape.grid(facts[f"low{at}"], facts[f"high{at}"], kind)
        parts.append(
            f"(SELECT {at} AS at, {grid.index(measure)} AS bin, count(*) AS times "
            f"FROM seen WHERE abs({measure}) < {_SANE} GROUP BY ALL)"
        )
    if not parts:
        return {}
    query = Query(f"SELECT * FROM ({_seen(chunk, source)} {' UNION ALL '.join(parts)})")
    counts = {(at, bin_at): times for at, bin_at, times in ask(query).rows()}
    return {at: grid.bins(at, counts) for at, grid in grids.items()}


def _profile(
    at: int,
    column: Column,
    facts: dict[str, Any],
    top: dict[int, list[tuple[str, int]]],
    bins: dict[int, tuple[Bin, ...]],
    sampled: int | None,
    estimate: bool,
) -> ColumnProfile:
    kind = family(column.type)
    values = facts.get(f"quantiles{at}") or []
    return ColumnProfile(
        column=column,
        family=kind,
        rows=facts["rows"],
        nulls=facts["rows"] - facts[f"valid{at}"],
        nans=facts.get(f"nan{at}") or 0,
        # An estimate can exceed what there is.
        distinct=min(facts[f"distinct{at}"], facts[f"valid{at}"]),
        minimum=facts.get(f"min{at}"),
        maximum=facts.get(f"max{at}"),
        mean=facts.get(f"mean{at}"),
        deviation=facts.get(f"deviation{at}"),
        quantiles=tuple(
            (share, shape.shown(value, kind))
            for share, value in zip(QUANTILES, values, strict=False)
        ),
        top=tuple(top.get(at, ())),
        bins=bins.get(at, ()),
        sampled=sampled,
        approximate=estimate,
    )
