"""Who writes what a run will look for keeps the run in the same transaction, and one is enough."""

from __future__ import annotations

import threading
import time
from datetime import timedelta

from core.jobs.records import JobBook
from core.jobs.service import defaults
from tests.core.jobs.kinds import Chosen

MINUTE = timedelta(minutes=1)


def facts(work, key: str = "a") -> dict:
    return {**defaults(work, Chosen(key=key).model_dump()), "title": "Work"}


def submit(store, book: JobBook, clock, chosen: dict, later: timedelta) -> None:
    with store.begin() as session:
        book.submit_by(session, chosen, clock(session) + later)


def test_one_run_waits_for_a_key_and_starts_at_the_earliest_time_that_was_asked(store, clock, work):
    book = JobBook(store, "w", clock=clock)
    for minutes in (10, 20, 5, 30):
        submit(store, book, clock, facts(work), minutes * MINUTE)
    submit(store, book, clock, facts(work, "b"), 15 * MINUTE)
    submit(store, JobBook(store, "other", clock=clock), clock, facts(work), 15 * MINUTE)
    second, first = book.runs()
    assert [first.options["key"], second.options["key"]] == ["a", "b"]
    assert 9 * MINUTE < second.not_before - first.not_before < 11 * MINUTE


def test_a_run_that_is_under_way_may_be_past_looking(store, clock, work, scheduler, jobs):
    book = JobBook(store, "w", clock=clock)
    work.gate.clear()
    submit(store, book, clock, {**facts(work), "options": '{"wait": true, "key": "a"}'}, 0 * MINUTE)
    (run,) = scheduler._leases.claim(scheduler.kinds, 1)
    submit(store, book, clock, facts(work), 0 * MINUTE)
    assert [each.state for each in book.runs()] == ["waiting", "running"]
    assert run.id == book.runs()[1].id


def test_what_is_rolled_back_leaves_no_run(store, clock, work):
    book = JobBook(store, "w", clock=clock)
    try:
        with store.begin() as session:
            book.submit_by(session, facts(work), clock(session))
            raise ZeroDivisionError
    except ZeroDivisionError:
        assert book.runs() == []


def test_a_run_is_not_started_before_what_it_shall_find_is_written(store, clock, work, scheduler):
    book = JobBook(store, "w", clock=clock)
    submit(store, book, clock, facts(work), 0 * MINUTE)
    happened = []

    def claim() -> None:
        while not scheduler._leases.claim(scheduler.kinds, 1):
            time.sleep(0.01)
        happened.append("started")

    starting = threading.Thread(target=claim)
    with store.begin() as session:
        book.submit_by(session, facts(work), clock(session))
        starting.start()
        starting.join(0.3)  # as long as it would take, were it not kept from it
        happened.append("written")
    starting.join(30)
    assert happened == ["written", "started"]
    assert len(book.runs()) == 1
