"""What texts look like, as DuckDB tells it: their forms with check digits, and their shapes."""

from __future__ import annotations

import duckdb
import pytest

from core.engine.forms import FORMS, forms_of, shapes_of
from core.engine.profile import read
from core.engine.question import question
from core.engine.results import Column

CASES = [
    ("e-mail address", "ann@example.org"),
    ("e-mail address", "ann.o+news@mail.example.co.uk"),
    ("", "ann@localhost"),
    ("", "see ann@example.org"),
    ("phone number", "+44 20 7946 0958"),
    ("phone number", "+491701234567"),
    ("phone number", "(030) 1234567"),
    ("phone number", "0170-1234567"),
    ("phone number", "555-123-4567"),
    ("", "2024-01-01"),  # a day
    ("", "1234567"),  # any number
    ("", "2024-000123"),  # a number of an invoice
    ("IBAN", "DE89 3704 0044 0532 0130 00"),
    ("IBAN", "GB82WEST12345698765432"),
    ("", "DE88370400440532013000"),  # a digit is wrong
    ("card number", "4111 1111 1111 1111"),
    ("card number", "5500000000000004"),
    ("card number", "340000000000009"),
    ("", "4111111111111112"),  # fails Luhn's check
    ("", "0000000000000000"),
    ("IP address", "192.168.0.1"),
    ("IP address", "2001:db8::ff00:42:8329"),
    ("", "1.2.3"),
    ("", "300.1.1.1"),
    ("", "00:1a:2b:3c:4d:5e"),  # of a network card
    ("", ""),
    ("", "Ärger \U0001f986"),
]


@pytest.mark.parametrize(("form", "text"), CASES)
def test_a_text_has_just_this_form(form, text):
    with duckdb.connect() as con:
        con.execute("CREATE TABLE g AS SELECT ? AS v, 1 AS n", [text])
        ((counts,),) = con.execute(forms_of("g")).fetchall()
    assert counts[0] == 1
    found = [name for name, times in zip(FORMS, counts[1:], strict=True) if times]
    assert found == ([form] if form else [])


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        # all alike: the shape in full
        (["AB-1234", "XY-0001"], ("AA-9999", 1.0)),
        # of different lengths: runs
        ([f"{'x' * at}{at}@a.de" for at in range(1, 9)], ("a+9+@a+.a+", 1.0)),
        # other letters stand for themselves
        (["ä1"], ("ä9", 1.0)),
    ],
)
def test_the_shape_of_most_values_is_told(values, expected):
    with duckdb.connect() as con:
        con.execute("CREATE TABLE seen AS SELECT unnest(?) AS c0", [values])
        column = Column("x", "VARCHAR")
        ((_, facts),) = con.execute(question([(0, column)], look=True)).fetchall()
    assert read(column, facts).shapes[0] == expected


def test_of_no_texts_nothing_is_told():
    with duckdb.connect() as con:
        con.execute("CREATE TABLE g AS SELECT NULL::VARCHAR AS v, 3 AS n")
        assert con.execute(forms_of("g")).fetchall() == [([0] * (len(FORMS) + 1),)]
        assert con.execute(shapes_of("g")).fetchall() == [([None, None],)]
