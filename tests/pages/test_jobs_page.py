"""The jobs page: what runs is seen and stopped, what failed is read and repeated."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest
from sqlalchemy import update
from streamlit.testing.v1 import AppTest

from core.errors import ConnectError
from core.job import JobKind, Options, Task
from core.jobs.models import JobRun, Plan
from core.jobs.records import JOB
from core.workbench import Workspace, shared
from tests.pages.drawing import checked, draw, words


class Copying(JobKind[Options]):
    """Goes half the way, then waits to be let go."""

    name = "copying"
    label = "Copying"

    def __init__(self) -> None:
        self.let_go = threading.Event()

    def run(self, task: Task[Options]) -> dict[str, int]:
        task.log("Half of it is there.")
        task.progress("copying", 50, 100)
        while not self.let_go.wait(0.05):
            task.check()
        return {"copied": 100}


class Failing(JobKind[Options]):
    name = "failing"
    label = "Failing"

    def run(self, task: Task[Options]) -> None:
        task.log("It tries.")
        raise ConnectError("The server said no.", hint="Ask it nicely.")


@pytest.fixture
def copying(empty: Workspace) -> Iterator[Copying]:
    kind = Copying()
    shared().scheduler.register(kind)
    shared().scheduler.register(Failing())
    shared().start_jobs()
    yield kind
    kind.let_go.set()


def button(app: AppTest, label: str):
    return next(each for each in app.button if each.label == label)


def ended(here: Workspace, run: str) -> JobRun:
    deadline = time.monotonic() + 30
    while not (now := here.jobs.run(run)).ended:
        assert time.monotonic() < deadline, now
        time.sleep(0.05)
    return now


def told(here: Workspace, run: str, phase: str) -> None:
    deadline = time.monotonic() + 30
    while here.jobs.run(run).progress.phase != phase:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def bars(app: AppTest) -> str:
    return "\n".join(each.proto.text for each in app.get("progress"))


def test_without_jobs_only_the_programs_own_is_planned(empty):
    shared().start_jobs()
    app = draw("jobs")
    assert "Nothing runs, and nothing waits." in words(app)
    assert "**Housekeeping**" in words(app)
    assert "At minute 17 of every hour, UTC" in words(app)
    assert "Delete" not in [each.label for each in app.button]


def test_what_runs_shows_how_far_it_is_and_stops_on_cancel(empty, copying):
    run = empty.jobs.submit("copying", title="Nightly copy")
    told(empty, run.id, "copying")
    app = draw("jobs")
    assert "Nightly copy" in bars(app)
    assert "50 of 100" in bars(app)
    assert "Half of it is there." in app.code[0].value
    checked(button(app, "Cancel").click().run())
    assert ended(empty, run.id).state == "cancelled"
    assert "Nothing runs" in words(checked(app.run()))


def test_a_failed_run_tells_why_and_can_be_repeated(empty, copying):
    run = empty.jobs.submit("failing", title="Doomed")
    assert ended(empty, run.id).state == "failed"
    app = draw("jobs")
    checked(app.button_group[0].set_value("History").run())
    checked(app.selectbox[0].set_value("failed").run())
    assert list(app.dataframe[0].value["Job"]) == ["Doomed"]
    app.session_state["job-runs"] = {"selection": {"rows": [0], "columns": [], "cells": []}}
    checked(app.run())
    assert "The server said no." in words(app)
    assert "Ask it nicely." in words(app)
    assert "It tries." in app.code[0].value
    checked(button(app, "Run it again").click().run())
    assert ended(empty, run.id).attempt == 2


def test_a_planned_job_is_run_now_switched_off_and_deleted(empty, copying):
    plan = Plan(kind="copying", title="Copy", cron="30 2 * * *", zone="Europe/Paris")
    job = empty.jobs.add(plan)
    app = draw("jobs")
    assert "Europe/Paris" in words(app)
    assert "has not run yet" in words(app)
    at = [each.job.id for each in empty.jobs.list()].index(job.id)
    copying.let_go.set()
    checked([each for each in app.button if each.label == "Run now"][at].click().run())
    (run,) = empty.jobs.runs(job=job.id)
    assert ended(empty, run.id).outcome == {"copied": 100}
    checked(app.toggle[at].set_value(False).run())
    assert empty.jobs.get(job.id).next_at is None
    assert "switched off" in words(checked(app.run()))
    checked(button(app, "Delete").click().run())
    assert job.id not in [each.job.id for each in empty.jobs.list()]


def test_a_job_whose_time_zone_is_not_known_says_so_and_can_be_deleted(empty, copying):
    plan = Plan(kind="copying", title="Copy", cron="30 2 * * *", zone="Europe/Paris")
    job = empty.jobs.add(plan)
    with shared().store.begin() as session:
        session.execute(update(JOB).where(JOB.c.id == job.id).values(zone="Atlantis/Poseidonis"))
    app = draw("jobs")
    assert 'There is no time zone "Atlantis/Poseidonis".' in words(app)
    assert "**Housekeeping**" in words(app)
    checked(button(app, "Delete").click().run())
    assert job.id not in [each.job.id for each in empty.jobs.list()]


def test_a_job_that_is_gone_meanwhile_says_so(empty, copying):
    job = empty.jobs.add(Plan(kind="copying", title="Copy", cron="30 2 * * *"))
    app = draw("jobs")
    empty.jobs.delete(job.id)
    checked(button(app, "Delete").click().run())
    assert "There is no job" in words(app)
