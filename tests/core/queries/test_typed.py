"""What is in a parameter's field is read as SQL would read it, and shown as people write it."""

from __future__ import annotations

from decimal import Decimal

import pytest

from core.queries.typed import typed, written

READ = [
    ("12", 12),
    (" -7 ", -7),
    ("007", 7),
    ("1.5", 1.5),
    (".5", 0.5),
    ("1e5", 1e5),
    ("NULL", None),
    ("True", True),
    ("'12'", "12"),
    ("'it''s'", "it's"),
    ("", ""),
    (str(2**127 - 1), 2**127 - 1),
    (str(-(2**127)), -(2**127)),
    ("0.1234567890123456789", Decimal("0.1234567890123456789")),  # a DOUBLE would lose the last
    ("-0." + "1" * 38, Decimal("-0." + "1" * 38)),
    ("1." + "0" * 60, 1.0),  # as exact
]
TEXTS = [
    "EWR",
    " padded ",
    "2013-01-31",
    "nan",
    "inf",
    "-Infinity",
    "1_000",  # int() would take it, as it would
    "\u0663",  # digits of other scripts
    "1.5.2",
    "- 5",
    "1e400",  # out of reach for a DOUBLE
    str(2**127),
    "9" * 5_000,
    "0." + "1" * 39,
    "0.1234567890123456789" + "0" * 30,  # more than DECIMAL(38) writes
    "'",
    "'a' or 'b'",
]


@pytest.mark.parametrize(("text", "value"), READ)
def test_a_field_is_read_as_sql_writes_values(text: str, value: object) -> None:
    assert typed(text) == value
    assert type(typed(text)) is type(value)


@pytest.mark.parametrize("text", TEXTS)
def test_everything_else_is_text_as_it_stands(text: str) -> None:
    assert typed(text) == text


@pytest.mark.parametrize(
    "value",
    [value for _, value in READ] + TEXTS + ["12", "'12'", "null", "true", " 12 ", 1e22, 2**100],
)
def test_what_is_written_is_read_as_the_same_value(value: object) -> None:
    again = typed(written(value))
    assert again == value
    assert type(again) is type(value)


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "null"), (True, "true"), (12, "12"), ("12", "'12'"), ("EWR", "EWR"), ("it's", "it's")],
)
def test_a_field_shows_a_value_as_people_write_it(value: object, text: str) -> None:
    assert written(value) == text
