"""Comparisons of a real workspace: sides by their names, snapshots, and the job that watches."""

from __future__ import annotations

import sqlite3

import duckdb
import pytest

from core.access import Actor
from core.catalog.places import Place, parsed
from core.errors import Conflict, Forbidden, InvalidInput, NotFound
from core.job import Task
from core.settings import Settings
from core.workbench import Workbench

SHOP = "CREATE TABLE orders (id INTEGER PRIMARY KEY, note VARCHAR); CREATE VIEW late AS FROM orders"


@pytest.fixture
def workbench(tmp_path):
    folder = tmp_path / "here"
    folder.mkdir()
    settings = Settings(home=tmp_path / "home", start_folder=folder, sample_data=False, threads=2)
    opened = Workbench.open(settings)
    yield opened
    opened.close()


@pytest.fixture
def shop(workbench):
    """Return the workspace, with a DuckDB file of two schemas as `shop`."""
    file = workbench.settings.start_folder / "shop.duckdb"
    make(file, f'{SHOP}; CREATE SCHEMA "Year 2026"; CREATE TABLE "Year 2026".orders (id INTEGER)')
    here = workbench.workspace()
    here.connections.add("shop", "duckdb", {"path": str(file)})
    return here


def make(file, sql: str) -> None:
    with duckdb.connect(str(file)) as con:
        con.execute(sql)


def changed(here, sql: str) -> None:
    """Change the file of `shop`, and let the workspace see it."""
    file = here.connections.get("shop").options["path"]
    here.connections.remove("shop")
    make(file, sql)
    here.connections.add("shop", "duckdb", {"path": file})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("shop.main", Place("shop", "main")),
        (" shop ", Place("shop", "")),
        ('"a.b"."c ""d"" 🦆"', Place("a.b", 'c "d" 🦆')),
        ("Ärger.x-y", Place("Ärger", "x-y")),
        ('"snapshot:1".main', Place("snapshot:1", "main")),
        ("snapshot:abc", "abc"),
        ("Snapshot: before 2.0", "before 2.0"),
    ],
)
def test_a_side_is_named_in_a_text(text, expected):
    found = parsed(text)
    assert found == expected
    if isinstance(found, Place) and found.schema:
        assert parsed(found.address) == found


@pytest.mark.parametrize("text", ["", ".", "a.", ".a", "a.b.c", '"a', 'a"b"', "a b", '""', "a..b"])
def test_what_names_nothing_is_refused_with_an_example(text):
    with pytest.raises(InvalidInput) as refused:
        parsed(text)
    assert "catalog.schema" in refused.value.hint


def test_schemas_are_listed_those_without_tables_too(shop):
    addresses = [each.address for each in shop.comparisons.places()]
    assert addresses == ["files.main", 'shop."Year 2026"', "shop.main", "workspace.main"]


@pytest.mark.parametrize("right", ['shop."Year 2026"', 'SHOP."year 2026"'])
def test_two_schemas_are_compared(shop, right):
    comparison = shop.comparisons.compare("shop.main", right)
    assert comparison.summary() == "0 added, 1 removed, 1 changed, 0 the same"
    assert comparison.right.name == 'shop."Year 2026"'


def test_a_schema_without_tables_is_one_that_all_are_added_to(shop):
    comparison = shop.comparisons.compare("workspace", "shop.main")
    assert comparison.summary() == "2 added, 0 removed, 0 changed, 0 the same"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("nowhere.main", "There are: files, shop, workspace"),
        ("shop.nothing", "There are: Year 2026, main"),
        ("shop", 'There are: shop."Year 2026", shop.main'),
        ("snapshot:nothing", "may have been deleted"),
        ("snapshot:", "may have been deleted"),
    ],
)
def test_a_side_that_is_not_there_says_what_there_is(shop, name, said):
    with pytest.raises((NotFound, InvalidInput)) as refused:
        shop.comparisons.compare(name, "shop.main")
    assert said in refused.value.hint


def test_now_is_compared_with_a_snapshot(shop):
    snapshot, _ = shop.comparisons.take("shop.main", "before 2.0")
    changed(shop, "ALTER TABLE orders ADD COLUMN pieces INTEGER")
    for name in (f"snapshot:{snapshot.id}", "snapshot:before 2.0"):
        comparison = shop.comparisons.compare(name, "shop.main")
        assert {each.name: each.told() for each in comparison.changes} == {"orders": ["1 column"]}
        assert comparison.left.name.endswith('UTC "before 2.0"')
        assert comparison.left.taken_at == snapshot.taken_at


def test_snapshots_are_compared_when_their_source_is_gone(shop):
    first, _ = shop.comparisons.take("shop.main")
    changed(shop, "DROP VIEW late")
    second, _ = shop.comparisons.take("shop.main")
    shop.connections.remove("shop")
    comparison = shop.comparisons.compare(f"snapshot:{first.id}", f"snapshot:{second.id}")
    assert comparison.summary() == "0 added, 1 removed, 0 changed, 1 the same"
    with pytest.raises(NotFound):
        shop.comparisons.compare(f"snapshot:{first.id}", "shop.main")


def test_a_broken_source_says_what_is_wrong_with_it(shop, workbench):
    file = workbench.settings.start_folder / "shop.duckdb"
    file.write_bytes(b"no database any more")
    shop.engine.renew()
    with pytest.raises(Exception, match="is not a DuckDB database"):
        shop.comparisons.compare("shop.main", "workspace")


def test_two_kinds_of_sources_are_compared(shop, workbench):
    file = workbench.settings.start_folder / "shop.db"
    with sqlite3.connect(file) as con:
        con.execute("CREATE TABLE orders (id INT PRIMARY KEY, note TEXT)")
    con.close()
    shop.connections.add("old", "sqlite", {"path": str(file)})
    comparison = shop.comparisons.compare("old", "shop.main")
    (pair,) = next(each for each in comparison.changes if each.name == "orders").columns
    assert (pair.left.type, pair.right.type) == ("BIGINT", "INTEGER")


def test_viewers_compare_and_keep_nothing(shop, workbench):
    snapshot, _ = shop.comparisons.take("shop.main")
    viewer = workbench.workspace(Actor("vera", "viewer")).comparisons
    assert viewer.compare(f"snapshot:{snapshot.id}", "shop.main").equal
    for call in (
        lambda: viewer.take("shop.main"),
        lambda: viewer.rename(snapshot.id, "x"),
        lambda: viewer.delete(snapshot.id),
    ):
        with pytest.raises(Forbidden):
            call()


def test_beside_another_process_sources_are_compared_and_the_workspaces_tables_are_not(
    shop, workbench
):
    shop.engine.start()
    other = Workbench.open(workbench.settings)
    try:
        with other.comparisons() as comparisons:
            assert comparisons.compare("shop.main", "shop.main").equal
            with pytest.raises(Conflict, match="another process"):
                comparisons.compare("shop.main", "workspace")
    finally:
        other.close()


def watched(workbench, **options):
    """Let the job run once; return its outcome and its log."""
    kind = workbench.scheduler.kinds["schema-watch"]
    task = Task(kind.Options(place="shop.main", **options), workspace="local", run="r")
    outcome = kind.run(task)
    return outcome, task.told()[2]


def test_the_watch_keeps_a_snapshot_when_something_changed_and_says_what(shop, workbench):
    outcome, log = watched(workbench)
    assert outcome == {"kept": True}
    assert "Kept the first snapshot of shop.main: 2 tables." in log
    outcome, log = watched(workbench)
    assert outcome == {"kept": False}
    assert "Nothing has changed since" in log
    changed(shop, "DROP VIEW late; ALTER TABLE orders DROP COLUMN note; CREATE TABLE new (a INT)")
    outcome, log = watched(workbench)
    assert outcome == {"kept": True, "added": 1, "removed": 1, "changed": 1}
    for line in ("1 added, 1 removed, 1 changed", "+ new", "- late", "~ orders: 1 column"):
        assert line in log
    assert len(shop.comparisons.snapshots()) == 2


def test_the_watch_tells_those_who_want_to_know(shop, workbench):
    from core.notify.models import Draft

    options = {"url": "https://chat.example.org/hook"}
    channel = shop.notify.add("slack", Draft(name="team", options=options))
    watched(workbench, channels=[channel.id])
    assert not shop.notify.sent()
    changed(shop, "CREATE TABLE new (a INT)")
    watched(workbench, channels=[channel.id])
    (sent,) = shop.notify.sent()
    assert sent.message.title == "The schema shop.main has changed"
    assert "+ new" in sent.message.text


def test_the_watch_of_a_source_that_is_gone_fails_with_its_name(shop, workbench):
    shop.connections.remove("shop")
    with pytest.raises(NotFound, match='no source "shop"'):
        watched(workbench)
