"""Diagrams on the schema page, as Streamlit's own test runner draws them."""

from __future__ import annotations

import pytest

from tests.pages.drawing import checked, draw, words
from tests.pages.test_pages_apptest import finished
from tests.pages.test_schema_page import button

PONDS = """
CREATE TABLE ponds (id INTEGER PRIMARY KEY, name VARCHAR); INSERT INTO ponds VALUES (1, 'a');
CREATE TABLE depths (pond INTEGER REFERENCES ponds (id), metres DOUBLE);
CREATE TABLE fish AS SELECT 1 AS pond_id;
"""


@pytest.fixture
def drawn(monkeypatch):
    """Return what the page gives the component: pictures, and what a press on a table does."""
    from pages import _erd

    pictures = []
    monkeypatch.setattr(
        _erd, "diagram_view", lambda key, svg, on_open: pictures.append((svg, on_open))
    )
    return pictures


@pytest.fixture
def ponds(empty):
    assert finished(empty, PONDS, "made").run.error is None
    return empty


def test_a_sources_diagram_is_opened_and_left_again(ponds, drawn):
    app = draw("schema")
    checked(button(app, "Diagram").click().run())
    assert app.query_params["diagram"] == "workspace"
    assert app.title[0].value == "Diagram of Workspace"
    assert 'data-table="workspace.main.depths"' in drawn[-1][0]
    checked(button(app, "All tables").click().run())
    assert app.title[0].value == "Schema"


def test_columns_and_inferred_relations_are_shown_when_asked(ponds, drawn):
    app = draw("schema", diagram="workspace")
    assert ">metres<" not in drawn[-1][0]
    assert "way line guess" not in drawn[-1][0]
    inferred, whole = app.toggle
    checked(whole.set_value(True).run())
    assert ">metres<" in drawn[-1][0]
    checked(inferred.set_value(True).run())
    from core.catalog.related import Scope

    assert ponds.relations.inferred(Scope("workspace")).wait(60)
    checked(app.run())
    assert "way line guess" in drawn[-1][0]
    assert "Dashed lines are inferred" in words(app)


def test_chosen_tables_are_shown_with_their_neighbours(ponds, drawn):
    app = draw("schema", diagram="workspace")
    checked(app.multiselect[0].set_value(["depths"]).run())
    assert 'data-table="workspace.main.ponds"' in drawn[-1][0]
    assert 'data-table="workspace.main.fish"' not in drawn[-1][0]


def test_too_many_tables_are_said_and_more_can_be_had(empty, drawn):
    finished(empty, ";".join(f"CREATE TABLE t{at} (a INTEGER)" for at in range(70)), "made")
    app = draw("schema", diagram="workspace")
    assert drawn[-1][0].count('class="table"') == 60
    assert "The 60 best connected of 70 tables." in words(app)
    assert "There is no relation between these tables." in words(app)
    checked(app.selectbox[0].set_value(150).run())
    assert drawn[-1][0].count('class="table"') == 70


def test_a_table_that_is_pressed_is_opened(ponds, drawn):
    app = draw("schema", diagram="workspace")
    _, on_open = drawn[-1]
    assert callable(on_open)
    labels = [each.label for each in app.get("download_button")]
    assert labels == ["SVG", "Mermaid", "DBML", "Documentation"]


@pytest.mark.parametrize("name", ["nowhere", "<b>", ""])
def test_a_diagram_of_nothing_is_the_list(ponds, name):
    app = draw("schema", diagram=name)
    assert app.title[0].value == "Schema"
    assert bool(app.warning) == bool(name)
