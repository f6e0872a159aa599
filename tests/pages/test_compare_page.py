"""The comparison on the schema page, on a real workbench: both sides, details, SQL, snapshots."""

from __future__ import annotations

import pytest

from tests.pages.drawing import checked, draw, words
from tests.pages.test_pages_apptest import finished

OLD = """
CREATE TABLE orders (id INTEGER PRIMARY KEY, colour VARCHAR, pieces INTEGER);
CREATE TABLE bills (id INTEGER, total DECIMAL(10, 2));
CREATE VIEW late AS SELECT id FROM orders;
CREATE TABLE visits (day DATE)
"""
NEW = """
CREATE TABLE orders (id INTEGER PRIMARY KEY, color VARCHAR, pieces BIGINT NOT NULL DEFAULT 1);
CREATE TABLE invoices (id INTEGER, total DECIMAL(10, 2));
CREATE VIEW late AS SELECT id FROM orders WHERE pieces > 1;
CREATE TABLE visits (day DATE)
"""
SIDES = {"compare": "1", "left": "workspace.old", "right": "workspace.new"}


@pytest.fixture
def schemas(empty):
    for name, sql in (("old", OLD), ("new", NEW)):
        made = f"CREATE SCHEMA workspace.{name}; USE workspace.{name}; {sql}"
        assert finished(empty, made, "made").run.error is None
    return empty


def button(app, label: str):
    return next(each for each in app.button if each.label == label)


def view(app, name: str):
    return checked(app.button_group(key="compare-view").set_value(name).run())


def listed(app) -> dict[str, str]:
    told = app.dataframe[0].value
    return dict(zip(told["Table"], told["What differs"], strict=True))


def test_the_way_in_and_out_is_on_the_schema_page(schemas):
    app = draw("schema")
    checked(button(app, "Compare").click().run())
    assert app.title[0].value == "Compare schemas"
    assert "Choose what to compare" in app.info[0].value
    checked(button(app, "All tables").click().run())
    assert app.title[0].value == "Schema"


def test_two_schemas_are_chosen_and_their_differences_are_listed(schemas):
    app = draw("schema", compare="1")
    checked(app.selectbox[0].set_value("workspace.old").run())
    checked(app.selectbox[1].set_value("workspace.new").run())
    assert (app.query_params["left"], app.query_params["right"]) == tuple(SIDES.values())[1:]
    assert listed(app) == {
        "invoices": "2 columns, perhaps renamed from bills",
        "late": "definition",
        "orders": "3 columns",
        "bills": "2 columns, perhaps renamed to invoices",
    }
    for badge in ("[1 added]", "[1 removed]", "[2 changed]", "[1 the same]"):
        assert badge in words(app)


def test_the_list_is_filtered_and_both_sides_of_a_table_are_shown(schemas):
    app = draw("schema", **SIDES)
    checked(app.text_input(key="compare-filter").input("COLOUR").run())
    assert list(listed(app)) == ["orders"]
    told = app.dataframe[1].value.set_index("Name")
    assert list(told.loc["pieces"]) == ["column changed", "INTEGER", "BIGINT not null default 1"]
    assert list(told.loc["color"]) == ["column added", "", "VARCHAR"]
    assert "Perhaps colour was renamed to color." in words(app)
    checked(app.text_input(key="compare-filter").input("").run())
    checked(app.button_group(key="compare-states").set_value(["removed"]).run())
    assert list(listed(app)) == ["bills"]
    checked(app.text_input(key="compare-filter").input("nothing").run())
    assert "No table that differs fits." in words(app)


def test_a_views_sql_is_shown_on_both_sides(schemas):
    app = draw("schema", **SIDES)
    app.session_state["compare-tables"] = {"selection": {"rows": [1], "columns": [], "cells": []}}
    checked(app.run())
    left, right = (each.value for each in app.code)
    assert "WHERE" not in left
    assert "WHERE" in right


def test_the_statements_are_shown_in_both_dialects(schemas):
    app = view(draw("schema", **SIDES), "SQL")
    assert 'USE "workspace"."old";' in app.code[0].value
    checked(app.button_group(key="compare-dialect-duckdb").set_value("postgres").run())
    assert 'SET search_path TO "old";' in app.code[0].value
    assert app.get("download_button")


def test_sides_that_are_equal_are_said_to_be(schemas):
    app = draw("schema", **(SIDES | {"right": "workspace.old"}))
    assert "Nothing differs: 4 tables are the same on both sides." in app.success[0].value


def test_a_side_that_is_not_there_is_said(schemas):
    app = draw("schema", **(SIDES | {"right": "gone.main"}))
    assert 'There is no source "gone".' in app.error[0].value


def test_a_comparison_is_made_once_and_again_when_asked(schemas):
    app = draw("schema", **SIDES)
    finished(schemas, "CREATE TABLE workspace.new.more (a INTEGER)", "made")
    checked(app.run())
    assert "more" not in listed(app)
    checked(button(app, "Compare again").click().run())
    assert "more" in listed(app)


def test_a_snapshot_is_taken_compared_with_now_and_deleted(schemas):
    app = view(draw("schema", compare="1", left="workspace.old"), "Snapshots")
    assert "No snapshots yet." in words(app)
    checked(app.text_input(key="snapshot-name").input("before *2.0*").run())
    checked(button(app, "Take a snapshot").click().run())
    assert "Kept workspace.old with 4 tables." in words(app)
    assert "before \\*2.0\\*" in words(app)
    checked(button(app, "Take a snapshot").click().run())
    assert "Nothing has changed since" in words(app)
    finished(schemas, "DROP VIEW workspace.old.late", "made")
    checked(button(app, "Compare with now").click().run())
    assert listed(app) == {"late": "1 column"}
    view(app, "Snapshots")
    checked(button(app, "Delete").click().run())
    assert "No snapshots yet." in words(app)


def test_a_snapshot_of_a_schema_that_is_gone_stays_and_says_so(schemas):
    schemas.comparisons.take("workspace.old")
    finished(schemas, "DROP SCHEMA workspace.old CASCADE", "made")
    app = view(draw("schema", compare="1"), "Snapshots")
    assert button(app, "Compare with now").disabled


def test_a_schema_is_watched_by_a_job(schemas):
    app = view(draw("schema", compare="1", left="workspace.old"), "Snapshots")
    checked(button(app, "Watch").click().run())
    assert "workspace.old is watched every day" in words(app)
    (status,) = schemas.jobs.list("workspace.old")
    assert status.job.options == {"place": "workspace.old", "channels": []}


def test_a_long_list_has_pages(schemas):
    made = ";".join(f"CREATE TABLE workspace.new.t{at:03} (a INTEGER)" for at in range(120))
    finished(schemas, made, "made")
    app = draw("schema", **SIDES)
    assert len(listed(app)) == 100
    app.session_state["compare-page"] = 2
    checked(app.run())
    assert len(listed(app)) == 24
