"""Sources that change or fall silent while the catalog has them, with real files and sockets."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from core.errors import Forbidden
from core.settings import Settings
from core.workbench import Workbench, Workspace
from tests.connectors.servers import silent_port


@pytest.fixture
def here(tmp_path) -> Iterator[Workspace]:
    start = tmp_path / "start"
    start.mkdir()
    bench = Workbench.open(Settings(home=tmp_path / "home", start_folder=start, sample_data=False))
    yield bench.workspace()
    bench.close()


def make(path: Path, table: str) -> None:
    with closing(sqlite3.connect(path)) as db:
        db.execute(f"CREATE TABLE {table} (id INTEGER)")


def named(here: Workspace) -> list[str]:
    return [table.name for catalog in here.catalog.whole() for table in catalog.tables]


def runs_there(here: Workspace) -> None:
    run = here.queries.session("test").start("SELECT * FROM new", on="shop")
    run.wait()
    assert run.error is None


def runs_here(here: Workspace) -> None:
    run = here.queries.session("test").start("SELECT * FROM shop.new")
    run.wait()
    assert run.error is None


def lists(here: Workspace) -> None:
    here.connections.enable("shop", False)
    here.connections.enable("shop")  # so that what it told is not fresh
    here.catalog.whole()


def describes(here: Workspace) -> None:
    assert [each.name for each in here.catalog.structures("shop")] == ["new"]


@pytest.mark.parametrize(
    ("connector", "look"),
    [
        ("sqlalchemy", runs_there),
        ("sqlalchemy", lists),
        ("sqlalchemy", describes),
        ("sqlite", runs_here),
        ("sqlite", describes),
    ],
)
def test_a_file_that_is_replaced_comes_back_by_itself(
    here, tmp_path, connector, look: Callable[[Workspace], None]
):
    path = tmp_path / "start" / "shop.db"
    make(path, "old")
    options = {"url": f"sqlite:///{path}"} if connector == "sqlalchemy" else {"path": str(path)}
    here.connections.add("shop", connector, options)
    assert named(here) == ["old"]
    make(tmp_path / "other.db", "new")
    os.replace(tmp_path / "other.db", path)
    look(here)
    assert named(here) == ["new"]
    assert not here.engine.broken


def test_a_file_that_was_never_read_renews_nothing(here, tmp_path):
    path = tmp_path / "start" / "shop.db"
    make(path, "old")
    assert named(here) == []
    here.engine.broken["shop"] = Forbidden("It may not be read.", path=str(path))
    assert named(here) == []
    assert here.engine.starts == 1


def test_servers_that_never_answer_are_waited_for_together(here, tmp_path):
    make(tmp_path / "start" / "shop.db", "items")
    good = {"url": f"sqlite:///{tmp_path / 'start' / 'shop.db'}"}
    here.connections.add("shop", "sqlalchemy", good)
    with ExitStack() as ports:
        for at, driver in enumerate(["postgresql+psycopg", "mysql+pymysql"] * 3):
            url = f"{driver}://ann@127.0.0.1:{ports.enter_context(silent_port())}/shop"
            options = {"url": url, "connect_timeout": 15}
            kept = here.connections.add(f"silent{at}", "sqlalchemy", options, connect=False)
            # Not by enable(): that asks whether it answers.
            here.connections._book.connections.change(kept.id, enabled=True, actor="test")
        here.engine.renew()
        assert named(here) == ["items"]
        assert sorted(here.engine.broken) == [f"silent{at}" for at in range(6)]
        assert {each.message for each in here.engine.broken.values()} == {
            "It did not tell its tables within 10 s."
        }
