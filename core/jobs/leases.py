"""How runs begin, are held and end, over any number of processes on one store.

Each step is one short transaction, and each write of a run's owner is fenced by the attempt that
it was given: who was taken for dead, and is not, can change nothing any more. Decisions about what
is due use the database's clock; who is dead is decided without any clock of the wall, see
`Watch`.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib import import_module
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Row,
    and_,
    bindparam,
    func,
    literal,
    not_,
    or_,
    select,
    tuple_,
    update,
)
from sqlalchemy.orm import Session

from core.errors import InvalidInput
from core.job import Progress
from core.jobs.models import JobRun, RunState
from core.jobs.records import JOB, RUN, Clock, as_run, database_now, in_order, new_run
from core.jobs.schedule import Schedule
from core.store.owner import is_gone
from core.store.store import Store

log = logging.getLogger(__name__)

BATCH = 500
"""Due jobs that are dealt with in one transaction, 60 ms."""

LONGEST_BACK_OFF = 3600.0
_SET_BACK = timedelta(minutes=1)  # less is a clock that is being corrected
_CLAIMING = 0x4A6F6273  # of pg_advisory_xact_lock: limits per key are counted by one at a time


@dataclass(frozen=True)
class Held:
    """A run that somebody holds, as last seen; `beat` is raised by whoever holds it."""

    id: str
    attempt: int
    owner: str
    beat: int
    cancel_requested: bool


@dataclass(frozen=True)
class Sight:
    """What a look at the store shows: cheap enough for one a second, for ever."""

    now: datetime
    due: bool
    ready: bool
    next_at: datetime | None
    running: list[Held]


@dataclass(frozen=True)
class Ending:
    """How an attempt ended: with an outcome, or with an error that may be tried again.

    The outcome is of plain JSON values, see `outcome`.
    """

    state: RunState
    outcome: Mapping[str, Any] | None = None
    error: str = ""
    hint: str = ""


class Leases:
    """The runs of all workspaces, for one scheduler: `owner` names it."""

    def __init__(self, store: Store, owner: str, *, clock: Clock = database_now) -> None:
        self._store = store
        self._owner = owner
        self._clock = clock

    def look(self, kinds: Collection[str]) -> Sight:
        """Return what is due, what is ready, and what runs. Reads a few rows of indexes."""
        with self._store.read() as session:
            now = self._clock(session)
            waiting = (RUN.c.state == "waiting", RUN.c.kind.in_(kinds))
            first, reckoned, ready, later = session.execute(
                select(
                    select(func.min(JOB.c.next_at)).scalar_subquery(),
                    select(func.max(JOB.c.reckoned_at)).scalar_subquery(),
                    select(RUN.c.id).where(*waiting, _is_ready(now)).limit(1).scalar_subquery(),
                    select(func.min(RUN.c.not_before))
                    .where(*waiting, RUN.c.not_before > now)
                    .scalar_subquery(),
                )
            ).one()
            columns = (RUN.c.id, RUN.c.attempt, RUN.c.owner, RUN.c.beat, RUN.c.cancel_requested)
            running = session.execute(select(*columns).where(RUN.c.state == "running"))
            return Sight(
                now=now,
                due=bool((first and first <= now) or (reckoned and reckoned > now + _SET_BACK)),
                ready=ready is not None,
                next_at=min((each for each in (first, later) if each), default=None),
                running=[Held(*row) for row in running],
            )

    def start_due(self) -> int:
        """Turn what is due into runs that wait, at most `BATCH` of them; return how many were seen.

        Of the times that a job has missed only the latest becomes a run.
        """
        with self._store.read() as session:
            now = self._clock(session)
            which = (JOB.c.next_at <= now, JOB.c.reckoned_at > now + _SET_BACK)
            # Two queries, each by its index.
            columns = (JOB.c.id, JOB.c.cron, JOB.c.zone, JOB.c.next_at)
            found = {
                row.id: row
                for condition in which
                for row in session.execute(select(*columns).where(condition).limit(BATCH))
            }
        steps = [_Step.reckoned(row, now) for row in found.values()]
        if steps:
            with self._store.begin() as session:
                _take(session, steps, now)
        return len(steps)

    def claim(self, kinds: Collection[str], slots: int) -> list[JobRun]:
        """Take up to so many runs that are ready, the longest waiting first, for this owner."""
        taken: list[JobRun] = []
        with self._store.begin() as session:
            if session.get_bind().dialect.name == "postgresql":
                session.execute(select(func.pg_advisory_xact_lock(_CLAIMING)))
            now = self._clock(session)
            busy = _busy(session)
            ready = (RUN.c.state == "waiting", RUN.c.kind.in_(kinds), _is_ready(now))
            # What somebody is changing now is left for the next look: to wait for it while others
            # wait for what is taken here is a deadlock.
            while len(taken) < slots:
                full = [place for place, (count, limit) in busy.items() if count >= limit]
                found = session.execute(
                    select(RUN.c.id, RUN.c.workspace, RUN.c.key, RUN.c.key_limit)
                    .where(*ready, not_(_place_in(full)) if full else literal(True))
                    .order_by(RUN.c.not_before, RUN.c.number)
                    .limit(slots - len(taken))
                    .with_for_update(skip_locked=True)
                ).all()
                if not found:
                    break
                for run, workspace, key, limit in found:
                    count = busy.get((workspace, key), (0, limit))[0]
                    if not key or count < limit:
                        taken += self._take_one(session, run, now)
                        count += 1
                    if key:
                        busy[workspace, key] = (count, limit)
        return taken

    def _take_one(self, session: Session, run: str, now: datetime) -> list[JobRun]:
        mine = {
            "state": "running",
            "owner": self._owner,
            "attempt": RUN.c.attempt + 1,
            "started_at": now,
            "finished_at": None,
            "cancel_requested": False,
            "phase": "",
            "done": 0,
            "total": None,
            "rate": None,
        }
        taking = update(RUN).where(RUN.c.id == run, RUN.c.state == "waiting").values(mine)
        return [as_run(row) for row in session.execute(taking.returning(*RUN.c))]

    def beat(self, held: Collection[tuple[str, int]]) -> dict[tuple[str, int], bool]:
        """Say that these runs go on; return those that are still ours: is one to be cancelled?"""
        if not held:
            return {}
        ours = (RUN.c.state == "running", RUN.c.owner == self._owner)
        these = in_order(*ours, tuple_(RUN.c.id, RUN.c.attempt).in_(list(held)))
        with self._store.begin() as session:
            beating = update(RUN).where(RUN.c.number.in_(session.scalars(these).all()))
            rows = session.execute(
                beating.values(beat=RUN.c.beat + 1).returning(
                    RUN.c.id, RUN.c.attempt, RUN.c.cancel_requested
                )
            )
            return {(run, attempt): cancel for run, attempt, cancel in rows}

    def tell(self, run: str, attempt: int, progress: Progress, log: str) -> None:
        """Write how far a run is, with the text of its log, if it is still ours."""
        ours = (RUN.c.id == run, RUN.c.attempt == attempt, RUN.c.owner == self._owner)
        telling = update(RUN).where(*ours, RUN.c.state == "running")
        with self._store.begin() as session:
            session.execute(telling.values(**_columns(progress), log=log))

    def end(
        self, run: JobRun, ending: Ending, progress: Progress | None = None, log: str | None = None
    ) -> bool:
        """Write how an attempt ended. False if the run is no longer ours: nothing is written.

        The state "failed" becomes "waiting" while there are retries left, "waiting" gives the run
        back as if this attempt had not been, unless it was to be cancelled.
        """
        known: dict[str, Any] = {} if log is None else {"log": log}
        if progress is not None:
            known |= _columns(progress)
        ours = and_(RUN.c.attempt == run.attempt, RUN.c.owner == self._owner)
        with self._store.begin() as session:
            return self._end(session, and_(RUN.c.id == run.id, ours), ending, known, spare=0)

    def take_from_dead(self, held: Held) -> bool:
        """Let a run whose owner is gone wait again, once at least; False if it has moved on."""
        same = (RUN.c.attempt == held.attempt, RUN.c.owner == held.owner, RUN.c.beat == held.beat)
        ending = Ending(
            "failed",
            error="The process that ran this ended, or did not answer for too long.",
            hint="If it happens again, see whether it needs more memory than there is.",
        )
        with self._store.begin() as session:
            return self._end(session, and_(RUN.c.id == held.id, *same), ending, {}, spare=1)

    def _end(
        self,
        session: Session,
        which: ColumnElement[bool],
        ending: Ending,
        known: Mapping[str, Any],
        *,
        spare: int,
    ) -> bool:
        query = select(RUN).where(which, RUN.c.state == "running").with_for_update()
        row = session.execute(query).one_or_none()
        if row is None:
            return False
        now = self._clock(session)
        values = {
            **known,
            "state": ending.state,
            "finished_at": now,
            "outcome": None if ending.outcome is None else _json(ending.outcome),
            "error": ending.error,
            "hint": ending.hint,
        }
        if ending.state == "failed":
            values |= _after_failure(row, now, spare)
        elif ending.state == "waiting":
            values |= {"state": "cancelled"} if row.cancel_requested else {"not_before": now}
        session.execute(update(RUN).where(RUN.c.number == row.number).values(values))
        return True


class Watch:
    """Which of others' runs are held by nobody any more, told without any clock of the wall.

    Either the owner was a process of this machine and has ended, or its beat has stood still for
    `lease` seconds of this process's own monotonic clock. So no clock that jumps loses a run.
    """

    def __init__(self, lease: float, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._lease = lease
        self._monotonic = monotonic
        self._seen: dict[Held, float] = {}

    def dead(self, others: Collection[Held]) -> list[Held]:
        """Return those that are dead, given all that run now and are not ours."""
        now = self._monotonic()
        self._seen = {each: self._seen.get(each, now) for each in others}
        return [
            each
            for each, since in self._seen.items()
            if now - since >= self._lease or is_gone(each.owner)
        ]


@dataclass(frozen=True)
class _Step:
    """What a look at the clock means for a job: the time that is due, if any, and the next."""

    job: str
    old: datetime | None
    due: datetime | None
    next: datetime | None

    @classmethod
    def reckoned(cls, row: Row[*tuple[Any, ...]], now: datetime) -> _Step:
        try:
            schedule = Schedule(row.cron, row.zone)
            # After a clock that was set back there may be nothing due: only a next time too far.
            missed = row.next_at is not None and row.next_at <= now
            due = schedule.latest(row.next_at, now) if missed else None
            return cls(row.id, row.next_at, due, schedule.next_after(now))
        except InvalidInput as error:  # a time zone that there is no more
            log.error("job %s is not run any more: %s", row.id, error.message)
        except Exception:  # one job must not keep all the others
            log.exception("job %s is not run any more", row.id)
        return cls(row.id, row.next_at, None, None)


def _take(session: Session, steps: Sequence[_Step], now: datetime) -> None:
    """Compare and set: only what still has the time that was read gets a run and the next time."""
    query = select(JOB).where(JOB.c.id.in_([step.job for step in steps]))
    rows = session.execute(query.with_for_update(skip_locked=True)).mappings()
    jobs = {row["id"]: dict(row) for row in rows}
    ours = [step for step in steps if step.job in jobs and jobs[step.job]["next_at"] == step.old]
    if not ours:
        return
    moving = update(JOB).where(JOB.c.id == bindparam("job")).values(next_at=bindparam("next"))
    session.connection().execute(
        moving.values(reckoned_at=now), [{"job": step.job, "next": step.next} for step in ours]
    )
    runs = [new_run(jobs[step.job], step.due, now, actor="schedule") for step in ours if step.due]
    if runs:
        dialect = import_module(f"sqlalchemy.dialects.{session.get_bind().dialect.name}")
        # A time that ran already, before the clock was set back, does not run again.
        once = dialect.insert(RUN).on_conflict_do_nothing(index_elements=["job", "due"])
        session.connection().execute(once, runs)


def _is_ready(now: datetime) -> ColumnElement[bool]:
    # But for a one-off with a time of its own nothing is put off for longer, so the clock has been
    # set back since.
    near = or_(RUN.c.failures > 0, RUN.c.attempt > 0, RUN.c.job.is_not(None))
    too_far = and_(near, RUN.c.not_before > now + timedelta(seconds=LONGEST_BACK_OFF))
    return or_(RUN.c.not_before <= now, too_far)


def _busy(session: Session) -> dict[tuple[str, str], tuple[int, int]]:
    """Return how many runs each key has under way, and how many it may have."""
    running = select(RUN.c.workspace, RUN.c.key, func.count(), func.max(RUN.c.key_limit))
    running = running.where(RUN.c.state == "running", RUN.c.key != "")
    rows = session.execute(running.group_by(RUN.c.workspace, RUN.c.key))
    return {(workspace, key): (count, limit) for workspace, key, count, limit in rows}


def _place_in(places: Sequence[tuple[str, str]]) -> ColumnElement[bool]:
    return tuple_(RUN.c.workspace, RUN.c.key).in_(places)


def _after_failure(row: Row[*tuple[Any, ...]], now: datetime, spare: int) -> dict[str, Any]:
    failures = row.failures + 1
    if row.cancel_requested:
        return {"failures": failures, "state": "cancelled", "error": "", "hint": ""}
    if failures > max(row.retries, spare):
        return {"failures": failures}
    delay = min(row.back_off * 2 ** (failures - 1), LONGEST_BACK_OFF)
    return {
        "failures": failures,
        "state": "waiting",
        "not_before": now + timedelta(seconds=delay),
    }


def _columns(progress: Progress) -> dict[str, Any]:
    return {name: getattr(progress, name) for name in ("phase", "done", "total", "rate")}


def _json(value: Mapping[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False)
