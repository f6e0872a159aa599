"""Runs start, are told to end, fail, come back and go on, whoever dies meanwhile."""

from __future__ import annotations

import logging
from datetime import timedelta

import pytest
from sqlalchemy import update

from core.job import JobKind
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
