"""Runs start, are told to end, fail, come back and go on, whoever dies meanwhile."""

from __future__ import annotations

import json
import logging
import threading
import time
from datetime import timedelta
from decimal import Decimal

import pytest
from pydantic import model_validator
from sqlalchemy import update

from core.errors import MillpondError
from core.job import JobKind, Options
from core.jobs.attempt import Attempt
from core.jobs.leases import Leases
from core.jobs.models import Plan
from core.jobs.records import RUN, JobBook
from core.jobs.scheduler import Pace
from core.jobs.service import Jobs
from core.redaction import know
from tests.core.jobs.kinds import EDITOR, QUICK, ended, until


def waiting_in(jobs, run) -> bool:
    return jobs.run(run.id).progress.phase == "waiting"


def test_a_run_tells_how_far_it_is_and_what_came_of_it(jobs, scheduler, work):
    know("hunter2-secret")
    scheduler.start()
    run = jobs.submit("work", {"wait": True, "say": "with hunter2-secret"})
    until(lambda: waiting_in(jobs, run))
    live = jobs.run(run.id)
    assert (live.state, live.attempt, live.progress.done, live.progress.total) == (
        "running",
        1,
        1,
        4,
    )
    assert live.progress.fraction == 0.25
    assert live.progress.eta == pytest.approx(3 / live.progress.rate)
    assert live.log.endswith(" with ***")
    work.gate.set()
    done = ended(jobs, run)
    assert (done.state, done.outcome, done.error) == ("succeeded", {"attempt": 1}, "")
    assert done.started_at <= done.finished_at
    assert done.log == live.log


def test_a_schedule_runs_at_its_times_each_once_on_two_schedulers(jobs, make_scheduler, work):
    for scheduler in (make_scheduler(), make_scheduler()):
        scheduler.start()
    job = jobs.add(Plan(kind="work", title="Each second", cron="* * * * * *"))
    until(lambda: len([run for run in jobs.runs(job=job.id) if run.ended]) >= 3)
    jobs.delete(job.id)
    runs = jobs.runs(job=job.id)
    assert {run.attempt for run in runs if run.state == "succeeded"} == {1}
    assert len(set(work.began)) == len(work.began)


def test_a_failure_is_told_without_its_details_and_repeated(jobs, scheduler, work, caplog):
    scheduler.start()
    failed = ended(jobs, jobs.submit("work", {"fail": 9}))
    assert (failed.state, failed.attempt) == ("failed", 1)
    assert failed.error == "Something unexpected went wrong: KeyError."
    assert "detail" not in failed.error + failed.hint + failed.log
    (logged,) = [each for each in caplog.records if each.levelno >= logging.ERROR]
    assert logged.args[1] in failed.hint
    assert logged.exc_info

    job = jobs.add(Plan(kind="work", title="T", cron="0 0 1 1 *", options={"fail": 2}, retries=2))
    repeated = ended(jobs, jobs.run_now(job.id))
    assert (repeated.state, repeated.outcome, repeated.failures) == ("succeeded", {"attempt": 3}, 2)
    assert repeated.error == ""


def test_a_failed_run_can_be_repeated_by_hand(jobs, scheduler):
    scheduler.start()
    run = ended(jobs, jobs.submit("work", {"fail": 1}))
    jobs.retry(run.id)
    again = ended(jobs, run)
    assert (again.state, again.attempt) == ("succeeded", 2)


@pytest.mark.parametrize("here", [True, False])
def test_a_running_run_is_cancelled_here_and_elsewhere(jobs, make_scheduler, here):
    jobs_scheduler = jobs._scheduler
    (jobs_scheduler if here else make_scheduler()).start()
    run = jobs.submit("work", {"wait": True})
    until(lambda: waiting_in(jobs, run))
    asked = jobs.cancel(run.id)
    assert asked.cancel_requested
    cancelled = ended(jobs, run)
    assert (cancelled.state, cancelled.error, cancelled.failures) == ("cancelled", "", 0)


def test_a_waiting_run_is_cancelled_at_once(jobs):
    run = jobs.submit("work")
    assert jobs.cancel(run.id).state == "cancelled"
    assert jobs.cancel(run.id).state == "cancelled"


@pytest.mark.parametrize("deaf", [False, True])
def test_a_run_that_takes_too_long_fails_and_what_it_does_later_counts_no_more(
    jobs, scheduler, work, deaf
):
    work.timeout = 0.3
    scheduler.start()
    run = jobs.submit("work", {"wait": True, "deaf": deaf})
    failed = ended(jobs, run)
    assert (failed.state, failed.error) == ("failed", "It took longer than 0.3 s, and was stopped.")
    work.gate.set()
    until(lambda: work.now == 0)
    assert jobs.run(run.id) == failed
    # Its place is free again.
    assert ended(jobs, jobs.submit("work")).state == "succeeded"


def test_a_clock_that_jumps_by_a_day_both_ways_touches_no_run(jobs, make_scheduler, clock, work):
    for scheduler in (make_scheduler(), make_scheduler()):
        scheduler.start()
    run = jobs.submit("work", {"wait": True})
    until(lambda: waiting_in(jobs, run))
    for days in (1, -2):
        clock.shift += timedelta(days=days)
        seen = work.now, len(work.began)
        other = ended(jobs, jobs.submit("work"))
        assert (other.state, other.attempt) == ("succeeded", 1)
        assert (work.now, len(work.began)) == (seen[0], seen[1] + 1)
    work.gate.set()
    done = ended(jobs, run)
    assert (done.state, done.attempt) == ("succeeded", 1)
    assert done.elapsed == 0  # by a clock that was set back, it ended before it began


def test_no_more_run_at_once_than_there_are_threads(jobs, make_scheduler, work):
    scheduler = make_scheduler(threads=3)
    runs = [jobs.submit("work", {"wait": True}) for _ in range(7)]
    scheduler.start()
    until(lambda: work.now == 3)
    work.gate.set()
    assert {ended(jobs, run).state for run in runs} == {"succeeded"}
    assert work.most_at_once == 3


def test_the_next_begins_when_one_is_asked_for_or_ends_and_not_at_the_next_look(
    make_scheduler, store
):
    slow = make_scheduler(threads=1, pace=Pace(poll=600, tell=600))
    asking = Jobs(JobBook(store, "w"), slow, EDITOR)
    slow.start()
    runs = [asking.submit("work") for _ in range(3)]
    assert {ended(asking, run).state for run in runs} == {"succeeded"}


def test_runs_of_a_key_do_not_overlap(jobs, make_scheduler, work):
    for scheduler in (make_scheduler(), make_scheduler()):
        scheduler.start()
    runs = [jobs.submit("work", {"key": "database"}) for _ in range(12)]
    assert {ended(jobs, run).state for run in runs} == {"succeeded"}
    assert work.most_at_once == 1


def test_a_scheduler_that_stops_leaves_its_runs_to_others(jobs, scheduler, make_scheduler, work):
    scheduler.start()
    run = jobs.submit("work", {"wait": True})
    until(lambda: waiting_in(jobs, run))
    scheduler.stop()
    left = jobs.run(run.id)
    assert (left.state, left.failures, left.error) == ("waiting", 0, "")
    work.gate.set()
    make_scheduler().start()
    assert (ended(jobs, run).state, jobs.run(run.id).attempt) == ("succeeded", 2)


def test_a_deaf_run_is_left_to_others_after_the_grace(jobs, scheduler, make_scheduler, work):
    scheduler.start()
    run = jobs.submit("work", {"wait": True, "deaf": True})
    until(lambda: waiting_in(jobs, run))
    scheduler.stop(0.1)
    assert jobs.run(run.id).state == "waiting"
    work.gate.set()
    make_scheduler().start()
    assert ended(jobs, run).attempt == 2


@pytest.mark.parametrize(
    "owner",
    [
        "of another machine:1:1#x",  # its beat stands still
        None,  # a process of this machine that has ended
    ],
)
def test_what_a_dead_process_held_is_run_again(jobs, scheduler, store, owner):
    run = jobs.submit("work")
    dead = Leases(store, owner or scheduler._leases._owner.replace("#", "9#"))
    assert dead.claim(["work"], 1)
    scheduler.start()
    again = ended(jobs, run)
    assert (again.state, again.attempt, again.failures) == ("succeeded", 2, 1)


def test_a_run_that_was_taken_over_is_told_to_end(jobs, scheduler, store, work, caplog):
    scheduler.start()
    run = jobs.submit("work", {"wait": True})
    until(lambda: waiting_in(jobs, run))
    with store.begin() as session:
        session.execute(update(RUN).values(owner="another:1:1#x", attempt=2, beat=99))
    until(lambda: work.now == 0)
    assert jobs.run(run.id).attempt == 2
    assert "taken over" in caplog.text


def test_a_store_that_is_away_for_a_while_is_waited_for(jobs, scheduler, monkeypatch, caplog):
    def away(kinds):
        raise OSError("no store")

    with monkeypatch.context() as patched:
        patched.setattr(scheduler._leases, "look", away)
        scheduler.start()
        until(lambda: "no store" in caplog.text)
    assert ended(jobs, jobs.submit("work")).state == "succeeded"


def test_options_that_fit_no_more_fail_the_run(jobs, scheduler, store):
    run = jobs.submit("work")
    with store.begin() as session:
        session.execute(update(RUN).values(options='{"fail": "never"}'))
    scheduler.start()
    assert ended(jobs, run).error.startswith("Its options do not fit: fail: ")


class Odd(JobKind):
    """A kind that hands over what neither a store nor JSON takes."""

    name = "odd"
    label = "Odd"
    retries = 5
    timeout = 60
    runs = 0

    def __init__(self, outcome, told=()) -> None:
        self.outcome, self.told = outcome, told

    def run(self, task):
        type(self).runs += 1
        for each in self.told:
            task.progress(*each)
            time.sleep(0.03)
        return self.outcome


HOLDS_ITSELF: dict = {"rows": 3}
HOLDS_ITSELF["self"] = [HOLDS_ITSELF, HOLDS_ITSELF, HOLDS_ITSELF]


class Unprintable:
    def __str__(self) -> str:
        raise ValueError

    __float__ = __repr__ = __str__


@pytest.mark.parametrize(
    "outcome",
    [
        {("a", "b"): {1, 2}, "when": timedelta(1), "what": Unprintable()},
        {"nan": float("nan"), "far": float("inf"), "large": 10**5000, "nul": "\0 \ud800"},
        HOLDS_ITSELF,
        ["a", "list"],
        Unprintable(),
        {"many": list(range(1_000_000)), "long": "x" * 1_000_000},
    ],
    ids=["types", "numbers", "circle", "list", "object", "large"],
)
def test_work_that_is_done_is_not_done_again_for_its_outcome(jobs, scheduler, outcome):
    Odd.runs = 0
    scheduler.register(Odd(outcome))
    scheduler.start()
    run = ended(jobs, jobs.submit("odd"))
    assert (run.state, run.attempt, Odd.runs) == ("succeeded", 1, 1)
    text = json.dumps(run.outcome, allow_nan=False)
    assert len(text) < 100_000
    assert all(isinstance(name, str) for name in run.outcome)


def test_a_known_secret_does_not_stay_in_an_outcome(jobs, scheduler):
    know("hunter2-secret")
    scheduler.register(Odd({"hunter2-secret": ["of hunter2-secret"]}, [("hunter2-secret", 1)]))
    scheduler.start()
    run = ended(jobs, jobs.submit("odd"))
    assert (run.outcome, run.progress.phase) == ({"***": ["of ***"]}, "***")


@pytest.mark.parametrize(
    "told",
    [
        ("nul \0 \ud800", 1, 2),
        (Unprintable(), Unprintable(), Unprintable()),
        ("numbers", float("nan"), float("inf")),
        ("numbers", 10**400, -1),
        (None, None, None),
        ("types", Decimal("1.5"), "3"),
    ],
)
def test_odd_progress_costs_nobody_anything(jobs, scheduler, work, told, caplog):
    scheduler.register(Odd({}, [told] * 10))
    scheduler.start()
    other = jobs.submit("work", {"wait": True})
    until(lambda: waiting_in(jobs, other))
    run = ended(jobs, jobs.submit("odd"))
    assert run.state == "succeeded"
    json.dumps(vars(jobs.run(run.id).progress), allow_nan=False)
    work.gate.set()
    assert (ended(jobs, other).state, jobs.run(other.id).attempt) == ("succeeded", 1)
    assert "could not" not in caplog.text


def test_progress_that_cannot_be_written_holds_up_nobody_and_costs_no_lease(
    jobs, scheduler, work, monkeypatch, caplog
):
    def refuses(*_):
        raise TypeError("cannot be bound")

    scheduler.register(Odd({}, [("telling", count) for count in range(100)]))
    monkeypatch.setattr(scheduler._leases, "tell", refuses)
    scheduler.start()
    other = jobs.submit("work", {"wait": True})
    telling = jobs.submit("odd")
    until(lambda: "cannot be bound" in caplog.text)
    assert ended(jobs, jobs.submit("work")).state == "succeeded"
    assert jobs.run(telling.id).state == "running"
    assert ended(jobs, telling).progress.done == 99
    work.gate.set()
    assert (ended(jobs, other).state, jobs.run(other.id).attempt) == ("succeeded", 1)


def test_a_store_that_is_away_when_work_is_done_lets_nothing_be_done_again(
    jobs, scheduler, work, monkeypatch
):
    end = scheduler._leases.end
    refused = []

    def away(*given):
        if len(refused) < 3:
            refused.append(given)
            raise MillpondError("The store did not answer.")
        return end(*given)

    monkeypatch.setattr(scheduler._leases, "end", away)
    scheduler.start()
    run = ended(jobs, jobs.submit("work"))
    assert (run.state, run.attempt, len(work.began)) == ("succeeded", 1, 1)


def test_an_end_that_cannot_be_written_frees_its_place(jobs, scheduler, monkeypatch, caplog):
    def breaks(*_):
        raise TypeError("cannot be written")

    with monkeypatch.context() as patched:
        patched.setattr(scheduler._leases, "end", breaks)
        scheduler.start()
        run = jobs.submit("work")
        until(lambda: "cannot be written" in caplog.text)
        until(lambda: not scheduler._under_way())
    assert (ended(jobs, run).state, jobs.run(run.id).attempt) == ("succeeded", 2)


def test_a_cancel_during_the_grace_of_a_shutdown_counts(jobs, scheduler, make_scheduler, work):
    scheduler.start()
    run = jobs.submit("work", {"wait": True, "deaf": True})
    until(lambda: waiting_in(jobs, run))
    stopping = threading.Thread(target=scheduler.stop, args=(1,))
    stopping.start()
    until(lambda: next(iter(scheduler._attempts.values())).task.stopped == "shutdown")
    jobs.cancel(run.id)
    stopping.join(30)
    assert jobs.run(run.id).state == "cancelled"
    make_scheduler().start()
    assert ended(jobs, jobs.submit("work")).state == "succeeded"
    assert jobs.run(run.id).attempt == 1


def test_a_run_that_gets_no_thread_is_given_back(jobs, scheduler, monkeypatch, caplog):
    refused = []

    def refuse() -> None:
        refused.append(True)
        raise RuntimeError("can't start new thread")

    def attempt(*given) -> Attempt:
        made = Attempt(*given)
        if len(refused) < 3:
            monkeypatch.setattr(made.thread, "start", refuse)
        return made

    monkeypatch.setattr("core.jobs.scheduler.Attempt", attempt)
    run = jobs.submit("work")
    scheduler.start()
    done = ended(jobs, run)
    assert (done.state, done.attempt, done.failures) == ("succeeded", 4, 0)
    assert caplog.text.count("could not be begun") == 3


class Fussy(Options):
    """Options whose check breaks."""

    @model_validator(mode="before")
    @classmethod
    def _breaks(cls, given):
        raise KeyError("detail")


def test_a_kind_whose_options_break_fails_its_run(jobs, scheduler, work, store):
    run = jobs.submit("work")
    work.Options = Fussy
    scheduler.start()
    assert ended(jobs, run).error == "Something unexpected went wrong: KeyError."


class Leaver(JobKind):
    """A kind that ends its thread in a way that nobody should."""

    name = "leaver"
    label = "Leaver"

    def run(self, task):
        raise SystemExit(3)


def test_a_kind_that_exits_ends_its_run_only(jobs, scheduler):
    scheduler.register(Leaver())
    scheduler.start()
    assert (
        ended(jobs, jobs.submit("leaver")).error == "Something unexpected went wrong: SystemExit."
    )


def test_an_unstarted_scheduler_stops(make_scheduler):
    make_scheduler(pace=QUICK).stop()
