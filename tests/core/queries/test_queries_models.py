"""The parameters of saved queries keep their types, and those of old ones are still read."""

from __future__ import annotations

import json
from datetime import date, datetime, time
from decimal import Decimal
from math import inf

import pytest

from core.errors import InvalidInput
from core.queries.models import SavedQuery

VALUES = [
    None,
    True,
    12,
    2**127 - 1,
    1.5,
    inf,
    "12",
    "None",
    Decimal("0.1234567890123456789"),
    date(2013, 1, 31),
    datetime(2013, 1, 31, 12, 30),
    time(12, 30),
    b"\0\xff",
    [1, None, [date(2013, 1, 31)]],
]


@pytest.mark.parametrize("value", VALUES)
def test_a_saved_parameter_is_given_back_as_it_was(value):
    kept = SavedQuery(name="Q", sql="SELECT $p", parameters={"p": value}).to_text()
    again = SavedQuery.from_text(kept).parameters["p"]
    assert again == value
    assert type(again) is type(value)


@pytest.mark.parametrize(
    ("kept", "value"),
    [
        ("12", 12),  # as it stood in the field
        ("'12'", "12"),
        ("EWR", "EWR"),
        ("", ""),
        (12, 12),  # as the API took it
        (None, None),
        ([1, "2"], [1, "2"]),
        ({"x": 1}, '{"x": 1}'),
        ([{"x": 1}], '[{"x": 1}]'),
    ],
)
def test_a_query_that_was_saved_with_texts_of_fields_still_opens(kept, value):
    fields = {"schema_version": 1, "name": "Q", "sql": "SELECT $p", "parameters": {"p": kept}}
    query = SavedQuery.from_text(json.dumps(fields))
    assert query.parameters == {"p": value}
    assert SavedQuery.from_text(query.to_text()) == query


def test_a_parameter_that_sql_cannot_take_is_not_saved():
    with pytest.raises(InvalidInput, match=r"\$p is an object"):
        SavedQuery(name="Q", sql="SELECT $p", parameters={"p": {"x": 1}})
