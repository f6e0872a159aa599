"""The catalog's values: the names that SQL finds a table by, and the search over names."""

from __future__ import annotations

import duckdb
import pytest

from core.catalog import KEYWORDS, Catalog, Table, catalogs, search

FLIGHTS = {"flights": ("carrier", "dep_delay"), "airlines": ("carrier", "name")}
SHOP = {"orders": ("id", "customer_id"), "customers": ("id", "Name")}


def tree(**named: dict[str, tuple[str, ...]]) -> list[Catalog]:
    """Build catalogs of tables of columns, as the engine tells them."""
    return catalogs(
        {"catalog": catalog, "schema": "main", "table": table, "kind": "table", "rows": None}
        | {"column": column, "type": "VARCHAR"}
        for catalog, tables in named.items()
        for table, columns in tables.items()
        for column in columns
    )


def found(text: str) -> dict[str, list[str]]:
    hits = search(tree(files=FLIGHTS, shop=SHOP), text)
    return {table.name: [column.name for column in columns] for table, columns in hits}


def test_duckdb_has_just_these_words_that_must_be_quoted():
    with duckdb.connect() as con:
        told = con.execute(
            "SELECT keyword_name FROM duckdb_keywords() "
            "WHERE keyword_category IN ('reserved', 'type_function')"
        ).fetchall()
    assert {word for (word,) in told} == KEYWORDS


@pytest.mark.parametrize(
    "name", ["plain", "order", "left", "a.b", "two words", 'a"b', "Groß", "🦆"]
)
def test_a_query_of_all_columns_by_name_is_one_that_duckdb_runs(name):
    table = Table(
        "memory", "main", name, "table", None, tree(x={"t": (name, "b")})[0].tables[0].columns
    )
    with duckdb.connect() as con:
        quoted = '"' + name.replace('"', '""') + '"'
        con.execute(f"CREATE TABLE {quoted} ({quoted} INTEGER, b INTEGER)")
        con.execute(f"INSERT INTO {quoted} VALUES (1, 2)")
        assert con.execute(table.select).fetchall() == [(1, 2)]
        assert con.execute(f"FROM {table.reference}").fetchall() == [(1, 2)]


def test_an_address_is_the_tables_own_where_short_names_meet():
    first, second = (each.tables[0] for each in tree(workspace={"t": ("a",)}, files={"t": ("a",)}))
    assert first.reference == second.reference == "t"
    assert (first.address, second.address) == ("workspace.main.t", "files.main.t")


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
