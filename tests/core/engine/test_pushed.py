"""Rows that a source's own engine gives, kept in a session's temporary table."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from core.engine.results import PUSHED
from core.engine.session import Session
from core.errors import QueryError
from core.settings import Settings
from core.workbench import Workbench


def test_what_a_session_kept_is_gone_with_it(tmp_path):
    (tmp_path / "start").mkdir()
    file = tmp_path / "start" / "shop.sqlite"
    with closing(sqlite3.connect(file)) as shop:
        shop.execute("CREATE TABLE t AS SELECT 1 AS i")
    settings = Settings(
        home=tmp_path / "home", start_folder=tmp_path / "start", sample_data=False, sessions=1
    )
    with closing(Workbench.open(settings)) as workbench:
        here = workbench.workspace()
        here.connections.add("shop", "sqlalchemy", {"url": f"sqlite:///{file}"})
        with closing(Session(here.engine, "one")) as one:
            kept = one.start(
                "SELECT * FROM t", on="shop", into=f"CREATE TEMP TABLE kept AS FROM {PUSHED}"
            )
            kept.wait()
            assert kept.error is None
        # There is one cursor, so this session gets the other's.
        with closing(Session(here.engine, "two")) as two, pytest.raises(QueryError, match="kept"):
            two.run("FROM kept")
