"""Sources across a network that are asked for a sign of life, after one of them broke."""

from __future__ import annotations

import sqlite3

import pytest

from core.errors import ConnectError
from core.settings import Settings
from core.workbench import Workbench

# Of three that must be asked at the same time, or none of them gives a sign of life.
TOGETHER = """
import threading
from connectors.sqlite import Sqlite
from core.errors import ConnectError

TOGETHER = threading.Barrier(3)

class Shaky(Sqlite):
    name, suffixes = "shaky", (".shaky",)
    remote, attaches, push_down = True, False, True

    def alive(self, con, options, alias):
        TOGETHER.wait(5)

    def fetch(self, con, options, sql, on_cancel):
        raise ConnectError("The statement was broken off.")
"""


def test_all_are_asked_for_a_sign_of_life_at_once(tmp_path):
    own, start = tmp_path / "own", tmp_path / "start"
    own.mkdir()
    start.mkdir()
    (own / "shaky.py").write_text(TOGETHER)
    settings = Settings(
        home=tmp_path / "home", start_folder=start, sample_data=False, connectors=own
    )
    bench = Workbench.open(settings)
    try:
        here = bench.workspace()
        for name in ("a", "b", "c"):
            path = start / f"{name}.shaky"
            sqlite3.connect(path).execute("CREATE TABLE t (id INTEGER)").connection.close()
            here.connections.add(name, "shaky", {"path": str(path)})
        here.catalog.whole()  # which waits until all are attached
        with pytest.raises(ConnectError, match=r"^The statement was broken off"):
            here.queries.session("test").run("SELECT 1", on="a")
    finally:
        bench.close()
