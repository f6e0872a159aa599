"""Notes on tables: merged with what the sources say, and written where that may be."""

from __future__ import annotations

import sqlite3

import pytest

from core.access import Actor
from core.catalog.models import Table
from core.catalog.note import Change, Note
from core.connector import quoted
from core.errors import Forbidden, InvalidInput, NotFound
from core.settings import Settings
from core.workbench import Workbench, Workspace

PONDS = ("workspace", "main", "ponds")
ODD = ["a.b", "two words", 'with "quotes"', "it's", "🦆", "order", "x" * 63, "Ärger"]


@pytest.fixture(scope="module")
def workbench(tmp_path_factory):
    folder = tmp_path_factory.mktemp("notes")
    chosen = {"home": folder / "home", "start_folder": folder, "sample_data": False}
    workbench = Workbench.open(Settings(**chosen, threads=2))
    yield workbench
    workbench.close()


@pytest.fixture
def here(workbench) -> Workspace:
    here = workbench.workspace()
    run(here, "CREATE OR REPLACE TABLE ponds (id INTEGER, name VARCHAR)")
    yield here
    run(here, "DROP TABLE IF EXISTS ponds")
    for key, column, _ in here.catalog.notes.lost([]):
        here.catalog.notes.forget(key, column)


def run(here: Workspace, sql: str) -> None:
    entry = here.queries.run(sql, document="test")
    assert entry.run.wait(60)
    assert entry.run.error is None, entry.run.error


def table(here: Workspace, name: str, catalog: str = "workspace") -> Table:
    tables = [each for found in here.catalog.list() for each in found.tables]
    return next(each for each in tables if (each.catalog, each.name) == (catalog, name))


def told(here: Workspace, name: str = "ponds") -> dict[str, str]:
    described = here.catalog.describe(table(here, name))
    return {"": described.comment} | {each.name: each.comment for each in described.columns}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (Change(comment="x" * 100_000), "100,000 characters; at most 10,000"),
        (Change(owner="x" * 101), "This owner has 101 characters"),
        (Change(tags=["x" * 101]), "This tag has 101 characters"),
        (Change(tags=[str(at) for at in range(21)]), "These are 21 tags; at most 20"),
    ],
)
def test_what_is_too_long_is_refused_with_its_limit(change, words):
    with pytest.raises(InvalidInput, match=words):
        Note().changed(change)


def test_a_comment_is_written_into_the_workspaces_database(here):
    note = Change(comment='It\'s "deep"; DROP TABLE ponds --\x00', tags=["wet"])
    here.catalog.notes.change(table(here, "ponds"), "name", note)
    kept = 'It\'s "deep"; DROP TABLE ponds --\N{REPLACEMENT CHARACTER}'
    assert told(here)["name"] == kept
    assert here.catalog.notes.of(table(here, "ponds"))["name"] == Note(kept, ("wet",))
    here.catalog.notes.change(table(here, "ponds"), "name", Change(comment=""))
    assert told(here)["name"] == ""
    assert here.catalog.notes.of(table(here, "ponds"))["name"] == Note(tags=("wet",))


def test_tables_and_views_take_comments_and_so_do_a_views_columns(here):
    run(here, "CREATE OR REPLACE VIEW mills AS SELECT name FROM ponds")
    for name in ("ponds", "mills"):
        for column in ("", "name"):
            change = Change(comment=f"{name} {column}")
            here.catalog.notes.change(table(here, name), column, change)
        assert told(here, name)[""] == name
        assert told(here, name)["name"] == f"{name} name"
    run(here, "DROP VIEW mills")


@pytest.mark.parametrize("name", ODD)
def test_a_comment_is_written_whatever_the_names_are(here, name):
    run(here, f"CREATE TABLE {quoted(name)} AS SELECT 7 AS {quoted(name)}")
    for column in ("", name):
        here.catalog.notes.change(table(here, name), column, Change(comment="seven"))
    assert told(here, name) == {"": "seven", name: "seven"}
    run(here, f"DROP TABLE {quoted(name)}")


def test_what_sql_says_later_counts(here):
    here.catalog.notes.change(table(here, "ponds"), "", Change(comment="first", owner="Ana"))
    run(here, "COMMENT ON TABLE ponds IS 'second'")
    assert here.catalog.notes.of(table(here, "ponds"))[""] == Note("second", owner="Ana")


def test_a_note_outlives_its_table_and_comes_back_with_it(here):
    here.catalog.notes.change(table(here, "ponds"), "name", Change(comment="as on the map"))
    here.catalog.notes.change(table(here, "ponds"), "", Change(owner="Ana"))
    assert not here.catalog.notes.lost(here.catalog.list())
    run(here, "DROP TABLE ponds")
    lost = here.catalog.notes.lost(here.catalog.list())
    assert [(key, column) for key, column, _ in lost] == [(PONDS, ""), (PONDS, "name")]
    run(here, "CREATE TABLE ponds (name VARCHAR)")
    assert not here.catalog.notes.lost(here.catalog.list())
    assert here.catalog.notes.of(table(here, "ponds"))["name"] == Note("as on the map")
    run(here, "ALTER TABLE ponds RENAME name TO title")
    ((key, column, _),) = here.catalog.notes.lost(here.catalog.list())
    assert (key, column) == (PONDS, "name")
    here.catalog.notes.forget(key, column)
    assert not here.catalog.notes.lost(here.catalog.list())


def test_a_note_on_a_source_stays_in_millpond(here, tmp_path):
    file = here.engine.settings.start_folder / "shop.db"
    with sqlite3.connect(file) as con:
        con.execute("CREATE TABLE orders (id INTEGER)")
    con.close()
    before = file.read_bytes()
    here.connections.add("shop", "sqlite", {"path": str(file)})
    orders = table(here, "orders", "shop")
    here.catalog.notes.change(orders, "", Change(comment="What was sold"))
    assert here.catalog.notes.of(orders)[""].comment == "What was sold"
    assert file.read_bytes() == before
    assert [hit.table.name for hit in here.catalog.search("what sold")] == ["orders"]


def test_who_may_only_look_writes_nothing(workbench, here):
    viewer = workbench.workspace(Actor("eve", "viewer")).catalog.notes
    with pytest.raises(Forbidden):
        viewer.change(table(here, "ponds"), "", Change(owner="Eve"))
    with pytest.raises(Forbidden):
        viewer.forget(PONDS, "")
    assert not viewer.of(table(here, "ponds"))


def test_a_table_or_column_that_is_gone_is_refused(here):
    ponds = table(here, "ponds")
    with pytest.raises(NotFound, match="no column depth"):
        here.catalog.notes.change(ponds, "depth", Change(owner="Ana"))
    run(here, "DROP TABLE ponds")
    with pytest.raises(NotFound, match="no table ponds any more"):
        here.catalog.notes.change(ponds, "", Change(comment="x"))


def test_the_tags_in_use_are_told(here):
    here.catalog.notes.change(table(here, "ponds"), "", Change(tags=["wet", "deep"]))
    here.catalog.notes.change(table(here, "ponds"), "id", Change(tags=["wet"]))
    assert here.catalog.notes.tags() == ["deep", "wet"]
