"""Values of parameters cross to the worker as JSON and come out as they went in."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, time
from decimal import Decimal

import pytest

from core.engine.parameters import from_json, to_json
from core.errors import InvalidInput


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        -(2**127),
        1.5,
        float("inf"),
        float("-inf"),
        2**128 - 1,
        "\U0001f986 '\\",
        date(1, 1, 1),
        datetime(2024, 2, 29, 12, 0, 0, 5),
        datetime(2024, 2, 29, tzinfo=UTC),
        time(23, 59, 59, 999999),
        Decimal("-0.10"),
        b"\0\xff",
        [],
        [1, [None, date(2024, 1, 1)]],
    ],
)
def test_a_value_survives_the_journey(value: object) -> None:
    travelled = from_json(json.loads(json.dumps(to_json({"p": value}))))["p"]
    assert travelled == value
    assert type(travelled) is type(value)


@pytest.mark.parametrize("value", [object(), {"a": 1}, {1}, 1j, [object()]])
def test_a_value_that_sql_cannot_take_is_refused_by_name(value: object) -> None:
    with pytest.raises(InvalidInput, match=r"value of \$price is a"):
        to_json({"price": value})


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("a \ud800", "not valid Unicode"),
        (["\udfff"], "not valid Unicode"),
        (2**128, "more digits"),
        (-(2**127) - 1, "more digits"),
        pytest.param(10**5000, "more digits", id="too-long-for-python"),
        (Decimal("1E+38"), "more digits"),
    ],
)
def test_a_value_that_the_engine_cannot_hold_is_refused_by_name(value: object, words: str) -> None:
    with pytest.raises(InvalidInput, match=rf"value of \$price .*{words}"):
        to_json({"price": value})


@pytest.mark.parametrize(
    "value",
    [
        {},
        {"a": 1},
        {"$": "pickle", "value": ""},
        {"$": "date", "value": "today"},
        {"$": "decimal", "value": "x"},
        {"$": ["date"], "value": "2013-01-01"},
        [{"$": "time", "value": 1}],
    ],
)
def test_an_object_that_was_not_written_here_is_refused_by_name(value: object) -> None:
    with pytest.raises(InvalidInput, match=r"value of \$day is an object"):
        from_json({"day": value})


def test_a_list_too_deep_for_python_is_refused_by_name() -> None:
    deep: list[object] = []
    for _ in range(900):
        deep = [deep]
    with pytest.raises(InvalidInput, match=r"\$deep .* 50 deep"):
        to_json({"deep": deep})
