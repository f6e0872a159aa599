"""Schedulers at a quick pace, with kinds of their own, on both databases."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from core.access import Actor
from core.job import JobKind, Options, Task
from core.jobs.models import JobRun
from core.jobs.records import JobBook, database_now
from core.jobs.scheduler import Pace, Scheduler
from core.jobs.service import Jobs
from core.store.store import Store

QUICK = Pace(poll=0.05, tell=0.02, beat=0.05, lease=0.6, grace=0.5)
EDITOR = Actor("ann", "editor")


class Chosen(Options):
    """What a run is to do: nothing, fail, wait for `gate`, listen or not."""

    fail: int = 0
    """Attempts that fail before one succeeds."""
    wait: bool = False
    deaf: bool = False
    key: str = ""


class Work(JobKind[Chosen]):
    """A kind whose runs do what their options say, and are counted."""

    name = "work"
    label = "Work"
    Options = Chosen
    timeout = 60
    back_off = 0.01

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.began: list[tuple[str, int]] = []
        self.most_at_once = 0
        self._now = 0
        self._lock = threading.Lock()

    def key(self, options: Chosen) -> str:
        return options.key

    def run(self, task: Task[Chosen]) -> dict[str, Any]:
        with self._lock:
            self.began.append((task.run, task.attempt))
            self._now += 1
            self.most_at_once = max(self.most_at_once, self._now)
        try:
            if task.options.wait:
                self._wait(task)
            if task.attempt <= task.options.fail:
                raise KeyError("secret detail")
            return {"attempt": task.attempt}
        finally:
            with self._lock:
                self._now -= 1

    def _wait(self, task: Task[Chosen]) -> None:
        task.progress("waiting", 1, 4)
        task.log("It waits.")
        while not self.gate.wait(0.005):
            if not task.options.deaf:
                task.check()


class Clock:
    """The database's clock, set forward or back by `shift`."""

    def __init__(self) -> None:
        self.shift = timedelta()

    def __call__(self, session: Any) -> datetime:
        return database_now(session) + self.shift


@pytest.fixture
def store(store_settings) -> Iterator[Store]:
    opened = Store.open(store_settings)
    yield opened
    opened.close()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def work() -> Iterator[Work]:
    kind = Work()
    yield kind
    kind.gate.set()


MakeScheduler = Callable[..., Scheduler]


@pytest.fixture
def make_scheduler(store: Store, clock: Clock, work: Work) -> Iterator[MakeScheduler]:
    """Make schedulers on the store as several processes would have them; not started yet."""
    made: list[Scheduler] = []

    def make(kind: JobKind[Any] = work, **options: Any) -> Scheduler:
        scheduler = Scheduler(store, **({"pace": QUICK, "clock": clock} | options))
        scheduler.register(kind)
        made.append(scheduler)
        return scheduler

    yield make
    work.gate.set()
    for scheduler in made:
        scheduler.stop(5)


@pytest.fixture
def scheduler(make_scheduler: MakeScheduler) -> Scheduler:
    return make_scheduler()


@pytest.fixture
def jobs(store: Store, clock: Clock, scheduler: Scheduler) -> Jobs:
    return Jobs(JobBook(store, "w", clock=clock), scheduler, EDITOR)


def until(ask: Callable[[], Any], seconds: float = 30) -> Any:
    """Return the first true answer; fail after so long."""
    deadline = time.monotonic() + seconds
    while not (answer := ask()):
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.01)
    return answer


def ended(jobs: Jobs, run: JobRun) -> JobRun:
    """Wait for the end of a run."""
    until(lambda: jobs.run(run.id).ended)
    return jobs.run(run.id)
