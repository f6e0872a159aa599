"""A table's relations on its page."""

from __future__ import annotations

import pytest

from tests.pages.drawing import checked, draw, words
from tests.pages.test_pages_apptest import finished
from tests.pages.test_schema_page import button, view

PONDS = """
CREATE TABLE ponds (id INTEGER PRIMARY KEY); INSERT INTO ponds VALUES (1), (2);
CREATE TABLE depths (pond INTEGER REFERENCES ponds (id));
CREATE TABLE fish AS SELECT unnest([1, 2, 2, 3]) AS pond_id;
CREATE TABLE "*odd* <b>" AS SELECT 1 AS n, 1 AS pond_id;
CREATE TABLE alone AS SELECT 1 AS x
"""


@pytest.fixture
def ponds(empty):
    assert finished(empty, PONDS, "made").run.error is None
    return empty


def relations(workspace, table: str):
    from core.catalog.related import Scope

    app = view(draw("schema", table=table), "Relations")
    assert workspace.relations.inferred(Scope("workspace", "main", table)).wait(60)
    return checked(app.run())


def test_both_directions_are_told_with_how_they_are_known(ponds):
    app = relations(ponds, "ponds")
    assert [each.value for each in app.subheader] == ["Referenced by"]
    said = words(app)
    assert "declared" in said
    assert "inferred, 67 %: 2 of 3 values found there" in said
    assert "inferred: the 1 value found there" in said
    app = relations(ponds, "depths")
    assert [each.value for each in app.subheader] == ["References"]


def test_the_other_table_is_opened_by_its_name(ponds):
    app = relations(ponds, "ponds")
    checked(button(app, '"\\*odd\\* \\<b\\>"').click().run())
    assert app.query_params["table"] == 'workspace.main."*odd* <b>"'
    assert app.title[0].value == "\\*odd\\* \\<b\\>"


def test_a_table_without_relations_says_so_and_can_be_measured_again(ponds):
    app = relations(ponds, "alone")
    assert "No table is known to lead here" in words(app)
    checked(button(app, "Measure again").click().run())
    assert "No table is known to lead here" in words(app)


def test_what_could_not_be_measured_is_said(empty):
    finished(
        empty,
        "CREATE TABLE ponds (id INTEGER PRIMARY KEY); "
        "CREATE VIEW files.main.bad AS SELECT error('boom')::INTEGER AS pond_id",
        "made",
    )
    app = relations(empty, "ponds")
    assert "1 could not be measured, the last because\\: boom" in words(app)
