"""/v1/jobs and /v1/job-runs over HTTP: seen, started, switched, cancelled, repeated."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import httpx
import pytest
from sqlalchemy import update

from core.job import JobKind, Options, Task
from core.jobs.models import Plan
from core.jobs.records import JOB
from core.workbench import Workbench


class Chosen(Options):
    fail: bool = False


class Gated(JobKind[Chosen]):
    """Waits until it is let through, then fails if it was asked to."""

    name = "gated"
    label = "Gated"
    Options = Chosen
    gate = threading.Event()

    def run(self, task: Task[Chosen]) -> dict[str, int]:
        task.log("It waits.")
        task.progress("waiting", 1, 2)
        while not self.gate.wait(0.01):
            task.check()
        if task.options.fail:
            raise ValueError
        return {"rows": 2}


@pytest.fixture(scope="module", autouse=True)
def kind(workbench: Workbench) -> Iterator[Gated]:
    kind = Gated()
    workbench.scheduler.register(kind)
    workbench.start_jobs()
    yield kind
    kind.gate.set()


@pytest.fixture(autouse=True)
def closed(kind: Gated) -> Iterator[None]:
    kind.gate.clear()
    yield
    kind.gate.set()


def add(workbench: Workbench, **options) -> str:
    plan = Plan(kind="gated", title="Nightly", options=options, cron="0 0 1 1 *", zone="Asia/Tokyo")
    return workbench.workspace().jobs.add(plan).id


def until(http: httpx.Client, place: str, fits: Callable[[dict], bool]) -> dict:
    deadline = time.monotonic() + 30
    while not fits(found := http.get(place).json()):
        assert time.monotonic() < deadline, found
        time.sleep(0.02)
    return found


def test_jobs_are_listed_with_their_times(http: httpx.Client, workbench: Workbench) -> None:
    job = add(workbench)
    listed = {each["id"]: each for each in http.get("/api/v1/jobs").json()["jobs"]}
    assert listed["housekeeping-local"]["own"]
    assert listed[job] == http.get(f"/api/v1/jobs/{job}").json()
    assert listed[job]["words"] == "At 00:00 on January 1, Asia/Tokyo"
    assert listed[job]["next_at"].endswith("-12-31T15:00:00Z")
    assert (listed[job]["own"], listed[job]["last"], listed[job]["problem"]) == (False, None, "")
    found = http.get("/api/v1/jobs", params={"text": "housekeep"}).json()["jobs"]
    assert [each["id"] for each in found] == ["housekeeping-local"]


def test_a_job_whose_time_zone_is_not_known_is_listed_and_says_so(
    http: httpx.Client, workbench: Workbench
) -> None:
    job, count = add(workbench), len(http.get("/api/v1/jobs").json()["jobs"])
    with workbench.store.begin() as session:
        session.execute(update(JOB).where(JOB.c.id == job).values(zone="Atlantis/Poseidonis"))
    found = http.get("/api/v1/jobs").json()["jobs"]
    assert len(found) == count
    (told,) = [each for each in found if each["id"] == job]
    assert told["problem"] == 'There is no time zone "Atlantis/Poseidonis".'
    assert http.get(f"/api/v1/jobs/{job}").json() == told
    workbench.workspace().jobs.delete(job)


def test_a_job_is_run_watched_and_ends(
    http: httpx.Client, workbench: Workbench, kind: Gated
) -> None:
    job = add(workbench)
    started = http.post(f"/api/v1/jobs/{job}/runs")
    assert started.status_code == 202
    place = started.headers["Location"]
    live = until(http, place, lambda run: run["progress"]["phase"] == "waiting")
    assert (live["state"], live["progress"]["done"], live["log"][-9:]) == (
        "running",
        1,
        "It waits.",
    )
    kind.gate.set()
    done = until(http, place, lambda run: run["state"] == "succeeded")
    assert done["outcome"] == {"rows": 2}
    assert http.get(f"/api/v1/jobs/{job}").json()["last"]["id"] == done["id"]
    assert http.delete(place).status_code == 204
    refused = http.post(f"{place}/retry")
    assert (refused.status_code, refused.json()["detail"]) == (409, "This run has succeeded.")


def test_a_run_is_cancelled_and_repeated(
    http: httpx.Client, workbench: Workbench, kind: Gated
) -> None:
    place = http.post(f"/api/v1/jobs/{add(workbench)}/runs").headers["Location"]
    assert http.delete(place).status_code == 202
    until(http, place, lambda run: run["state"] == "cancelled")
    kind.gate.set()
    assert http.post(f"{place}/retry").status_code == 202
    assert until(http, place, lambda run: run["state"] == "succeeded")


def test_runs_are_searched_and_paged(http: httpx.Client, workbench: Workbench, kind: Gated) -> None:
    kind.gate.set()
    job = add(workbench, fail=True)
    ids = []
    for _ in range(3):
        place = http.post(f"/api/v1/jobs/{job}/runs").headers["Location"]
        ids.append(until(http, place, lambda run: run["state"] == "failed")["id"])
    first = http.get("/api/v1/job-runs", params={"job": job, "limit": 2}).json()
    assert [run["id"] for run in first["runs"]] == [ids[2], ids[1]]
    rest = http.get("/api/v1/job-runs", params={"job": job, "before": first["next"]}).json()
    assert ([run["id"] for run in rest["runs"]], rest["next"]) == ([ids[0]], None)
    found = http.get("/api/v1/job-runs", params={"job": job, "text": "ValueError"}).json()["runs"]
    assert len(found) == 3
    assert http.get("/api/v1/job-runs", params={"job": job, "state": "running"}).json() == {
        "runs": [],
        "next": None,
    }


def test_a_job_is_switched_off_and_on(http: httpx.Client, workbench: Workbench) -> None:
    place = f"/api/v1/jobs/{add(workbench)}"
    off = http.patch(place, json={"enabled": False}).json()
    assert (off["enabled"], off["next_at"]) == (False, None)
    on = http.patch(place, json={"enabled": True}).json()
    assert (on["enabled"], on["next_at"] is None) == (True, False)


@pytest.mark.parametrize(
    ("method", "place"),
    [
        ("GET", "jobs/gone"),
        ("POST", "jobs/gone/runs"),
        ("GET", "job-runs/gone"),
        ("DELETE", "job-runs/gone"),
        ("POST", "job-runs/gone/retry"),
    ],
)
def test_what_is_not_there_is_a_404(http: httpx.Client, method: str, place: str) -> None:
    answer = http.request(method, f"/api/v1/{place}")
    assert (answer.status_code, answer.json()["type"]) == (404, "urn:millpond:not_found")
