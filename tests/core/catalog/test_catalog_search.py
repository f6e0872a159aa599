"""The search over names and notes."""

from __future__ import annotations

import pytest

from core.catalog.note import Note
from core.catalog.search import Index
from tests.core.catalog.trees import tree

FLIGHTS = {"flights": ("carrier", "dep_delay"), "airlines": ("carrier", "name")}
SHOP = {"orders": ("id", "customer_id"), "customers": ("id", "Name")}
NOTES = {
    ("shop", "main", "orders"): {
        "": Note("What was *sold*, by day", ("Finance", "daily"), "Ben Ott"),
        "id": Note("from the till"),
        "customer_id": Note(tags=("pii",), owner="Ana"),
    },
    ("shop", "main", "gone"): {"": Note("finance")},
}


def found(text: str, notes=None) -> dict[str, list[str]]:
    hits = Index(tree(files=FLIGHTS, shop=SHOP), notes or {}).find(text)
    return {hit.table.name: [column.name for column in hit.columns] for hit in hits}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # without a word: all
        ("  ", {"flights": [], "airlines": [], "orders": [], "customers": []}),
        # the name of a table
        ("airl", {"airlines": []}),
        # a column of two
        ("carrier", {"flights": ["carrier"], "airlines": ["carrier"]}),
        # a table by name before one by its column
        ("customer", {"customers": [], "orders": ["customer_id"]}),
        # in upper or lower case
        ("NAME", {"airlines": ["name"], "customers": ["Name"]}),
        # two words, of table and column
        ("flights delay", {"flights": ["dep_delay"]}),
        # two words, of two columns, in the table's order
        ("delay carrier", {"flights": ["carrier", "dep_delay"]}),
        # the name of a source
        ("shop", {"orders": [], "customers": []}),
        # not where every table is
        ("main", {}),
        # each word must be somewhere
        ("carrier nowhere", {}),
    ],
)
def test_a_search_finds_tables_by_their_names_and_columns(text, expected):
    assert found(text) == expected
    assert list(found(text)) == list(expected)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # a comment
        ("SOLD", {"orders": []}),
        # a column's comment
        ("till", {"orders": ["id"]}),
        # a tag, and only as a tag
        ("#finance", {"orders": []}),
        ("#pii", {"orders": ["customer_id"]}),
        ("#till", {}),
        # an owner of a table, and of a column
        ("ott", {"orders": []}),
        ("ana", {"orders": ["customer_id"]}),
        # words of name, comment and tag together
        ("orders till #daily", {"orders": ["id"]}),
        # a comment does not begin where a name ends
        ("idfrom", {}),
        # a note whose table is gone finds nothing
        ("shop finance", {"orders": []}),
    ],
)
def test_a_search_finds_tables_by_what_is_noted_of_them(text, expected):
    assert found(text, NOTES) == expected


def test_a_table_of_that_name_stands_before_one_of_which_it_is_said():
    notes = {("files", "main", "flights"): {"": Note("without the orders of customers")}}
    assert list(found("orders", notes)) == ["orders", "flights"]
    assert list(found("customer", notes)) == ["customers", "flights", "orders"]


def test_an_index_is_of_one_state_only():
    catalogs, notes = tree(files=FLIGHTS), {}
    index = Index(catalogs, notes)
    assert index.is_of(catalogs, notes)
    assert not index.is_of(tree(files=FLIGHTS), notes)
    assert not index.is_of(catalogs, dict(NOTES))
