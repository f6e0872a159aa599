"""Schedulers at a quick pace, with kinds of their own, on both databases."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from core.job import JobKind
from core.jobs.records import JobBook
from core.jobs.scheduler import Scheduler
from core.jobs.service import Jobs
from core.store.store import Store
from tests.core.jobs.kinds import EDITOR, QUICK, Clock, Work


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
