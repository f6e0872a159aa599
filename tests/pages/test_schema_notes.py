"""Notes on the schema page: shown to all, written by editors, searched, and kept when lost."""

from __future__ import annotations

from core.access import Actor
from core.catalog.note import Change, Note
from core.queries.models import SavedQuery
from core.workbench import shared
from tests.pages.drawing import checked, draw, words
from tests.pages.test_pages_apptest import finished
from tests.pages.test_schema_page import button, opened, ponds  # noqa: F401 - a fixture


def noted(workspace, column: str = "") -> Note:
    tables = [table for each in workspace.catalog.list() for table in each.tables]
    table = next(table for table in tables if table.name == "ponds")
    return workspace.catalog.notes.of(table).get(column, Note())


def table_of(workspace, name: str):
    tables = [table for each in workspace.catalog.list() for table in each.tables]
    return next(table for table in tables if table.name == name)


def test_a_table_is_described_in_its_form(ponds):  # noqa: F811
    app = draw("schema", table="ponds")
    assert app.text_area[0].value == "All that hold *water*"
    app.text_area[0].input("Ponds, <b>not</b> lakes\n# for now")
    app.text_input[0].input("Ana")
    checked(button(app, "Save").click().run())
    assert noted(ponds) == Note("Ponds, <b>not</b> lakes\n# for now", (), "Ana")
    assert "Ponds, \\<b\\>not\\</b\\> lakes  \n\\# for now" in words(app)
    assert ":material/person: Ana" in words(app)
    assert ponds.catalog.describe(table_of(ponds, "ponds")).comment.startswith("Ponds, <b>")


def test_what_is_too_long_is_refused_in_a_sentence(ponds):  # noqa: F811
    app = draw("schema", table="ponds")
    app.text_input[0].input("x" * 101)
    checked(button(app, "Save").click().run())
    assert app.error[0].value == "This owner has 101 characters; at most 100 are kept."
    assert noted(ponds) == Note("All that hold *water*")


def test_tags_are_shown_and_offered_on_other_tables(ponds):  # noqa: F811
    ponds.catalog.notes.change(table_of(ponds, "ponds"), "", Change(tags=["wet", "[x]"]))
    assert ":gray-badge[wet]" in words(draw("schema", table="ponds"))
    assert ":gray-badge[\\[x\\]]" in words(draw("schema", table="ponds"))
    assert draw("schema", table="depths").multiselect[0].options == ["[x]", "wet"]


def test_who_may_only_look_sees_notes_and_no_way_to_write_them(ponds, monkeypatch):  # noqa: F811
    ponds.catalog.notes.change(table_of(ponds, "ponds"), "id", Change(tags=["key"]))
    viewer = shared().workspace(Actor("eve", "viewer"))
    monkeypatch.setattr("pages.schema.workspace", lambda: viewer)
    app = draw("schema", table="ponds")
    assert app.dataframe[0].value["Tags"].iloc[0] == ["key"]
    assert not app.text_area
    assert "can be written" not in words(app)


def test_a_search_finds_notes_and_shows_them(ponds):  # noqa: F811
    notes = ponds.catalog.notes
    notes.change(table_of(ponds, "depths"), "metres", Change(comment="by *sonar*", tags=["si"]))
    app = draw("schema", search="sonar")
    assert opened(app) == ["depths"]
    assert "metres · :gray-badge[si] · by \\*sonar\\*" in words(app)
    assert opened(draw("schema", search="#si")) == ["depths"]
    assert opened(draw("schema", search="water")) == ["ponds"]


def test_a_note_whose_table_is_gone_is_listed_and_can_be_deleted(ponds):  # noqa: F811
    ponds.catalog.notes.change(table_of(ponds, "mills"), "", Change(owner="Ana"))
    assert not draw("schema").expander
    finished(ponds, "DROP VIEW mills", "made")
    app = draw("schema")
    assert app.expander[0].label == "Notes on what is not there (1)"
    assert "**workspace.main.mills**" in words(app)
    checked(button(app, "Delete").click().run())
    assert not app.expander


def test_values_are_looked_into_when_asked(ponds):  # noqa: F811
    app = draw("schema", search="heron")
    assert opened(app) == []
    app = checked(button(app, "Look in values too").click().run())
    assert ponds.catalog.find_seeking("heron").wait(60)
    app = checked(app.run())
    assert "ponds · name" in [each.label for each in app.button]
    assert "Heron" in words(app)
    assert "Looked into 2 tables." in words(app)  # the third has numbers only


def test_what_uses_a_table_is_listed_with_its_columns(ponds):  # noqa: F811
    ponds.queries.save(SavedQuery(name="*All* of them", sql="SELECT id FROM ponds"))
    for name in ("ponds", "depths"):  # the page alone might have to look twice
        assert not ponds.catalog.used_by(table_of(ponds, name), 60).left
    app = checked(
        draw("schema", table="ponds").button_group(key="table-view").set_value("Used by").run()
    )
    assert "these 2 break" in words(app)
    assert "saved query · reads id" in words(app)
    assert {"\\*All\\* of them", "mills"} <= {each.label for each in app.button}
    app = checked(app.selectbox[0].set_value("name").run())
    assert "Without **ponds.name**, this breaks:" in words(app)
    app = checked(
        draw("schema", table="depths").button_group(key="table-view").set_value("Used by").run()
    )
    assert app.info[0].value == "No saved query and no view reads it."
