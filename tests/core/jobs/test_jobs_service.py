"""Jobs as people plan, find and change them, and what of that is whose."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import update

from core.access import Actor
from core.errors import Conflict, Forbidden, InvalidInput, NotFound
from core.jobs.housekeeping import Housekeeping
from core.jobs.leases import Ending, Leases
from core.jobs.models import Plan
from core.jobs.records import JOB, JobBook
from core.jobs.schedule import Schedule
from core.jobs.service import Jobs, settle_own
from tests.core.jobs.kinds import EDITOR, ended

PLAN = Plan(kind="work", title="Nightly", cron="30 2 * * *", zone="Europe/Paris")


def finish(store, jobs, run, ending: Ending) -> None:
    leases = Leases(store, "o:1:1")
    (claimed,) = leases.claim(["work"], 1)
    assert claimed.id == run.id
    leases.end(claimed, ending)


def test_a_job_is_kept_with_what_its_kind_says_and_what_was_chosen(store, jobs, work):
    work.limit = 3
    job = jobs.add(PLAN.model_copy(update={"options": {"key": "db"}, "retries": 4, "timeout": 5.0}))
    assert (job.options["key"], job.retries, job.timeout) == ("db", 4, 5.0)
    assert (job.key, job.key_limit, job.created_by) == ("db", 3, "ann")
    assert job.next_at == job.schedule.next_after(job.created_at)
    assert JobBook(store, "w").get(job.id) == job
    plain = jobs.add(PLAN)
    assert (plain.retries, plain.timeout, plain.key) == (0, 60.0, "")


def test_a_changed_schedule_counts_from_now_and_another_title_changes_no_time(jobs, clock):
    job = jobs.add(PLAN)
    clock.shift += timedelta(days=3)
    renamed = jobs.change(job.id, PLAN.model_copy(update={"title": "Other"}))
    assert (renamed.title, renamed.next_at) == ("Other", job.next_at)
    assert renamed.updated_at > renamed.created_at
    moved = jobs.change(job.id, PLAN.model_copy(update={"cron": "0 4 * * *"}))
    assert moved.next_at > job.next_at + timedelta(days=2)
    off = jobs.change(job.id, PLAN.model_copy(update={"enabled": False}))
    assert (off.enabled, off.next_at) == (False, None)


def test_deleting_a_job_cancels_what_of_it_waits_and_keeps_what_was(store, jobs):
    job = jobs.add(PLAN)
    old = jobs.run_now(job.id)
    finish(store, jobs, old, Ending("succeeded"))
    waiting = jobs.run_now(job.id)
    jobs.delete(job.id)
    assert jobs.list() == []
    assert [run.state for run in jobs.runs(job=job.id)] == ["cancelled", "succeeded"]
    assert jobs.run(waiting.id).state == "cancelled"


def test_jobs_are_listed_by_title_with_their_latest_run(store, jobs):
    first = jobs.add(PLAN.model_copy(update={"title": "B"}))
    second = jobs.add(PLAN.model_copy(update={"title": "A"}))
    for _ in range(2):
        latest = jobs.run_now(first.id)
        finish(store, jobs, latest, Ending("failed", error="It broke."))
    found = jobs.list()
    assert [(each.job.id, each.label, each.own) for each in found] == [
        (second.id, "Work", False),
        (first.id, "Work", False),
    ]
    assert found[0].last is None
    assert (found[1].last.id, found[1].last.error) == (latest.id, "It broke.")
    assert jobs.status(first.id) == found[1]
    assert [each.job.title for each in jobs.list("b")] == ["B"]


@pytest.mark.parametrize(
    ("needle", "expected"),
    [("", [2, 1, 0]), ("BROKE", [1]), ("title 2", [2]), ("100%", [0]), ("_", [])],
)
def test_runs_are_found_by_title_error_and_log(store, jobs, needle, expected):
    endings = [("succeeded", "", "100% done"), ("failed", "It broke.", ""), ("succeeded", "", "")]
    ids = []
    for number, (state, error, said) in enumerate(endings):
        run = jobs.submit("work", title=f"Title {number}")
        ids.append(run.id)
        leases = Leases(store, "o:1:1")
        (claimed,) = leases.claim(["work"], 1)
        leases.end(claimed, Ending(state, error=error), log=said)
    assert [ids.index(run.id) for run in jobs.runs(needle)] == expected


def test_runs_are_filtered_and_paged(store, jobs):
    job = jobs.add(PLAN)
    runs = [jobs.run_now(job.id) for _ in range(3)] + [jobs.submit("work")]
    ids = [run.id for run in reversed(runs)]
    assert [run.id for run in jobs.runs(limit=2)] == ids[:2]
    assert [run.id for run in jobs.runs(before=ids[1])] == ids[2:]
    assert [run.id for run in jobs.runs(job=job.id)] == ids[1:]
    jobs.cancel(ids[0])
    assert [run.id for run in jobs.runs(state="cancelled")] == ids[:1]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"kind": "nothing"}, 'no kind of job "nothing"'),
        ({"options": {"fail": "often"}}, "Work: fail: "),
        ({"options": {"surprise": 1}}, "Work: surprise: "),
        ({"cron": "30 25 * * *"}, "hour of the schedule"),
        ({"zone": "Europe/Pariss"}, "no time zone"),
        ({"kind": "housekeeping"}, "Millpond's own"),
    ],
)
def test_a_plan_that_does_not_fit_is_refused_and_nothing_is_kept(jobs, scheduler, changes, message):
    scheduler.register(Housekeeping({}))
    with pytest.raises(InvalidInput, match=message):
        jobs.add(PLAN.model_copy(update=changes))
    assert jobs.list() == []


def test_a_time_without_a_zone_is_refused(jobs):
    with pytest.raises(InvalidInput, match="no time zone"):
        jobs.submit("work", at=datetime(2030, 1, 1))
    assert jobs.submit("work", at=datetime(2030, 1, 1, tzinfo=UTC)).state == "waiting"


def test_only_what_failed_or_was_cancelled_is_repeated(store, jobs):
    run = jobs.submit("work")
    with pytest.raises(Conflict, match="is waiting"):
        jobs.retry(run.id)
    finish(store, jobs, run, Ending("succeeded"))
    with pytest.raises(Conflict, match="has succeeded"):
        jobs.retry(run.id)


@pytest.mark.parametrize(
    "ask",
    [
        lambda jobs, it: jobs.get(it),
        lambda jobs, it: jobs.status(it),
        lambda jobs, it: jobs.change(it, PLAN),
        lambda jobs, it: jobs.enable(it),
        lambda jobs, it: jobs.delete(it),
        lambda jobs, it: jobs.run_now(it),
        lambda jobs, it: jobs.run(it),
        lambda jobs, it: jobs.cancel(it),
        lambda jobs, it: jobs.retry(it),
    ],
)
def test_another_workspace_sees_and_touches_nothing(store, jobs, scheduler, ask):
    job = jobs.add(PLAN)
    run = jobs.run_now(job.id)
    others = Jobs(JobBook(store, "other"), scheduler, EDITOR)
    assert (others.list(), others.runs()) == ([], [])
    for it in (job.id, run.id, "gone"):
        with pytest.raises(NotFound):
            ask(others, it)
    assert (jobs.get(job.id), jobs.run(run.id)) == (job, run)


@pytest.mark.parametrize(
    "ask",
    [
        lambda jobs, job, run: jobs.add(PLAN),
        lambda jobs, job, run: jobs.change(job, PLAN),
        lambda jobs, job, run: jobs.enable(job, False),
        lambda jobs, job, run: jobs.delete(job),
        lambda jobs, job, run: jobs.submit("work"),
        lambda jobs, job, run: jobs.run_now(job),
        lambda jobs, job, run: jobs.cancel(run),
        lambda jobs, job, run: jobs.retry(run),
    ],
)
def test_a_viewer_looks_only(store, jobs, scheduler, ask):
    job = jobs.add(PLAN)
    run = jobs.run_now(job.id)
    viewer = Jobs(JobBook(store, "w"), scheduler, Actor("vic", "viewer"))
    assert (viewer.get(job.id), viewer.run(run.id)) == (job, run)
    with pytest.raises(Forbidden, match="vic may not"):
        ask(viewer, job.id, run.id)


def test_the_programs_own_job_is_there_once_and_stays(store, jobs, scheduler):
    swept = []
    kind = Housekeeping({"queries": lambda workspace: swept.append(workspace) or 7})
    scheduler.register(kind)
    for _ in range(2):
        settle_own(JobBook(store, "w"), kind, "17 * * * *")
    (found,) = jobs.list()
    assert (found.own, found.label) == (True, "Housekeeping")
    assert kind not in jobs.kinds
    with pytest.raises(Forbidden, match="belongs to Millpond"):
        jobs.delete(found.job.id)
    with pytest.raises(Forbidden, match="belongs to Millpond"):
        jobs.change(found.job.id, PLAN)

    jobs.enable(found.job.id, False)
    settle_own(JobBook(store, "w"), kind, "17 * * * *")
    assert not jobs.get(found.job.id).enabled
    scheduler.start()
    run = ended(jobs, jobs.run_now(found.job.id))
    assert (run.outcome, swept) == ({"queries": 7}, ["w"])
    assert run.log.endswith("queries: 7 removed")


def test_pruning_keeps_the_newest_what_has_not_ended_and_the_latest_of_each_job(store, jobs):
    rare, often = (jobs.add(PLAN.model_copy(update={"title": title})) for title in "AB")
    last_of_rare = jobs.run_now(rare.id)
    finish(store, jobs, last_of_rare, Ending("succeeded"))
    waiting = jobs.submit("work", at=datetime(2040, 1, 1, tzinfo=UTC))
    for _ in range(4):
        finish(store, jobs, jobs.run_now(often.id), Ending("succeeded"))
    book = JobBook(store, "w")
    assert book.prune(10) == 0
    assert JobBook(store, "other").prune(0) == 0
    assert book.prune(2) == 2
    left = [run.id for run in jobs.runs()]
    assert len(left) == 4
    assert left[2:] == [waiting.id, last_of_rare.id]


def test_a_job_whose_time_zone_is_gone_holds_up_no_other(store, jobs, clock, caplog):
    jobs.add(PLAN)
    with store.begin() as session:
        session.execute(update(JOB).values(zone="Atlantis/Poseidonis"))
    fine = Jobs(JobBook(store, "fine", clock=clock), jobs._scheduler, EDITOR)
    fine.add(PLAN)
    clock.shift += timedelta(days=1)
    leases = Leases(store, "o:1:1", clock=clock)
    while leases.start_due():
        pass
    assert len(fine.runs()) == 1
    assert "Atlantis" in caplog.text


@pytest.mark.parametrize(
    ("gone", "words", "message"),
    [
        # Another process, with newer rules, may know it.
        (
            {"zone": "Atlantis/Poseidonis"},
            "At 02:30 every day, Atlantis/Poseidonis",
            "no time zone",
        ),
        ({"cron": "30 2 * * FUN"}, "30 2 * * FUN, Europe/Paris", "day-of-week of the schedule"),
    ],
)
def test_a_job_whose_schedule_is_right_no_more_is_listed_and_mended(
    store, jobs, gone, words, message
):
    job, other = jobs.add(PLAN), jobs.add(PLAN.model_copy(update={"title": "Other"}))
    with store.begin() as session:
        session.execute(update(JOB).where(JOB.c.id == job.id).values(gone))
    assert [each.job.id for each in jobs.list()] == [job.id, other.id]
    found = jobs.status(job.id).job
    assert message in found.schedule.problem.message
    assert found.schedule.words() == words
    assert jobs.get(other.id).schedule.problem is None
    assert jobs.run_now(job.id).state == "waiting"
    assert not jobs.enable(job.id, False).enabled
    with pytest.raises(InvalidInput, match=message):
        jobs.enable(job.id)
    assert jobs.change(job.id, PLAN).next_at == other.next_at
    with store.begin() as session:
        session.execute(update(JOB).where(JOB.c.id == job.id).values(gone))
    jobs.delete(job.id)
    assert [each.job.id for each in jobs.list()] == [other.id]


def test_a_schedule_that_breaks_holds_up_no_other(store, jobs, clock, monkeypatch, caplog):
    broken, fine = (jobs.add(PLAN.model_copy(update={"title": title})) for title in "AB")
    reckon = Schedule.latest

    def latest(schedule, since, now):
        if schedule.cron == "1 1 1 1 1":
            raise OverflowError("far too far")
        return reckon(schedule, since, now)

    with store.begin() as session:
        session.execute(update(JOB).where(JOB.c.id == broken.id).values(cron="1 1 1 1 1"))
    monkeypatch.setattr(Schedule, "latest", latest)
    clock.shift += timedelta(days=1)
    leases = Leases(store, "o:1:1", clock=clock)
    while leases.start_due():
        pass
    assert [run.job for run in jobs.runs()] == [fine.id]
    assert "far too far" in caplog.text
