"""A table's snapshot on its page: taken, read, refreshed by a schedule, dropped, and failed."""

from __future__ import annotations

import time

import pytest

from core.workbench import shared
from tests.pages.drawing import checked, draw, words
from tests.pages.test_schema_page import button, view

AIRLINES = "aviation.main.airlines"


@pytest.fixture
def here(settle):
    workspace = settle()
    shared().start_jobs()
    return workspace


def snapshot_view(table: str = AIRLINES):
    return view(draw("schema", table=table), "Snapshot")


def ended(here):
    """Wait for the latest run of a job, and return it."""
    deadline = time.monotonic() + 60
    while not (runs := here.jobs.runs("Snapshot of")) or not runs[0].ended:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    return runs[0]


def test_one_is_taken_queried_refreshed_and_dropped(here):
    app = snapshot_view()
    assert "A snapshot is a copy in this workspace" in words(app)
    assert not [each for each in app.button if each.label == "Query the snapshot"]
    checked(button(app, "Take a snapshot").click().run())
    assert ended(here).state == "succeeded"
    app = snapshot_view()
    assert "**16 rows**, as they were just now" in words(app)
    assert [each.value for each in app.code] == ['workspace.snapshots."aviation.airlines"']
    app.selectbox(key="snapshot-cursor").set_value("carrier").run()
    checked(button(app, "Refresh").click().run())
    assert ended(here).state == "succeeded"
    assert "new rows by `carrier`" in words(snapshot_view())
    checked(button(snapshot_view(), "Drop").click().run())
    assert "A snapshot is a copy in this workspace" in words(snapshot_view())


def test_one_that_is_refreshed_says_when_and_can_be_left(here):
    app = snapshot_view()
    app.selectbox(key="snapshot-often").set_value("every day").run()
    checked(button(app, "Take a snapshot").click().run())
    assert ended(here).state == "succeeded"
    assert "Refreshed every day, next in" in words(snapshot_view())
    app = snapshot_view()
    app.selectbox(key="snapshot-often").set_value("every hour").run()
    checked(button(app, "Refresh").click().run())
    assert ended(here).state == "succeeded"
    jobs = [each.job for each in here.jobs.list() if each.job.kind == "table-snapshot"]
    assert [each.schedule.cron for each in jobs] == ["7 * * * *"]
    app = checked(button(snapshot_view(), "Stop that").click().run())
    assert "Refreshed" not in words(app)
    assert "**16 rows**" in words(app)


def test_one_that_is_under_way_can_be_cancelled_and_one_that_failed_says_why(here):
    shared().scheduler.stop()  # nobody runs what is asked for
    app = checked(button(snapshot_view(), "Take a snapshot").click().run())
    assert "Waiting for its turn" in app.get("progress")[0].proto.text
    app = checked(button(app, "Cancel").click().run())
    assert ended(here).state == "cancelled"
    assert button(snapshot_view(), "Take a snapshot")


def test_a_source_that_fails_says_so_in_words(here, tmp_path):
    import duckdb

    file = shared().settings.home / "workspaces" / "local" / "uploads" / "odd.duckdb"
    with duckdb.connect(str(file)) as db:
        db.execute("CREATE VIEW bad AS SELECT error('broken inside') AS x")
    here.connections.add("odd", "duckdb", {"path": str(file)})
    checked(button(snapshot_view("odd.main.bad"), "Take a snapshot").click().run())
    assert ended(here).state == "failed"
    assert "broken inside" in words(snapshot_view("odd.main.bad"))


def test_the_workspaces_own_tables_need_none(here):
    entry = here.queries.run("CREATE TABLE mine AS SELECT 1 AS i", logged=False)
    assert entry.run.wait(60)
    app = draw("schema", table="workspace.main.mine")
    assert "Snapshot" not in app.button_group(key="table-view").options
