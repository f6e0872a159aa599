"""The job that keeps profiles: run by a real scheduler, on tables that are there or gone."""

from __future__ import annotations

import time

import pytest

from core.settings import Settings
from core.workbench import Workbench


@pytest.fixture
def here(tmp_path):
    (tmp_path / "start").mkdir()
    settings = Settings(
        home=tmp_path / "home", start_folder=tmp_path / "start", sample_data=False, threads=2
    )
    workbench = Workbench.open(settings)
    workbench.start_jobs()
    yield workbench.workspace()
    workbench.close()


def made(here, sql: str) -> None:
    entry = here.queries.run(sql, logged=False)
    assert entry.run.wait(60)
    assert entry.run.error is None


def ended(here, run):
    deadline = time.monotonic() + 120
    while (run := here.jobs.run(run.id)).state in ("waiting", "running"):
        assert time.monotonic() < deadline, f"still {run.state}"
        time.sleep(0.1)
    return run


def test_a_run_keeps_a_profile_of_each_table_and_tells_what_drifted(here):
    made(here, "CREATE TABLE a AS SELECT range AS i FROM range(10); CREATE TABLE b AS FROM a")
    options = {"tables": ("a", "workspace.main.b")}
    first = ended(here, here.jobs.submit("profile", options))
    assert first.state == "succeeded"
    assert first.outcome == {"changes": {"a": [], "workspace.main.b": []}}
    made(here, "INSERT INTO a SELECT NULL FROM range(10)")
    second = ended(here, here.jobs.submit("profile", options))
    assert "nulls in `i` rose from 0 % to 50 %" in second.outcome["changes"]["a"]
    assert "nulls in `i` rose" in second.log
    assert len(here.profiles.kept(here.catalog.find("b"))) == 2


def test_a_table_that_is_gone_fails_the_run_and_the_others_are_profiled(here):
    made(here, "CREATE TABLE a AS SELECT 1 AS i")
    run = ended(here, here.jobs.submit("profile", {"tables": ("nowhere", "a")}))
    assert (run.state, run.error) == ("failed", "There is no table nowhere.")
    assert here.profiles.kept(here.catalog.find("a"))


def test_a_view_that_fails_fails_the_run_with_its_sentence(here):
    made(here, "CREATE VIEW bad AS SELECT error('broken inside') AS x")
    run = ended(here, here.jobs.submit("profile", {"tables": ("bad",)}))
    assert run.state == "failed"
    assert "broken inside" in run.error
