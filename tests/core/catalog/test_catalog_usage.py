"""What uses a table: saved queries and views, directly and one through the other."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from core.catalog import usage as module
from core.catalog.usage import Use
from core.queries.models import SavedQuery
from core.reader import Reader, Readers
from core.settings import Settings
from core.workbench import Workbench, Workspace
from tests.core.catalog.test_catalog_notes import run, table

MADE = """
CREATE TABLE ponds (id INTEGER, name VARCHAR);
CREATE TABLE fish (pond INTEGER, kind VARCHAR);
CREATE TABLE "Odd ""name" (a INTEGER);
CREATE VIEW mills AS SELECT name FROM ponds WHERE name = 'Mill';
CREATE SCHEMA s;
CREATE VIEW s.deep AS FROM mills;
CREATE VIEW other AS SELECT 1 AS ponds
"""


@pytest.fixture(scope="module")
def workbench(tmp_path_factory):
    folder = tmp_path_factory.mktemp("usage")
    chosen = {"home": folder / "home", "start_folder": folder, "sample_data": False}
    workbench = Workbench.open(Settings(**chosen, threads=2))
    run(workbench.workspace(), MADE)
    yield workbench
    workbench.close()


@pytest.fixture
def here(workbench) -> Workspace:
    here = workbench.workspace()
    yield here
    for each in here.queries.list_saved():
        here.queries.delete_saved(each.document.id)


def save(here: Workspace, sql: str, name: str = "Q") -> str:
    return here.queries.save(SavedQuery(name=name, sql=sql)).document.id


def queries(here: Workspace, name: str) -> list[Use]:
    found = here.catalog.used_by(table(here, name), 60)
    assert not found.left
    return [each for each in found.uses if each.kind == "saved query"]


@pytest.mark.parametrize(
    ("sql", "columns"),
    [
        ("SELECT id FROM ponds", ("id",)),
        ('SELECT * FROM WORKSPACE.main."Ponds"', ("id", "name")),
        ("SELECT name, kind FROM main.ponds AS p JOIN fish ON pond = p.id", ("id", "name")),
        ("WITH p AS (FROM ponds) SELECT count(*) FROM p", ("id", "name")),
        # only a part can be read: it is said
        ("SELECT id FROM ponds WHERE (", None),
    ],
)
def test_a_saved_query_uses_what_its_sql_reads(here, sql, columns):
    saved = save(here, sql)
    (use,) = queries(here, "ponds")
    assert use.columns == columns
    assert use.address == f"/query?query={saved}"
    assert use.certain == (columns is not None)


@pytest.mark.parametrize(
    "sql",
    [
        "WITH ponds AS (SELECT 1 AS id) SELECT id FROM ponds",
        "SELECT 'ponds' FROM fish",
        "SELECT 1 -- FROM ponds",
        "FROM elsewhere.ponds",
        "not SQL at all: ponds",
        "",
    ],
)
def test_a_saved_query_that_only_names_it_does_not_use_it(here, sql):
    save(here, sql)
    assert queries(here, "ponds") == []


def test_a_query_that_writes_a_table_uses_it(here):
    save(here, "INSERT INTO ponds SELECT pond, kind FROM fish")
    assert [use.writes for use in queries(here, "ponds")] == [True]
    assert [(use.writes, use.columns) for use in queries(here, "fish")] == [
        (False, ("pond", "kind"))
    ]


def test_a_table_with_quotes_in_its_name_is_found(here):
    save(here, 'SELECT a FROM "odd ""NAME"')
    assert [use.columns for use in queries(here, 'Odd "name')] == [("a",)]


def test_views_use_a_table_and_what_reads_them_uses_it_through_them(here):
    save(here, "SELECT * FROM s.deep", "Deep")
    save(here, "SELECT id FROM ponds", "Direct")
    uses = here.catalog.used_by(table(here, "ponds"), 60).uses
    assert [(use.kind, use.title, use.columns, use.through) for use in uses] == [
        ("saved query", "Direct", ("id",), ()),
        ("view", "mills", ("name",), ()),
        ("view", "s.deep", None, ("mills",)),
        ("saved query", "Deep", None, ("mills", "s.deep")),
    ]
    assert uses[1].address == "/schema?table=workspace.main.mills"


def test_a_columns_uses_are_those_that_read_it_or_may(here):
    save(here, "SELECT id FROM ponds", "Id")
    save(here, "SELECT count(*) FROM ponds", "Count")
    save(here, "SUMMARIZE ponds", "Summary")
    usage = here.catalog.used_by(table(here, "ponds"), 60)
    assert [use.title for use in usage.of_column("id")] == ["Id", "Summary", "s.deep"]


def test_a_change_of_query_or_catalog_is_seen_and_nothing_is_parsed_twice(here, monkeypatch):
    parsed = []
    true = module.references
    monkeypatch.setattr(module, "references", lambda sql: parsed.append(sql) or true(sql))
    saved = save(here, "SELECT id FROM ponds")
    save(here, "SELECT kind FROM fish")
    assert len(queries(here, "ponds")) == len(queries(here, "ponds")) == 1
    assert parsed == ["SELECT id FROM ponds"]
    here.queries.save(SavedQuery(name="Q", sql="SELECT pond FROM fish"), id=saved)
    assert queries(here, "ponds") == []
    assert len(queries(here, "fish")) == 2
    run(here, "CREATE SCHEMA t; CREATE TABLE t.fish (pond INTEGER)")
    assert len(queries(here, "fish")) == 2
    here.queries.delete_saved(saved)
    assert len(queries(here, "fish")) == 1
    assert parsed == ["SELECT id FROM ponds", "SELECT kind FROM fish", "SELECT pond FROM fish"]


def test_what_time_does_not_suffice_for_is_left_for_the_next_look(here):
    for at in range(5):
        save(here, f"SELECT id + {at} FROM ponds")
    ponds = table(here, "ponds")
    first = here.catalog.used_by(ponds, -1)
    assert first.left == 5 + 3
    assert not first.uses
    assert len(here.catalog.used_by(ponds, 60).uses) == 5 + 2
    assert len(here.catalog.used_by(ponds, -1).uses) == 5 + 2


def test_a_saved_query_of_a_later_version_is_passed_over(here):
    documents = here._room.queries.saved
    documents.save('{"schema_version": 2}', title="Later", actor="owner")
    assert queries(here, "ponds") == []
    for each in documents.list():
        documents.delete(each.id)


def test_another_kind_of_reader_needs_only_to_be_registered(here):
    class Cells(Readers):
        kind = "notebook"

        def revisions(self):
            return {"n1": 1}

        def read(self, ids):
            assert list(ids) == ["n1"]
            sql = "SELECT id FROM ponds; FROM fish"
            yield Reader("n1", "Depths", sql, "notebook", {"id": "n1"})

    book = module.UsageBook([Cells()])
    (use,) = [
        each
        for each in book.of(table(here, "ponds"), here._room.catalog.known, 60).uses
        if each.kind == "notebook"
    ]
    assert use.address == "/notebook?id=n1"
    assert use.columns == ("id",)


@pytest.fixture
def shop(here, tmp_path):
    """A source of two tables, which goes away at the end."""
    file = tmp_path / "shop.sqlite"
    with closing(sqlite3.connect(file)) as db:
        db.executescript("CREATE TABLE orders (id INTEGER); CREATE TABLE fish (kind TEXT)")
    here.connections.allow(str(tmp_path))
    here.connections.add("shop", "sqlite", {"path": str(file)})
    yield "shop"
    if any(each.connection.alias == "shop" for each in here.connections.list()):
        here.connections.remove("shop")
    run(here, "DROP VIEW IF EXISTS sold")


def source_uses(here: Workspace, alias: str) -> list[tuple[str, tuple[str, ...]]]:
    found = here.catalog.source_used_by(alias, 60)
    assert not found.left
    return [(each.title, each.through) for each in found.uses]


def test_a_sources_uses_are_those_of_its_tables_through_views_too(here, shop):
    run(here, "CREATE VIEW sold AS FROM shop.orders")
    save(here, "SELECT id FROM SHOP.main.orders", "Directly")
    save(here, "INSERT INTO shop.fish SELECT 'carp'", "Writing")
    save(here, "FROM sold", "By a view")
    save(here, "SELECT 'shop' FROM fish", "A word")
    save(here, "WITH shop AS (SELECT 1 AS a) FROM shop", "Its own")
    assert source_uses(here, shop) == [
        ("Directly", ()),
        ("Writing", ()),
        ("sold", ()),
        ("By a view", ("sold",)),
    ]


def test_what_uses_a_source_is_known_while_it_is_away(here, shop):
    save(here, "FROM shop.orders")
    here.connections.enable(shop, False)
    assert source_uses(here, shop) == [("Q", ())]


def test_a_query_that_runs_on_a_connection_uses_it_and_only_its_tables(here, shop):
    query = SavedQuery(name="There", sql="SELECT kind FROM fish", on="shop")
    here.queries.save(query)
    assert source_uses(here, shop) == [("There", ())]
    assert queries(here, "fish") == []
    catalogs = {each.name: each for each in here.catalog.whole()}
    (sold,) = [each for each in catalogs["shop"].tables if each.name == "fish"]
    assert [each.columns for each in here.catalog.used_by(sold, 60).uses] == [("kind",)]


def test_a_file_is_used_by_its_bare_name(here, tmp_path):
    (tmp_path / "herons.csv").write_text("id\n1\n")
    here.connections.allow(str(tmp_path))
    here.connections.add("herons", "csv", {"path": str(tmp_path / "herons.csv")})
    save(here, "SELECT id FROM herons")
    assert source_uses(here, "herons") == [("Q", ())]
    here.connections.remove("herons")
