"""What has changed between two profiles of one table, as sentences, the gravest first.

Pure: it reads two values and asks nothing. Thresholds are for exact profiles taken days apart:
below them is what tables do by themselves.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from core.catalog.personal import likely
from core.catalog.table_profile import TableProfile
from core.engine.profile import ColumnProfile

# A share that moves by two points is seen by whoever reads the column; a move by half of what was
# there as well (0.2 % to 0.4 %), but not of a share below one in a thousand, which is a few rows.
_POINTS = 0.02
_TIMES = 1.5
_LEAST = 0.001
# A table that grows by a tenth a week is usual; one that has lost a fifth of its rows is not.
_LOST, _GROWN = 0.8, 2.0
# A distribution that moves by half of its own width has moved; noise moves it by far less.
_MOVED = 0.5
# The most frequent values tell something where they are most of the rows: a status, a country.
_TELLING = 0.5
_NAMED = 3


@dataclass(frozen=True)
class Change:
    """One change: its column, empty for the table's own, and a sentence. `weight` sorts them."""

    column: str
    sentence: str
    weight: int


def drift(before: TableProfile, after: TableProfile) -> list[Change]:
    """Return what has changed between two profiles of a table, the gravest first."""
    old = {each.column.name: each for each in before.columns}
    new = {each.column.name: each for each in after.columns}
    changes = [*_of_rows(before.rows, after.rows)]
    changes += [Change(name, f"`{name}` is gone", 0) for name in old if name not in new]
    changes += [Change(name, f"`{name}` is new", 3) for name in new if name not in old]
    for name in old:
        if name in new:
            changes += _of_column(name, old[name], new[name])
    return sorted(changes, key=lambda each: each.weight)


def _of_rows(before: int | None, after: int | None) -> Iterator[Change]:
    if before is None or after is None or before == after:
        return
    if not after:
        yield Change("", f"all {before:,} rows are gone", 0)
    elif before and not _LOST <= after / before < _GROWN:
        verb = "fell" if after < before else "rose"
        yield Change("", f"rows {verb} from {before:,} to {after:,}", 1)


def _of_column(name: str, before: ColumnProfile, after: ColumnProfile) -> Iterator[Change]:
    if before.column.type != after.column.type:
        words = f"the type of `{name}` changed from {before.column.type} to {after.column.type}"
        yield Change(name, words, 0)
        return
    if not before.rows or not after.rows:
        return
    yield from _of_share(name, "nulls", before.nulls / before.rows, after.nulls / after.rows)
    yield from _of_share(name, "NaN", before.nans / before.rows, after.nans / after.rows)
    yield from _of_distinct(name, before, after)
    yield from _of_range(name, before, after)
    if not (likely(before) or likely(after)):
        yield from _of_values(name, before, after)


def _of_share(name: str, what: str, before: float, after: float) -> Iterator[Change]:
    most, least = max(before, after), min(before, after)
    if most < _LEAST or (most - least < _POINTS and most < _TIMES * least):
        return
    verb = "rose" if after > before else "fell"
    words = f"{what} in `{name}` {verb} from {percent(before)} to {percent(after)}"
    yield Change(name, words, 1 if after > before else 4)


def _of_distinct(name: str, before: ColumnProfile, after: ColumnProfile) -> Iterator[Change]:
    """Tell of keys that are none any more, and of columns that have got a single value."""
    old, new = before.rows - before.nulls, after.rows - after.nulls
    if before.distinct == old > 1 and after.distinct < new:
        again = new - after.distinct
        rows = "row repeats" if again == 1 else "rows repeat"
        yield Change(name, f"`{name}` is no longer unique: {again:,} {rows} a value", 0)
    elif before.distinct > 1 and after.distinct == 1:
        yield Change(name, f"`{name}` has one value only, of {before.distinct:,} before", 1)


def _of_range(name: str, before: ColumnProfile, after: ColumnProfile) -> Iterator[Change]:
    """Compare medians by the width between the quarters: what lies far out moves the ends alone."""
    old, new = dict(before.quantiles), dict(after.quantiles)
    places = [old.get(0.25), old.get(0.5), old.get(0.75), new.get(0.5)]
    numbers = [each for each in places if isinstance(each, int | float)]
    if len(numbers) < 4:
        return
    low, middle, high, now = numbers
    width = (high - low) or abs(middle)
    if abs(now - middle) > _MOVED * width:
        verb = "rose" if now > middle else "fell"
        words = f"the median of `{name}` {verb} from {middle:,.6g} to {now:,.6g}"
        yield Change(name, words, 2)


def _of_values(name: str, before: ColumnProfile, after: ColumnProfile) -> Iterator[Change]:
    """Name values that are new or gone, where the most frequent ones are all or most there are."""
    if _covered(before) < _TELLING or _covered(after) < _TELLING:
        return
    for these, those, verb, weight in (
        (after, before, "new", 2),
        (before, after, "gone", 3),
    ):
        # Where the list is not all there is, a value may only have left the list.
        if len(those.top) < those.distinct:
            continue
        known = {value for value, _ in those.top}
        found = [value for value, _ in these.top if value not in known]
        if found:
            named = ", ".join(repr(each) for each in found[:_NAMED])
            more = f" and {len(found) - _NAMED} more" if len(found) > _NAMED else ""
            yield Change(name, f"{verb} in `{name}`: {named}{more}", weight)


def _covered(profile: ColumnProfile) -> float:
    filled = profile.rows - profile.nulls
    return sum(times for _, times in profile.top) / filled if filled else 0.0


def percent(share: float) -> str:
    """Write a share in as many digits as it needs: 0.7 %, 9 %, 100 %."""
    if share in (0.0, 1.0) or 0.0995 <= share <= 0.995:
        return f"{share:.0%}".replace("%", " %")
    return f"{share * 100:.2g} %" if share < 0.5 else f"{share * 100:.4g} %"
