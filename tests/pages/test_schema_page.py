"""The schema page on a real workbench: the list, the search, and a table's own page."""

from __future__ import annotations

import sqlite3

import pytest

from core.connector import quoted
from tests.pages.drawing import checked, draw, words
from tests.pages.test_pages_apptest import finished

PONDS = """
CREATE TABLE ponds (id INTEGER PRIMARY KEY, name VARCHAR NOT NULL DEFAULT 'new');
INSERT INTO ponds VALUES (1, 'Mill'), (2, 'Heron');
COMMENT ON TABLE ponds IS 'All that hold *water*';
COMMENT ON COLUMN ponds.name IS 'as on the map';
CREATE TABLE depths (pond INTEGER REFERENCES ponds (id), metres DOUBLE CHECK (metres > 0));
CREATE INDEX by_metres ON depths (metres);
CREATE VIEW mills AS SELECT name FROM ponds WHERE name = 'Mill'
"""
ODD = ["a.b", "two words", 'with "quotes"', "🦆", "order", "*_`$", "Ärger"]


@pytest.fixture
def ponds(empty):
    assert finished(empty, PONDS, "made").run.error is None
    return empty


def button(app, label: str):
    return next(each for each in app.button if each.label == label)


def settled(app, workspace):
    """Draw the page once more when what it asked for has come, however busy the machine is."""
    for each in workspace.queries.running():
        assert each.run.wait(60)
    return checked(app.run())


def view(app, name: str):
    return checked(app.button_group(key="table-view").set_value(name).run())


def opened(app) -> list[str]:
    """Return the names on the buttons that open a table."""
    return [each.label for each in app.button if (each.key or "").startswith("open-")]


def test_the_sample_data_is_listed_with_its_sources_and_found_by_a_column(settle):
    settle()
    app = draw("schema")
    assert {"flights", "airlines"} <= set(opened(app))
    assert "**aviation**" in words(app)
    checked(app.text_input[0].input("dep delay").run())
    assert opened(app) == ["flights"]
    assert "dep\\_time" in words(app)
    checked(app.text_input[0].input("nowhere").run())
    assert not opened(app)
    assert "0 of" in words(app)


def test_a_search_in_the_address_is_made(ponds):
    app = draw("schema", search="metres")
    assert opened(app) == ["depths"]
    assert "1 of 3 tables" in words(app)


def test_a_table_is_opened_by_its_name_and_left_again(ponds):
    app = draw("schema")
    checked(button(app, "ponds").click().run())
    assert app.query_params["table"] == "workspace.main.ponds"
    assert app.title[0].value == "ponds"
    checked(button(app, "All tables").click().run())
    assert app.title[0].value == "Schema"
    assert "table" not in app.query_params


@pytest.mark.parametrize("address", ["ponds", "workspace.main.ponds"])
def test_a_tables_columns_are_told_with_key_default_and_comment(ponds, address):
    app = draw("schema", table=address)
    told = app.dataframe[0].value.set_index("Column").drop(columns="Tags")
    assert list(told.loc["id"]) == ["INTEGER", False, "", "primary key", ""]
    assert list(told.loc["name"]) == ["VARCHAR", False, "'new'", "", "as on the map"]
    assert "table in Workspace · about 2 rows · 2 columns" in words(app)
    assert "All that hold \\*water\\*" in words(app)


def test_a_tables_definition_constraints_and_indexes_are_told(ponds):
    app = view(draw("schema", table="depths"), "Definition")
    assert app.code[0].value.startswith("CREATE TABLE depths(")
    constraints, indexes = (each.value for each in app.dataframe)
    assert list(constraints["Kind"]) == ["foreign key", "check"]
    assert list(indexes["Name"]) == ["by_metres"]
    app = view(draw("schema", table="mills"), "Definition")
    assert "WHERE" in app.code[0].value
    assert not app.dataframe


def test_a_file_is_defined_by_how_it_is_read(settle):
    settle()
    app = view(draw("schema", table="weather"), "Definition")
    assert "read_csv(" in app.code[0].value


def test_data_is_shown_once_read_and_read_again_when_asked_or_changed(ponds):
    app = settled(view(draw("schema", table="ponds"), "Data"), ponds)
    assert "2 rows · 2 columns" in words(app)
    document = f"table/{ponds.engine.changes}/workspace.main.ponds"
    first = ponds.queries.find(document)
    checked(app.run())
    assert ponds.queries.find(document) is first
    checked(button(app, "Read again").click().run())
    assert ponds.queries.find(document) is not first
    finished(ponds, "INSERT INTO ponds VALUES (3, 'Otter')", "made")
    settled(checked(app.run()), ponds)
    assert "3 rows · 2 columns" in words(app)


def test_the_summary_of_a_table_is_the_one_of_a_result(ponds):
    app = settled(view(draw("schema", table="ponds"), "Data"), ponds)
    checked(app.button_group(key="result-view").set_value("Summary").run())
    assert list(app.dataframe[0].value["Column"]) == ["id", "name"]


def test_what_the_page_asks_by_itself_is_not_in_the_history(ponds):
    before = len(ponds.queries.history())
    app = view(draw("schema", table="ponds"), "Data")
    checked(button(app, "Count exactly").click().run())
    assert len(ponds.queries.history()) == before


def test_rows_are_counted_when_asked_and_no_longer_told_after_a_change(ponds):
    app = draw("schema", table="mills")
    assert "row" not in app.caption[0].value
    settled(button(app, "Count exactly").click().run(), ponds)
    assert "view in Workspace · 1 row · 1 column" in words(app)
    finished(ponds, "UPDATE ponds SET name = 'Mill'", "made")
    checked(app.run())
    assert "row" not in app.caption[0].value


def test_a_table_that_cannot_be_counted_says_why(empty):
    finished(empty, "CREATE VIEW wrong AS SELECT 1 AS a WHERE error('boom')", "made")
    app = draw("schema", table="wrong")
    settled(button(app, "Count exactly").click().run(), empty)
    assert "boom" in app.error[0].value


@pytest.mark.parametrize("name", ODD)
def test_a_table_with_an_odd_name_has_a_page_with_its_data(empty, name):
    table = f"{quoted(name + ' schema')}.{quoted(name)}"
    finished(empty, f"CREATE SCHEMA {quoted(name + ' schema')}", "made")
    made = finished(empty, f"CREATE TABLE {table} AS SELECT 7 AS {quoted(name)}", "made")
    assert made.run.error is None
    app = draw("schema")
    checked(next(each for each in app.button if (each.key or "").startswith("open-")).click().run())
    assert list(app.dataframe[0].value["Column"]) == [name]
    settled(view(app, "Data"), empty)
    assert "1 row · 1 column" in words(app)
    (found,) = [each for catalog in empty.catalog.list() for each in catalog.tables]
    assert finished(empty, found.select, "made").run.error is None


@pytest.mark.parametrize("name", ["nothing", "workspace.main.nothing", "'; DROP TABLE ponds", '"'])
def test_an_unknown_table_in_the_address_is_said_above_the_list(ponds, name):
    app = draw("schema", table=name)
    assert app.warning[0].value.startswith("There is no table ")
    assert set(opened(app)) == {"ponds", "depths", "mills"}


def test_a_table_that_is_dropped_meanwhile_is_said(ponds):
    app = draw("schema", table="mills")
    finished(ponds, "DROP VIEW mills", "made")
    checked(app.run())
    assert "There is no table mills." in words(app)


def test_tables_of_one_name_in_two_places_each_have_their_page(empty, tmp_path):
    file = tmp_path / "here" / "ponds.csv"
    file.write_text("from_file\n1\n", encoding="utf-8")
    empty.connections.add("ponds", "csv", {"path": str(file)})
    finished(empty, "CREATE TABLE workspace.ponds AS SELECT 2 AS from_workspace", "made")
    columns = {
        address: list(draw("schema", table=address).dataframe[0].value["Column"])
        for address in ("ponds", "workspace.main.ponds", "files.main.ponds")
    }
    assert columns == {
        "ponds": ["from_workspace"],
        "workspace.main.ponds": ["from_workspace"],
        "files.main.ponds": ["from_file"],
    }


def test_a_sqlite_table_is_told_and_shown(empty, tmp_path):
    file = tmp_path / "here" / "shop.db"
    with sqlite3.connect(file) as con:
        con.execute("CREATE TABLE orders (id INTEGER PRIMARY KEY, note VARCHAR(9) NOT NULL)")
        con.execute("INSERT INTO orders VALUES (1, 'first')")
        con.execute("CREATE INDEX by_note ON orders (lower(note))")
        con.execute("ANALYZE")
    con.close()
    empty.connections.add("shop", "sqlite", {"path": str(file)})
    app = draw("schema", table="shop.orders")
    told = app.dataframe[0].value
    assert list(told["Column"]) == ["id", "note"]
    assert list(told["Declared"]) == ["INTEGER", "VARCHAR(9)"]
    assert list(told["Key"]) == ["primary key", ""]
    assert "table in shop · about 1 row · 2 columns · 8 kB" in words(app)
    constraints, indexes = (each.value for each in view(app, "Definition").dataframe)
    assert list(constraints["SQL"]) == ['PRIMARY KEY ("id")']
    assert list(indexes["SQL"]) == ["CREATE INDEX by_note ON orders (lower(note))"]
    settled(view(app, "Data"), empty)
    assert "1 row · 2 columns" in words(app)


def test_a_list_that_is_too_long_says_how_many_more_there_are(empty):
    made = ";".join(f"CREATE TABLE t{at} (a INTEGER)" for at in range(103))
    finished(empty, made, "made")
    app = draw("schema")
    assert len(opened(app)) == 100
    assert "3 more: search for them." in words(app)
