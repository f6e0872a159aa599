"""What changed between two profiles of a table: a table of cases, each with its sentences."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from core.catalog.drift import drift, percent
from core.catalog.table_profile import TableProfile
from core.engine.profile import ColumnProfile
from core.engine.results import Column

PLAIN = ColumnProfile(
    column=Column("tailnum", "VARCHAR"),
    family="text",
    rows=1000,
    nulls=0,
    nans=0,
    distinct=100,
    minimum="a",
    maximum="z",
    mean=None,
    deviation=None,
    quantiles=(),
    top=(),
    bins=(),
)


def column(**facts: Any) -> ColumnProfile:
    if "type" in facts:
        facts["column"] = Column(facts.pop("name", "tailnum"), facts.pop("type"))
    return replace(PLAIN, **facts)


def table(*columns: ColumnProfile, rows: int = 1000) -> TableProfile:
    return TableProfile(datetime.now(UTC), rows, rows, True, columns)


def quarters(low: float, middle: float, high: float) -> dict[str, Any]:
    values = ((0.25, low), (0.5, middle), (0.75, high))
    return {"type": "DOUBLE", "family": "number", "quantiles": values}


def top(*values: str, distinct: int = 0, times: int = 100) -> dict[str, Any]:
    return {"top": tuple((each, times) for each in values), "distinct": distinct or len(values)}


UNIQUE = {"distinct": 1000}


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        # nothing
        ({}, {}, []),
        # nulls
        ({"nulls": 7}, {"nulls": 90}, ["nulls in `tailnum` rose from 0.7 % to 9 %"]),
        ({"nulls": 90}, {"nulls": 7}, ["nulls in `tailnum` fell from 9 % to 0.7 %"]),
        ({"nulls": 0}, {"nulls": 1000}, ["nulls in `tailnum` rose from 0 % to 100 %"]),
        # a little more of many is noise, half as many again of few is not
        ({"nulls": 500}, {"nulls": 515}, []),
        ({"nulls": 4}, {"nulls": 8}, ["nulls in `tailnum` rose from 0.4 % to 0.8 %"]),
        # NaN
        ({"nans": 0}, {"nans": 50}, ["NaN in `tailnum` rose from 0 % to 5 %"]),
        # a key that is none any more
        (UNIQUE, {"distinct": 998}, ["`tailnum` is no longer unique: 2 rows repeat a value"]),
        (UNIQUE, {"distinct": 999}, ["`tailnum` is no longer unique: 1 row repeats a value"]),
        # a column that has got one value
        ({}, {"distinct": 1}, ["`tailnum` has one value only, of 100 before"]),
        # another type: and nothing else is compared
        ({}, {"type": "DATE", "nulls": 500}, [
            "the type of `tailnum` changed from VARCHAR to DATE",
        ]),
        # a median moves by more than half of what lies between the quarters
        (quarters(10, 20, 30), quarters(10, 31, 40), [
            "the median of `tailnum` rose from 20 to 31",
        ]),
        (quarters(10, 20, 30), quarters(0, 29, 300), []),
        # all values alike
        (quarters(5, 5, 5), quarters(5, 5, 5), []),
        # values that are new or gone, where all are known
        (top("open", "paid", times=500), top("open", "paid", "void", times=333), [
            "new in `tailnum`: 'void'",
        ]),
        (top("open", "paid", times=500), top("open", times=1000), [
            "`tailnum` has one value only, of 2 before",
            "gone in `tailnum`: 'paid'",
        ]),
        # where the list is a part, a value may only have left it
        (top("a", "b", distinct=99, times=400), top("a", "c", distinct=99, times=400), []),
        # many at once
        (top("a", times=1000), top(*"abcdef", times=160), [
            "new in `tailnum`: 'b', 'c', 'd' and 2 more",
        ]),
        # likely personal values are never named
        (
            top("a", "b", "c", times=333) | {"forms": (("e-mail address", 1.0),)},
            top("a", "b", "c", "d", times=250) | {"forms": (("e-mail address", 1.0),)},
            [],
        ),
        # a table that was empty tells nothing of its columns
        ({"rows": 0}, {"nulls": 500}, []),
    ],
)  # fmt: skip
def test_a_columns_changes_are_told(before, after, expected):
    found = drift(table(column(**before)), table(column(**after)))
    assert [each.sentence for each in found] == expected


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (1000, 1100, []),
        (1000, 500, ["rows fell from 1,000 to 500"]),
        (1000, 2000, ["rows rose from 1,000 to 2,000"]),
        (1000, 0, ["all 1,000 rows are gone"]),
        (0, 1000, []),
    ],
)
def test_rows_lost_or_doubled_are_told(before, after, expected):
    found = drift(table(PLAIN, rows=before), table(PLAIN, rows=after))
    assert [each.sentence for each in found] == expected


def test_columns_that_come_and_go_are_told_the_gone_first():
    other = replace(PLAIN, column=Column("origin", "VARCHAR"))
    found = drift(table(PLAIN), table(other))
    assert [each.sentence for each in found] == ["`tailnum` is gone", "`origin` is new"]


@pytest.mark.parametrize(
    ("share", "expected"),
    [(0, "0 %"), (0.007, "0.7 %"), (0.09, "9 %"), (0.5, "50 %"), (0.9999, "99.99 %"), (1, "100 %")],
)
def test_a_share_has_as_many_digits_as_it_needs(share, expected):
    assert percent(share) == expected
