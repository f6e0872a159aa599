"""A time becomes a run once, a run has one owner, and no clock that jumps changes that."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from sqlalchemy import func, insert, select, update

from core.job import Progress
from core.jobs.leases import Ending, Held, Leases, Watch, _Step
from core.jobs.models import Plan
from core.jobs.records import JOB, RUN

DONE = Ending("succeeded", outcome={"rows": 3})
FAILED = Ending("failed", error="It broke.", hint="Mend it.")


@pytest.fixture
def leases(store, clock) -> Leases:
    return Leases(store, "here:1:1#a", clock=clock)


@pytest.fixture
def others(store, clock) -> Leases:
    return Leases(store, "elsewhere:1:1#b", clock=clock)


def every(cron: str, **more) -> Plan:
    return Plan(kind="work", title="T", cron=cron, **more)


def dues(jobs, job) -> list:
    return sorted(run.due for run in jobs.runs(job=job.id))


def test_what_is_not_due_does_not_run(jobs, leases):
    jobs.add(every("0 0 1 1 *"))
    assert not leases.look(["work"]).due
    assert leases.start_due() == 0
    assert jobs.runs() == []


def test_of_missed_times_the_latest_runs_and_the_next_is_kept(jobs, leases, clock):
    job = jobs.add(every("0 * * * *"))
    clock.shift += timedelta(hours=50)
    assert leases.look(["work"]).due
    leases.start_due()
    (run,) = jobs.runs()
    next_at = jobs.get(job.id).next_at
    assert next_at - run.due == timedelta(hours=1)
    assert run.due > job.next_at
    assert (run.job, run.state, run.kind, run.created_by) == (job.id, "waiting", "work", "schedule")
    assert not leases.look(["work"]).due


def test_many_that_look_at_once_start_a_time_once(jobs, store, clock):
    job = jobs.add(every("0 0 * * *"))
    barrier = threading.Barrier(6)

    def start(number: int) -> None:
        leases = Leases(store, f"o:{number}:0", clock=clock)
        barrier.wait()
        for _ in range(5):
            leases.start_due()

    clock.shift += timedelta(days=3)
    threads = [threading.Thread(target=start, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(dues(jobs, job)) == 1


def test_a_clock_set_back_by_a_day_starts_nothing_again_and_goes_on(jobs, leases, clock):
    job = jobs.add(every("0 * * * *"))
    for _ in range(30):
        clock.shift += timedelta(hours=1)
        leases.start_due()
    seen = dues(jobs, job)
    assert len(seen) == 30

    clock.shift -= timedelta(days=1)
    assert leases.look(["work"]).due  # not a run, but a next time that is a day too far
    leases.start_due()
    assert dues(jobs, job) == seen
    assert jobs.get(job.id).next_at < seen[-1]
    for _ in range(30):
        clock.shift += timedelta(hours=1)
        leases.start_due()
    again = dues(jobs, job)
    assert [each - again[0] for each in again] == [timedelta(hours=n) for n in range(36)]


def test_a_clock_that_jumps_ahead_and_back_leaves_no_time_out(jobs, leases, clock):
    job = jobs.add(every("0 * * * *"))
    clock.shift += timedelta(days=1)
    leases.start_due()
    (early,) = dues(jobs, job)
    clock.shift -= timedelta(days=1)
    leases.start_due()
    for _ in range(26):
        clock.shift += timedelta(hours=1)
        leases.start_due()
    found = dues(jobs, job)
    assert early in found
    assert [each - found[0] for each in found] == [timedelta(hours=n) for n in range(26)]


def test_a_job_that_is_changed_while_it_is_looked_at_stays_as_it_was_changed(
    jobs, leases, clock, monkeypatch
):
    job = jobs.add(every("0 * * * *"))
    clock.shift += timedelta(hours=2)
    reckoned = _Step.reckoned

    def meddled(row, now):  # called between what reads and what writes
        jobs.enable(job.id, False)
        return reckoned(row, now)

    monkeypatch.setattr(_Step, "reckoned", meddled)
    assert leases.start_due() == 1
    assert jobs.get(job.id).next_at is None
    assert jobs.runs() == []


def test_a_job_switched_on_again_makes_up_for_nothing(jobs, leases, clock):
    job = jobs.add(every("0 * * * *"))
    assert jobs.enable(job.id, False).next_at is None
    clock.shift += timedelta(hours=5)
    assert leases.start_due() == 0
    jobs.enable(job.id)
    assert leases.start_due() == 0
    assert jobs.runs() == []


def test_a_run_has_one_owner(jobs, leases, others):
    run = jobs.submit("work")
    (mine,) = leases.claim(["work"], 4)
    assert others.claim(["work"], 4) == []
    assert (mine.id, mine.state, mine.attempt) == (run.id, "running", 1)
    assert leases.end(mine, DONE)
    assert (jobs.run(run.id).state, jobs.run(run.id).outcome) == ("succeeded", {"rows": 3})


def test_a_run_of_an_unknown_kind_waits_for_who_knows_it(jobs, leases):
    jobs.submit("work")
    assert not leases.look(["other"]).ready
    assert leases.claim(["other"], 4) == []
    assert leases.look(["work"]).ready


def test_who_was_taken_for_dead_can_write_nothing_any_more(jobs, leases, others, store):
    run = jobs.submit("work")
    (old,) = leases.claim(["work"], 1)
    (held,) = others.look(["work"]).running
    assert others.take_from_dead(held)
    assert not others.take_from_dead(held)
    waiting = jobs.run(run.id)
    assert (waiting.state, waiting.failures) == ("waiting", 1)
    assert "process that ran this ended" in waiting.error

    assert leases.beat([(old.id, old.attempt)]) == {}
    assert not leases.end(old, DONE)
    put_off_no_more(store, run)
    (new,) = others.claim(["work"], 1)
    assert new.attempt == 2
    leases.tell(old.id, old.attempt, Progress("late"), "late")
    assert not leases.end(old, FAILED)
    # Not even where the same scheduler holds the next attempt.
    assert not others.end(old, DONE)
    assert (jobs.run(run.id).state, jobs.run(run.id).log) == ("running", "")
    assert others.end(new, DONE)


def test_a_beat_shows_that_an_owner_lives(jobs, leases, others):
    jobs.submit("work")
    (mine,) = leases.claim(["work"], 1)
    (held,) = others.look(["work"]).running
    assert leases.beat([(mine.id, 1)]) == {(mine.id, 1): False}
    assert not others.take_from_dead(held)  # it has moved on since
    assert leases.end(mine, DONE)


def test_a_killed_run_is_repeated_once_at_least(jobs, leases, others, store):
    run = jobs.submit("work")  # no retries
    for failures, state in ((1, "waiting"), (2, "failed")):
        leases.claim(["work"], 1)
        others.take_from_dead(others.look(["work"]).running[0])
        assert (jobs.run(run.id).failures, jobs.run(run.id).state) == (failures, state)
        put_off_no_more(store, run)


def test_a_run_to_be_cancelled_whose_owner_died_is_cancelled(jobs, leases, others):
    run = jobs.submit("work")
    leases.claim(["work"], 1)
    assert jobs.cancel(run.id).state == "running"
    (held,) = others.look(["work"]).running
    assert held.cancel_requested
    others.take_from_dead(held)
    assert jobs.run(run.id).state == "cancelled"


def test_a_failed_attempt_waits_longer_each_time_until_the_retries_are_used_up(
    jobs, leases, clock, work
):
    work.back_off = 40
    job = jobs.add(every("0 0 1 1 *", retries=9))
    run = jobs.run_now(job.id)
    delays = []
    while (found := jobs.run(run.id)).state == "waiting":
        clock.shift += timedelta(hours=2)
        (attempt,) = leases.claim(["work"], 1)
        assert leases.end(attempt, FAILED)
        found = jobs.run(run.id)
        delays.append(round((found.not_before - found.finished_at).total_seconds()))
        if found.state == "waiting":
            assert leases.claim(["work"], 1) == []
    assert delays[:9] == [40, 80, 160, 320, 640, 1280, 2560, 3600, 3600]
    assert (found.state, found.attempt, found.error, found.hint) == (
        "failed",
        10,
        "It broke.",
        "Mend it.",
    )


def test_a_repetition_put_off_before_the_clock_was_set_back_does_not_wait_a_day(
    jobs, leases, clock
):
    job = jobs.add(every("0 0 1 1 *", retries=1))
    run = jobs.run_now(job.id)
    leases.end(*leases.claim(["work"], 1), FAILED)
    clock.shift -= timedelta(days=1)
    assert [each.id for each in leases.claim(["work"], 1)] == [run.id]


def test_a_run_given_back_has_not_been_tried(jobs, leases):
    run = jobs.submit("work")
    (attempt,) = leases.claim(["work"], 1)
    assert leases.end(attempt, Ending("waiting"))
    back = jobs.run(run.id)
    assert (back.state, back.failures, back.error) == ("waiting", 0, "")
    assert [each.attempt for each in leases.claim(["work"], 1)] == [2]


def test_a_run_to_be_cancelled_is_not_given_back(jobs, leases):
    run = jobs.submit("work")
    (attempt,) = leases.claim(["work"], 1)
    jobs.cancel(run.id)
    assert leases.end(attempt, Ending("waiting"))
    cancelled = jobs.run(run.id)
    assert (cancelled.state, cancelled.failures) == ("cancelled", 0)
    jobs.retry(run.id)
    again = jobs.run(run.id)
    assert (again.state, again.cancel_requested) == ("waiting", False)


@pytest.mark.parametrize("given_back", [False, True])
def test_what_was_ready_before_the_clock_was_set_back_does_not_wait_a_day(
    jobs, leases, clock, given_back
):
    run = jobs.submit("work") if given_back else jobs.run_now(jobs.add(every("0 0 1 1 *")).id)
    if given_back:
        leases.end(*leases.claim(["work"], 1), Ending("waiting"))
    clock.shift -= timedelta(days=1)
    assert [each.id for each in leases.claim(["work"], 1)] == [run.id]


def test_a_one_off_waits_for_its_time(jobs, leases, clock):
    at = leases.look([]).now + timedelta(hours=30)
    run = jobs.submit("work", at=at)
    assert (run.due, run.state) == (at, "waiting")
    assert leases.claim(["work"], 1) == []
    assert leases.look(["work"]).next_at == at
    clock.shift += timedelta(hours=31)
    assert [each.id for each in leases.claim(["work"], 1)] == [run.id]


def test_runs_of_one_key_wait_for_each_other_and_hold_up_no_other(jobs, leases, others, work):
    work.limit = 2
    for _ in range(5):
        jobs.submit("work", {"key": "a"})
    other = jobs.submit("work", {"key": "b"})
    free = jobs.submit("work")
    first = leases.claim(["work"], 4)
    assert [run.options["key"] for run in first] == ["a", "a", "b", ""]
    assert {other.id, free.id} == {run.id for run in first[2:]}
    assert others.claim(["work"], 4) == []
    leases.end(first[0], DONE)
    assert len(others.claim(["work"], 4)) == 1


def test_many_that_claim_at_once_keep_to_the_limit_of_a_key(jobs, store):
    owners = [Leases(store, f"o:{number}:0") for number in range(4)]
    for _ in range(30):
        runs = [jobs.submit("work", {"key": "a"}) for _ in range(4)]
        barrier = threading.Barrier(len(owners))
        claimed = []

        def claim(owner: Leases, barrier=barrier, claimed=claimed) -> None:
            barrier.wait()
            for _ in range(2):
                claimed += [(owner, run) for run in owner.claim(["work"], 2)]

        threads = [threading.Thread(target=claim, args=(owner,)) for owner in owners]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(claimed) == 1
        for owner, run in claimed:
            owner.end(run, DONE)
        for run in runs:
            jobs.cancel(run.id)


def test_who_claims_waits_for_nobody_and_leaves_what_is_being_changed(jobs, leases, store):
    first, second = jobs.submit("work"), jobs.submit("work")
    if store._engine.dialect.name == "sqlite":  # its writers take turns
        assert len(leases.claim(["work"], 4)) == 2
        return
    with store.begin() as session:
        session.execute(select(RUN).where(RUN.c.id == first.id).with_for_update())
        assert [run.id for run in leases.claim(["work"], 4)] == [second.id]
    assert [run.id for run in leases.claim(["work"], 4)] == [first.id]


def test_a_run_is_cancelled_while_it_goes_from_one_state_to_another(jobs, leases, store):
    """Between a look for waiting runs and one for running runs it would be missed by both."""
    run = jobs.submit("work")
    cancelling = threading.Thread(target=jobs.cancel, args=(run.id,))
    (attempt,) = leases.claim(["work"], 1)
    with store.begin() as session:
        # As `end` does when it gives a run back, and slowly.
        session.execute(select(RUN).where(RUN.c.id == run.id).with_for_update())
        cancelling.start()
        cancelling.join(0.3)
        session.execute(update(RUN).where(RUN.c.id == run.id).values(state="waiting"))
    cancelling.join(30)
    assert jobs.run(run.id).state == "cancelled"
    assert not leases.end(attempt, DONE)


def test_a_watch_takes_a_run_for_dead_after_a_lease_of_its_own_time():
    moment = [0.0]
    watch = Watch(10, lambda: moment[0])
    still = Held("a", 1, "elsewhere:1:1", 7, False)
    assert watch.dead([still]) == []
    moment[0] = 9
    assert watch.dead([still]) == []
    beaten = Held("a", 1, "elsewhere:1:1", 8, False)
    assert watch.dead([beaten]) == []
    moment[0] = 18
    assert watch.dead([beaten]) == []
    moment[0] = 19
    assert watch.dead([beaten]) == [beaten]


@pytest.mark.timeout(300)
@pytest.mark.parametrize("many", [500, pytest.param(10_000, marks=pytest.mark.soak)])
def test_many_due_at_once_each_become_one_run(jobs, leases, others, store, clock, many):
    job = jobs.add(every("0 0 * * *"))
    with store.begin() as session:
        row = session.execute(select(JOB)).mappings().one()
        copies = [{**row, "id": f"copy {number}"} for number in range(many - 1)]
        session.execute(insert(JOB), copies)
    clock.shift += timedelta(days=1)

    threads = [threading.Thread(target=start_all, args=(each,)) for each in (leases, others)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not leases.look(["work"]).due
    with store.read() as session:
        total, different = select(func.count()), select(func.count(RUN.c.job.distinct()))
        assert session.scalar(total.select_from(RUN)) == session.scalar(different) == many
    assert dues(jobs, job) == [job.next_at]


def start_all(leases: Leases) -> None:
    while leases.start_due():
        pass


def put_off_no_more(store, run) -> None:
    with store.begin() as session:
        early = select(RUN.c.due).where(RUN.c.id == run.id).scalar_subquery()
        session.execute(update(RUN).where(RUN.c.id == run.id).values(not_before=early))
