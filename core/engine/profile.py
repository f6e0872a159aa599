"""What is known of each column of a result or a table: nulls, distinct values, range and shape.

`profile` asks about a kept result, 50 columns at a time. Above a million rows it looks at an even
sample of about 200,000 and says so.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from core.engine import shape
from core.engine.forms import FORMS
from core.engine.question import QUANTILES, TOP, question
from core.engine.relation import Family, Query, family
from core.engine.results import Column
from core.engine.shape import Bin

if TYPE_CHECKING:
    import polars as pl

SAMPLE_ABOVE = 1_000_000
SAMPLE_ROWS = 200_000

_CHUNK = 50
_TELLING = 0.5
"""The share of values that a shape must have to be told before those of runs."""


@dataclass(frozen=True)
class ColumnProfile:
    """What is known of one column. Counts are of the `rows` looked at; None: it has no such thing.

    `minimum` and `maximum` are text as the engine shows it, cut at 200 characters, without NaN;
    `mean`, `deviation`, quantiles and bins leave out NaN and infinities. `quantiles` are pairs of
    a share (0 to 1) and a value. `top` are the most frequent values with their counts, empty where
    each value stands once. `lengths` are the least, mean and most characters of a text. `sampled`
    is the size of the result that `rows` is a sample of.

    `shapes` are the most frequent forms of a text with their share of the values, as
    `core.engine.forms` writes them, and `forms` what the values look like, with the share that
    does; both are empty where they were not asked for.
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
    lengths: tuple[int, float, int] | None = None
    shapes: tuple[tuple[str, float], ...] = ()
    forms: tuple[tuple[str, float], ...] = ()
    sampled: int | None = None
    approximate: bool = False
    """Whether quantiles are estimates: off by up to a hundredth of the rows."""

    @property
    def note(self) -> str:
        """What a reader must know of these figures, or nothing."""
        if self.sampled is not None:
            return f"from a sample of {self.rows:,} of {self.sampled:,} rows"
        return "quantiles are estimates" if self.approximate else ""


def profile(
    columns: Sequence[Column], rows: int, ask: Callable[[Query], pl.DataFrame]
) -> list[ColumnProfile]:
    """Profile a result of `rows` rows, with `ask` answering questions over it.

    Raises what `ask` raises.
    """
    sampled = rows if rows > SAMPLE_ABOVE else None
    # One row in so many: by a hash, so that a rhythm in the rows does not matter.
    chosen = f" WHERE hash(__row) % {rows // SAMPLE_ROWS} = 0" if sampled else ""
    # A sample is taken once; a whole result is rather scanned for each column than copied.
    kept = "MATERIALIZED" if sampled else "NOT MATERIALIZED"
    profiles = []
    for start in range(0, len(columns), _CHUNK):
        chunk = [*enumerate(columns)][start : start + _CHUNK]
        names = ", ".join(f"c{at}" for at, _ in chunk)
        seen = f"WITH seen AS {kept} (SELECT {names} FROM result{chosen})"
        answer = ask(Query(f"SELECT * FROM ({seen} {question(chunk)})"))
        facts = dict(answer.rows())
        profiles += [read(column, facts[at], sampled=sampled) for at, column in chunk]
    return profiles


def read(
    column: Column, facts: str, *, sampled: int | None = None, approximate: bool = False
) -> ColumnProfile:
    """Read the answer to the question about a column."""
    told: dict[str, Any] = json.loads(facts)
    kind = family(column.type)
    valid = told["rows"] - told["nulls"]
    low, high = told.get("low"), told.get("high")
    counts = {bin_at: times for bin_at, times in told.get("bins") or ()}
    top = [(each["item"], each["times"]) for each in told.get("top") or ()]
    repeated = told["distinct"] < valid or told["distinct"] <= TOP
    return ColumnProfile(
        column=column,
        family=kind,
        rows=told["rows"],
        nulls=told["nulls"],
        nans=told.get("nans") or 0,
        distinct=told["distinct"],
        minimum=told.get("min"),
        maximum=told.get("max"),
        quantiles=_quantiles(told, kind, approximate),
        top=tuple(top) if repeated else (),
        bins=() if low is None or high is None else shape.grid(low, high, kind).bins(counts),
        lengths=_lengths(told.get("lengths")),
        shapes=_shapes(told.get("shapes"), valid),
        forms=_forms(told.get("forms")),
        sampled=sampled,
        approximate=approximate and bool(told.get("quantiles")),
        **_moments(told),
    )


def _lengths(told: Sequence[Any] | None) -> tuple[int, float, int] | None:
    if not told or told[0] is None:
        return None
    least, mean, most = told
    return int(least), mean, int(most)


def _moments(told: Mapping[str, Any]) -> dict[str, float | None]:
    """Return mean and sample deviation, of sums taken from the middle of the range."""
    if told.get("sum") is None:
        return {"mean": None, "deviation": None}
    count, total = told["sane"], told["sum"]
    mean = (told["low"] + told["high"]) / 2 + total / count
    spare = max(0.0, told["squares"] - total * total / count)
    return {"mean": mean, "deviation": math.sqrt(spare / (count - 1)) if count > 1 else None}


def _quantiles(
    told: Mapping[str, Any], kind: Family, approximate: bool
) -> tuple[tuple[float, float | str], ...]:
    values = [each for each in told.get("quantiles") or () if each is not None]
    if not values:
        return ()
    if not approximate:
        last = told["sane"] - 1
        pairs = zip(values[::2], values[1::2], QUANTILES, strict=True)
        values = [low + (high - low) * (share * last % 1) for low, high, share in pairs]
    pairs_of = zip(QUANTILES, values, strict=True)
    return tuple((share, shape.shown(value, kind)) for share, value in pairs_of)


def _shapes(told: Sequence[Any] | None, valid: int) -> tuple[tuple[str, float], ...]:
    """Take whole shapes where one of them tells most of the values, else those of runs."""
    if not told or not told[0]:
        return ()
    whole, runs = ([(each["item"], each["times"] / valid) for each in some] for some in told)
    return tuple(whole if whole[0][1] >= _TELLING or len(whole) <= len(runs) else runs)


def _forms(told: Sequence[int] | None) -> tuple[tuple[str, float], ...]:
    if not told or not told[0]:
        return ()
    tried, *found = told
    shares = [(name, times / tried) for name, times in zip(FORMS, found, strict=True) if times]
    return tuple(sorted(shares, key=lambda each: -each[1]))
