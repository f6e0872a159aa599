"""The catalog's values: the names that SQL finds a table by."""

from __future__ import annotations

import duckdb
import pytest

from core.catalog.models import KEYWORDS, Table
from tests.core.catalog.trees import tree


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
