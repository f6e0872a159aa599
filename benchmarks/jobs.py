"""The scheduler alone: a tick among 10,000 schedules, from claim to start, and an idle one.

`uv run python -m benchmarks.jobs`; with `--store-url` it measures on PostgreSQL.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import insert, select, update

from benchmarks.figures import RESULTS, Figure, Report
from benchmarks.rounds import wait_for_quiet
from core.access import LOCAL_OWNER
from core.job import JobKind, Options, Task
from core.jobs.leases import Leases
from core.jobs.models import Plan
from core.jobs.records import JOB, JobBook, database_now
from core.jobs.scheduler import Scheduler
from core.jobs.service import Jobs
from core.settings import Settings
from core.store.store import Store

SCHEDULES = 10_000
DUE = 10
ROUNDS = 30
IDLE_SECONDS = 20


class Nothing(JobKind[Options]):
    """Tells when it is started."""

    name = "nothing"
    label = "Nothing"

    def __init__(self) -> None:
        self.started = threading.Event()
        self.at = 0.0

    def run(self, task: Task[Options]) -> None:
        self.at = time.perf_counter()
        self.started.set()


class Shifted:
    """The database's clock, set forward."""

    def __init__(self) -> None:
        self.shift = timedelta()

    def __call__(self, session: Any) -> datetime:
        return database_now(session) + self.shift


def fill(store: Store, jobs: Jobs) -> None:
    """Add the schedules, spread over the year; none is due before the first of January."""
    jobs.add(Plan(kind="nothing", title="T", cron="0 0 1 1 *"))
    with store.begin() as session:
        row = dict(session.execute(select(JOB)).mappings().one())
        far = datetime(2099, 1, 1, tzinfo=UTC)
        rows = [
            {**row, "id": f"copy {n}", "cron": f"{n % 60} {n % 24} * * *", "next_at": far}
            for n in range(SCHEDULES - 1)
        ]
        session.execute(insert(JOB), rows)


def ticks(store: Store, jobs: Jobs) -> list[float]:
    """Return how long each tick takes with some due: to see them, and to make them runs (s)."""
    clock = Shifted()
    leases = Leases(store, "benchmark:1:1", clock=clock)
    took = []
    for number in range(ROUNDS):
        chosen = [f"copy {number * DUE + n}" for n in range(DUE)]
        with store.begin() as session:
            past = clock(session) - timedelta(minutes=1)
            session.execute(update(JOB).where(JOB.c.id.in_(chosen)).values(next_at=past))
        begun = time.perf_counter()
        assert leases.look(["nothing"]).due
        assert leases.start_due() == DUE
        took.append(time.perf_counter() - begun)
    return took


def starts(jobs: Jobs, kind: Nothing) -> list[float]:
    """Return the times from asking for a run to its first line (s)."""
    took = []
    for _ in range(ROUNDS):
        kind.started.clear()
        begun = time.perf_counter()
        run = jobs.submit("nothing")
        assert kind.started.wait(10)
        took.append(kind.at - begun)
        while not jobs.run(run.id).ended:
            time.sleep(0.01)
    return took


def idle() -> float:
    """Return the share of one core that this process takes while nothing is due."""
    before, begun = time.process_time(), time.perf_counter()
    time.sleep(IDLE_SECONDS)
    return (time.process_time() - before) / (time.perf_counter() - begun)


def all_at_once(store: Store, clock: Shifted) -> float:
    """Return how long it takes until all schedules, due together, are runs that wait (s)."""
    leases = Leases(store, "benchmark:1:1", clock=clock)
    with store.begin() as session:
        past = clock(session) - timedelta(minutes=1)
        session.execute(update(JOB).values(next_at=past))
    begun = time.perf_counter()
    while leases.start_due():
        pass
    return time.perf_counter() - begun


def measure(settings: Settings) -> list[Figure]:
    """Measure all on a new store."""
    store = Store.open(settings)
    kind = Nothing()
    scheduler = Scheduler(store)
    scheduler.register(kind)
    jobs = Jobs(JobBook(store, "local"), scheduler, LOCAL_OWNER)
    fill(store, jobs)
    wait_for_quiet()
    ticked = _timed(f"A tick with {SCHEDULES:,} schedules, {DUE} due", ticks(store, jobs), 50)
    for run in jobs.runs(state="waiting", limit=SCHEDULES):
        jobs.cancel(run.id)
    scheduler.start()
    started = _timed("From asking for a run to its start", starts(jobs, kind), 200)
    share = idle() * 100
    scheduler.stop()
    late = all_at_once(store, Shifted())
    store.close()
    where = "PostgreSQL" if settings.store_url else "SQLite"
    figures = [
        ticked,
        started,
        Figure("An idle scheduler, of one core", share, "%", 0.5, f"over {IDLE_SECONDS} s"),
        Figure(f"{SCHEDULES:,} due at once: all are runs after", late, "s", None, "one run"),
    ]
    return [replace(each, name=f"{each.name}, {where}") for each in figures]


def _timed(name: str, took: list[float], limit: float) -> Figure:
    ordered = sorted(took)
    how = f"median of {len(took)}, worst {ordered[-1] * 1e3:.0f} ms"
    return Figure(name, statistics.median(took) * 1e3, "ms", limit, how)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, and keep the figures."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.jobs", description=__doc__)
    parser.add_argument("--store-url", default="", help="an empty PostgreSQL database")
    parser.add_argument("--results", type=Path, default=RESULTS, help="file of the figures")
    given = parser.parse_args(arguments)
    report = Report("uv run python -m benchmarks.jobs", given.results)
    with tempfile.TemporaryDirectory() as folder:
        figures = measure(Settings(home=Path(folder), store_url=given.store_url))
    report.add("PostgreSQL" if given.store_url else "SQLite", figures)


if __name__ == "__main__":
    main()
