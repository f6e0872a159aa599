"""Which columns likely hold personal data: by the forms of their values, and by their names."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.catalog.personal import likely, masked
from core.engine.profile import ColumnProfile
from core.engine.results import Column
from tests.core.catalog.test_drift import PLAIN

MAILS = (("e-mail address", 1.0),)


def named(name: str, type: str = "VARCHAR", family: str = "text") -> ColumnProfile:
    return replace(PLAIN, column=Column(name, type), family=family)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("first_name", "a person's name"),
        ("lastName", "a person's name"),
        ("Customer Name", "a person's name"),
        ("e-mail", "e-mail address"),
        ("customer_email", "e-mail address"),
        ("Phone", "phone number"),
        ("dob", "date of birth"),
        ("client_ip", "IP address"),
        ("iban", "IBAN"),
        # names of things
        ("name", None),
        ("carrier_name", None),
        ("filename", None),
        ("ship", None),
        ("zip", None),
        ("emails_sent", None),
    ],
)
def test_a_name_tells_or_does_not(name, kind):
    found = likely(named(name))
    assert (found and found.kind) == kind
    if found:
        assert found.words == f"likely {kind}, by its name"


def test_a_number_is_no_name_and_an_empty_column_holds_nothing():
    assert likely(named("email", "DOUBLE", "number")) is None
    assert likely(named("birth_date", "DATE", "date")).kind == "date of birth"
    assert likely(replace(named("email"), nulls=1000, distinct=0)) is None


@pytest.mark.parametrize(
    ("forms", "kind"),
    [
        (MAILS, "e-mail address"),
        ((("e-mail address", 0.06),), "e-mail address"),
        ((("e-mail address", 0.01),), None),
        # four numbers with dots may be a version, sixteen digits an order
        ((("IP address", 0.3),), None),
        ((("card number", 0.1),), None),
        ((("card number", 0.98),), "card number"),
    ],
)
def test_forms_count_from_a_share_on(forms, kind):
    found = likely(replace(PLAIN, forms=forms))
    assert (found and found.kind) == kind


def test_one_address_among_settings_is_no_list_of_people():
    assert likely(replace(PLAIN, forms=MAILS, distinct=1)) is None


def test_the_share_is_said():
    words = likely(replace(PLAIN, forms=(("IBAN", 0.51),))).words
    assert words == "likely IBAN, by the form of 51% of the values"


def test_no_value_is_left_of_a_column_that_is_likely_personal():
    whole = replace(PLAIN, forms=MAILS, top=(("ann@example.org", 2),), minimum="ann@example.org")
    assert "ann" not in repr(masked(whole))
    assert likely(masked(whole)) == likely(whole)
    assert masked(PLAIN) is PLAIN
