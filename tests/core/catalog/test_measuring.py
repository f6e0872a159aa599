"""Relations as the data bears them out, on a real workbench."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from core.catalog.related import Scope
from core.engine.session import Session
from core.errors import ConnectError, NotFound
from core.settings import Settings
from core.workbench import Workbench, Workspace

HERE = Scope("workspace")


@pytest.fixture
def open_workspace(tmp_path) -> Iterator:
    opened = []

    def make(**settings) -> Workspace:
        start = tmp_path / "start"
        start.mkdir()
        chosen = {"home": tmp_path / "home", "start_folder": start, "threads": 2}
        opened.append(Workbench.open(Settings(**chosen, **settings)))
        return opened[-1].workspace()

    yield make
    for each in opened:
        each.close()


@pytest.fixture
def workspace(open_workspace) -> Workspace:
    return open_workspace(sample_data=False)


def run(workspace: Workspace, sql: str) -> None:
    Session(workspace.engine, "test").run(sql)


def likely(workspace: Workspace, scope: Scope = HERE) -> dict[str, tuple[int, int]]:
    """Return what is likely as `child.column>parent.column`, with values looked at and found."""
    measuring = workspace.relations.inferred(scope)
    assert measuring.wait(60)
    return {
        f"{each.child.reference}.{each.child.columns[0]}>"
        f"{each.parent.reference}.{each.parent.columns[0]}": (
            each.measured.looked,
            each.measured.found,
        )
        for each in measuring.likely
    }


def test_flights_lead_to_the_tables_of_another_source(open_workspace):
    workspace = open_workspace()
    found = likely(workspace, Scope("files", "main", "flights"))
    assert found["flights.carrier>aviation.airlines.carrier"] == (16, 16)
    assert found["flights.origin>aviation.airports.faa"] == (3, 3)
    looked, there = found["flights.tailnum>aviation.planes.tailnum"]
    assert 0.8 < there / looked < 0.85
    assert set(found) == set(likely(workspace, Scope("aviation", "main"))) - {
        "weather.origin>aviation.airports.faa"
    }
    declared = workspace.relations.declared(Scope("aviation", "main", "fleet"))
    assert [each.parent.table for each in declared] == ["airlines", "planes"]


def test_confidence_is_the_share_of_distinct_values_that_the_parent_has(workspace):
    run(
        workspace,
        "CREATE TABLE ponds (id INTEGER PRIMARY KEY); INSERT INTO ponds FROM range(1, 4);"
        "CREATE TABLE fish AS SELECT unnest([1, 1, 1, 2, 2, 3, 9, NULL]) AS pond_id",
    )
    assert likely(workspace) == {"fish.pond_id>ponds.id": (4, 3)}


@pytest.mark.parametrize(
    ("parent", "child"),
    [
        ("SELECT unnest([1, 2]) AS id", "SELECT unnest([1, 7, 8]) AS pond_id"),  # a third is there
        ("SELECT unnest([1, 2, 2]) AS id", "SELECT 1 AS pond_id"),  # the parent's is no key
        ("SELECT 1 AS id", "SELECT NULL::INTEGER AS pond_id"),  # no value at all
        ("SELECT 1 AS id WHERE false", "SELECT 1 AS pond_id"),  # no row in the parent
    ],
)
def test_what_the_data_does_not_bear_out_is_not_told(workspace, parent, child):
    run(workspace, f"CREATE TABLE ponds AS {parent}; CREATE TABLE fish AS {child}")
    assert likely(workspace) == {}


@pytest.mark.parametrize("name", ['a "b".c', "o.d'd", "🦆s", "<script>", "select", "x" * 63])
def test_odd_names_are_measured(workspace, name):
    quoted, child = (f'"{each}"' for each in (name.replace('"', '""'), name.replace('"', "") + "2"))
    run(
        workspace,
        f'CREATE SCHEMA {quoted}; CREATE TABLE {quoted}.{quoted} ("pond key" INTEGER PRIMARY KEY);'
        f"INSERT INTO {quoted}.{quoted} VALUES (1);"
        f'CREATE TABLE {quoted}.{child} AS SELECT 1 AS n, 1 AS "pond key"',
    )
    measuring = workspace.relations.inferred(Scope("workspace", name))
    assert measuring.wait(60)
    (found,) = measuring.likely
    assert (found.parent.schema, found.parent.table) == (name, name)
    assert measuring.failed == 0


def test_a_view_that_fails_leaves_the_others_measured_and_is_said(workspace, tmp_path):
    file = tmp_path / "start" / "fish.csv"
    file.write_text("n,pond_id\n1,1\n")
    gone = tmp_path / "start" / "birds.csv"
    gone.write_text("n,pond_id\n1,1\n")
    for path in (file, gone):
        workspace.connections.add(path.stem, "csv", {"path": str(path)})
    run(workspace, "CREATE TABLE ponds (id INTEGER PRIMARY KEY); INSERT INTO ponds VALUES (1)")
    gone.unlink()
    measuring = workspace.relations.inferred(HERE)
    assert measuring.wait(60)
    assert [each.child.table for each in measuring.likely] == ["fish"]
    assert (measuring.total, measuring.done, measuring.failed) == (2, 2, 1)
    assert "birds" in measuring.problem.message


SILENT = """
from connectors.sqlite import Sqlite
from core.errors import ConnectError

class Silent(Sqlite):
    name, suffixes = "silent", (".silent",)

    def structures(self, options, schema, name):
        raise ConnectError("The source does not answer.")
"""


def test_a_source_that_does_not_answer_leaves_the_others_told(open_workspace, tmp_path):
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "silent.py").write_text(SILENT)
    workspace = open_workspace(sample_data=False, connectors=tmp_path / "own")
    path = tmp_path / "start" / "shop.silent"
    with closing(sqlite3.connect(path)) as db:
        db.execute("CREATE TABLE t (id INTEGER PRIMARY KEY)")
    workspace.connections.add("shop", "silent", {"path": str(path)})
    run(workspace, "CREATE TABLE ponds AS SELECT 1 AS id; CREATE TABLE f AS SELECT 1 AS pond_id")
    assert likely(workspace) == {"f.pond_id>ponds.id": (1, 1)}
    assert list(workspace.relations.broken) == ["shop"]
    with pytest.raises(ConnectError, match="does not answer"):
        workspace.relations.declared(Scope("shop"))


def slow(workspace: Workspace, tmp_path: Path) -> Scope:
    """Make a child that takes longer to read than anybody waits."""
    run(workspace, "CREATE TABLE ponds (id INTEGER PRIMARY KEY)")
    (tmp_path / "start" / "n.csv").write_text("a\n1\n")
    run(
        workspace,
        "CREATE VIEW files.main.fish AS SELECT max(a.range + b.range) AS pond_id "
        "FROM range(1000000) AS a, range(1000000) AS b",
    )
    return HERE


def test_a_measuring_can_be_cancelled_and_begun_again(workspace, tmp_path):
    scope = slow(workspace, tmp_path)
    measuring = workspace.relations.inferred(scope)
    assert workspace.relations.inferred(scope) is measuring
    while measuring._run is None:
        time.sleep(0.01)
    measuring.cancel()
    assert measuring.wait(30)
    assert (measuring.cancelled, measuring.likely, measuring.failed) == (True, [], 0)
    other = workspace.relations.inferred(scope, again=True)
    assert other is not measuring
    other.cancel()
    assert other.wait(30)


def test_a_change_of_the_catalog_begins_anew(workspace):
    run(workspace, "CREATE TABLE ponds AS SELECT 1 AS id")
    assert likely(workspace) == {}
    run(workspace, "CREATE TABLE fish AS SELECT 1 AS n, 1 AS pond_id")
    assert likely(workspace) == {"fish.pond_id>ponds.id": (1, 1)}
    run(workspace, "DROP TABLE ponds")
    assert likely(workspace) == {}


@pytest.mark.parametrize("scope", [Scope("nowhere"), Scope("workspace", "main", "nothing")])
def test_a_scope_without_tables_says_what_there_is(workspace, scope):
    run(workspace, "CREATE TABLE ponds AS SELECT 1 AS id")
    for ask in (workspace.relations.declared, workspace.relations.inferred):
        with pytest.raises(NotFound, match=r"There is no table") as caught:
            ask(scope)
        assert "workspace" in caught.value.hint
