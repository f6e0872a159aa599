"""The rows of jobs and of their runs, and what one workspace does with them.

How runs are started, held and ended is in `leases`; here is what people ask for and look at.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    Boolean,
    ColumnElement,
    Double,
    Index,
    Integer,
    Select,
    String,
    UniqueConstraint,
    delete,
    func,
    insert,
    not_,
    or_,
    select,
    update,
)
from sqlalchemy import (
    Row as Found,
)
from sqlalchemy import text as literal_sql
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, Session, mapped_column

from core.errors import Conflict, InvalidInput, NotFound
from core.job import Progress
from core.jobs.models import ENDED, Job, JobRun, RunState
from core.jobs.schedule import Schedule
from core.store.rows import CleanText, Row, UtcTime, clean, new_id
from core.store.store import Store

Clock = Callable[[Session], datetime]

_LONGEST_SEARCH = 10_000  # characters; SQLite's LIKE takes 50,000 bytes


def database_now(session: Session) -> datetime:
    """Return the time by the database's clock, in UTC: the one that all processes share."""
    if session.get_bind().dialect.name == "sqlite":
        told = session.scalar(select(func.strftime("%Y-%m-%d %H:%M:%f", "now")))
        return datetime.fromisoformat(str(told)).replace(tzinfo=UTC)
    now: datetime = session.execute(select(func.clock_timestamp())).scalar_one()
    return now.astimezone(UTC)


class _JobRow(Row):
    __tablename__ = "job"
    __table_args__ = (Index(None, "workspace"), Index(None, "next_at"), Index(None, "reckoned_at"))

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    workspace: Mapped[str] = mapped_column(String(64))
    kind: Mapped[str] = mapped_column(String(64))
    title: Mapped[str] = mapped_column(CleanText)
    options: Mapped[str] = mapped_column(CleanText)
    cron: Mapped[str] = mapped_column(CleanText)
    zone: Mapped[str] = mapped_column(String(64))
    enabled: Mapped[bool] = mapped_column(Boolean)
    next_at: Mapped[datetime | None] = mapped_column(UtcTime)
    reckoned_at: Mapped[datetime | None] = mapped_column(UtcTime)
    """When next_at was worked out: in the future only if the clock has been set back since."""
    timeout: Mapped[float] = mapped_column(Double)
    retries: Mapped[int] = mapped_column(Integer)
    back_off: Mapped[float] = mapped_column(Double)
    key: Mapped[str] = mapped_column(CleanText)
    key_limit: Mapped[int] = mapped_column(Integer)
    created_at: Mapped[datetime] = mapped_column(UtcTime)
    created_by: Mapped[str] = mapped_column(CleanText)
    updated_at: Mapped[datetime] = mapped_column(UtcTime)
    updated_by: Mapped[str] = mapped_column(CleanText)


_IS_RUNNING, _IS_WAITING = literal_sql("state = 'running'"), literal_sql("state = 'waiting'")


class _RunRow(Row):
    __tablename__ = "job_run"
    __table_args__ = (
        UniqueConstraint("job", "due"),
        Index(None, "workspace", "number"),
        # Partial on PostgreSQL too, see the query log's.
        Index("ix_job_run_running", "workspace", sqlite_where=_IS_RUNNING),
        Index("ix_job_run_waiting", "not_before", sqlite_where=_IS_WAITING),
    )

    number: Mapped[int] = mapped_column(Integer, primary_key=True)
    id: Mapped[str] = mapped_column(String(64), unique=True)
    workspace: Mapped[str] = mapped_column(String(64))
    job: Mapped[str | None] = mapped_column(String(64))
    kind: Mapped[str] = mapped_column(String(64))
    title: Mapped[str] = mapped_column(CleanText)
    options: Mapped[str] = mapped_column(CleanText)
    due: Mapped[datetime] = mapped_column(UtcTime)
    state: Mapped[str] = mapped_column(String(16))
    attempt: Mapped[int] = mapped_column(Integer)
    failures: Mapped[int] = mapped_column(Integer)
    retries: Mapped[int] = mapped_column(Integer)
    timeout: Mapped[float] = mapped_column(Double)
    back_off: Mapped[float] = mapped_column(Double)
    key: Mapped[str] = mapped_column(CleanText)
    key_limit: Mapped[int] = mapped_column(Integer)
    not_before: Mapped[datetime] = mapped_column(UtcTime)
    owner: Mapped[str] = mapped_column(CleanText)
    beat: Mapped[int] = mapped_column(Integer)
    created_by: Mapped[str] = mapped_column(CleanText)
    started_at: Mapped[datetime | None] = mapped_column(UtcTime)
    finished_at: Mapped[datetime | None] = mapped_column(UtcTime)
    cancel_requested: Mapped[bool] = mapped_column(Boolean)
    phase: Mapped[str] = mapped_column(CleanText)
    done: Mapped[float] = mapped_column(Double)
    total: Mapped[float | None] = mapped_column(Double)
    rate: Mapped[float | None] = mapped_column(Double)
    outcome: Mapped[str | None] = mapped_column(CleanText)
    error: Mapped[str] = mapped_column(CleanText)
    hint: Mapped[str] = mapped_column(CleanText)
    log: Mapped[str] = mapped_column(CleanText)


# The tables without the ORM: half the time.
JOB = Row.metadata.tables["job"]
RUN = Row.metadata.tables["job_run"]

_COPIED = ("workspace", "kind", "title", "options", "timeout", "retries", "back_off", "key")


def new_run(job: Mapping[str, Any], due: datetime, now: datetime, *, actor: str) -> dict[str, Any]:
    """Return the row of a run that waits: a copy of what is in the job's row, or as if in one."""
    return {
        **{name: job[name] for name in (*_COPIED, "key_limit")},
        "id": new_id(),
        "job": job.get("id"),
        "due": due,
        "not_before": max(due, now),
        "state": "waiting",
        "attempt": 0,
        "failures": 0,
        "owner": "",
        "beat": 0,
        "created_by": actor,
        "cancel_requested": False,
        "phase": "",
        "done": 0,
        "error": "",
        "hint": "",
        "log": "",
    }


class JobBook:
    """The jobs and runs of one workspace. Safe to share between threads."""

    def __init__(self, store: Store, workspace: str, *, clock: Clock = database_now) -> None:
        self._store = store
        self.workspace = workspace
        self._clock = clock

    def add(self, facts: Mapping[str, Any], schedule: Schedule, *, actor: str) -> Job | None:
        """Keep a new job; None if one with the `id` that may be among the facts is there."""
        try:
            with self._store.begin() as session:
                now = self._clock(session)
                row = {
                    "id": new_id(),
                    **facts,
                    **_times(schedule, facts["enabled"], now),
                    "workspace": self.workspace,
                    "created_at": now,
                    "created_by": actor,
                    "updated_at": now,
                    "updated_by": actor,
                }
                session.execute(insert(JOB), row)
                return self._job(session, row["id"])
        except IntegrityError:
            return None

    def change(
        self, id: str, facts: Mapping[str, Any], schedule: Schedule | None = None, *, actor: str
    ) -> Job:
        """Change a job; with another schedule, or switched on, it counts from now. NotFound."""
        with self._store.begin() as session:
            now = self._clock(session)
            old = self._job(session, id, lock=True)
            new = schedule or old.schedule
            enabled = bool(facts.get("enabled", old.enabled))
            moved = (new, enabled) != (old.schedule, old.enabled)
            times = _times(new, enabled, now) if moved else {}
            changed = {**facts, **times, "updated_at": now, "updated_by": clean(actor)}
            session.execute(update(JOB).where(JOB.c.id == id).values(changed))
            return self._job(session, id)

    def delete(self, id: str) -> None:
        """Delete a job, or raise NotFound. Its waiting runs are cancelled, the ended ones stay."""
        with self._store.begin() as session:
            self._job(session, id, lock=True)
            session.execute(delete(JOB).where(JOB.c.id == id))
            self._cancel(session, RUN.c.job == id)

    def get(self, id: str) -> Job:
        """Return a job, or raise NotFound."""
        with self._store.read() as session:
            return self._job(session, id)

    def jobs(self) -> list[tuple[Job, JobRun | None]]:
        """Return all jobs in the order of their titles, each with its latest run."""
        with self._store.read() as session:
            return self._with_latest(session, JOB.c.workspace == self.workspace)

    def job(self, id: str) -> tuple[Job, JobRun | None]:
        """Return a job with its latest run, or raise NotFound."""
        with self._store.read() as session:
            self._job(session, id)
            (found,) = self._with_latest(session, JOB.c.id == id)
            return found

    def _with_latest(
        self, session: Session, which: ColumnElement[bool]
    ) -> list[tuple[Job, JobRun | None]]:
        # By the index of (job, due): a job may have thousands of runs.
        ours = select(RUN.c.number).where(RUN.c.job == JOB.c.id)
        last = ours.order_by(RUN.c.due.desc()).limit(1).scalar_subquery()
        numbered = select(JOB, last.label("last")).where(which).order_by(JOB.c.title, JOB.c.id)
        rows = session.execute(numbered).all()
        runs = session.execute(select(RUN).where(RUN.c.number.in_(select(last).where(which))))
        latest = {row.number: as_run(row) for row in runs}
        return [(_as_job(row), latest.get(row.last)) for row in rows]

    def submit(self, facts: Mapping[str, Any], at: datetime | None, *, actor: str) -> JobRun:
        """Keep a run that waits for its time, now if it has none."""
        with self._store.begin() as session:
            now = self._clock(session)
            row = new_run({**facts, "workspace": self.workspace}, at or now, now, actor=actor)
            session.execute(insert(RUN), row)
            return self._run(session, row["id"])

    def submit_by(self, session: Session, facts: Mapping[str, Any], at: datetime) -> None:
        """See, in a transaction of the caller's, that a run of this kind and key starts by a time.

        One that waits is brought forward where it is later; a new one is kept where none waits.
        One that runs does not count: it may be past looking for what the caller writes.
        """
        same = (RUN.c.kind == facts["kind"], RUN.c.key == facts["key"], RUN.c.state == "waiting")
        # Locked: PostgreSQL would start it meanwhile, before it could see what the caller writes.
        waiting = self._runs(*same).limit(1).with_for_update()
        found = session.execute(waiting).one_or_none()
        if found is None:
            now = self._clock(session)
            row = new_run({**facts, "workspace": self.workspace}, at, now, actor="millpond")
            session.execute(insert(RUN), row)
        elif found.not_before > at:
            sooner = update(RUN).where(RUN.c.number == found.number)
            session.execute(sooner.values(not_before=at))

    def run_now(self, id: str, *, actor: str) -> JobRun:
        """Let a job run once, now; its schedule stays. Raises NotFound, or Conflict."""
        try:
            with self._store.begin() as session:
                self._job(session, id)
                job = session.execute(select(JOB).where(JOB.c.id == id)).mappings().one()
                now = self._clock(session)
                row = new_run(dict(job), now, now, actor=actor)
                session.execute(insert(RUN), row)
                return self._run(session, row["id"])
        except IntegrityError as error:
            raise Conflict("This job is being started at this very moment.") from error

    def cancel(self, id: str) -> JobRun:
        """Cancel a waiting run at once; ask for it where it runs. An ended one stays as it is."""
        with self._store.begin() as session:
            self._run(session, id)
            self._cancel(session, RUN.c.id == id)
            return self._run(session, id)

    def retry(self, id: str) -> JobRun:
        """Let an ended run wait again, with all its retries. Raises NotFound or Conflict."""
        with self._store.begin() as session:
            now = self._clock(session)
            again = update(RUN).where(RUN.c.id == id, RUN.c.state.in_(ENDED - {"succeeded"}))
            again = again.values(
                state="waiting",
                not_before=now,
                failures=0,
                finished_at=None,
                cancel_requested=False,
                error="",
                hint="",
            )
            run = self._run(session, id)
            if not session.execute(again.returning(RUN.c.id)).all():
                raise Conflict(
                    f"This run has {run.state}." if run.ended else f"This run is {run.state}.",
                    hint="Only a failed or cancelled run can be repeated.",
                )
            return self._run(session, id)

    def run(self, id: str) -> JobRun:
        """Return a run as it stands, or raise NotFound."""
        with self._store.read() as session:
            return self._run(session, id)

    def runs(
        self,
        text: str = "",
        *,
        job: str | None = None,
        state: RunState | None = None,
        limit: int = 100,
        before: str | None = None,
    ) -> list[JobRun]:
        """Return runs, the newest first, whose title, error or log has the text, in any case.

        `before` is the id of the last run of the page above. Raises InvalidInput for a text of
        more than 10,000 characters.
        """
        if len(text) > _LONGEST_SEARCH:
            raise InvalidInput(f"Search for less: at most {_LONGEST_SEARCH:,} characters.")
        conditions: list[ColumnElement[bool]] = []
        if text:
            places = (RUN.c.title, RUN.c.error, RUN.c.log)
            found = [each.icontains(clean(text), autoescape=True) for each in places]
            conditions.append(or_(*found))
        if job is not None:
            conditions.append(RUN.c.job == job)
        if state is not None:
            conditions.append(RUN.c.state == state)
        if before is not None:
            above = select(RUN.c.number).where(RUN.c.id == before).scalar_subquery()
            conditions.append(RUN.c.number < above)
        newest = self._runs(*conditions).order_by(RUN.c.number.desc()).limit(limit)
        with self._store.read() as session:
            return [as_run(row) for row in session.execute(newest)]

    def prune(self, keep: int) -> int:
        """Delete ended runs but the newest `keep` and each job's latest; return how many."""
        ours = RUN.c.workspace == self.workspace
        newest = select(RUN.c.number).where(ours).order_by(RUN.c.number.desc())
        with self._store.begin() as session:
            first_old = session.scalar(newest.offset(keep).limit(1))
            if first_old is None:
                return 0
            latest = select(func.max(RUN.c.number)).where(ours, RUN.c.job.is_not(None))
            kept = RUN.c.number.in_(latest.group_by(RUN.c.job))
            old = (ours, RUN.c.number <= first_old, RUN.c.state.in_(ENDED), not_(kept))
            return len(session.execute(delete(RUN).where(*old).returning(RUN.c.number)).all())

    def _cancel(self, session: Session, which: ColumnElement[bool]) -> None:
        # Locked before they are told apart: one that was running at the one look and waiting at
        # the other would be missed by both.
        under_way = RUN.c.state.in_(["waiting", "running"])
        found = in_order(which, RUN.c.workspace == self.workspace, under_way)
        ours = (RUN.c.number.in_(session.scalars(found).all()),)
        now = self._clock(session)
        session.execute(
            update(RUN)
            .where(*ours, RUN.c.state == "waiting")
            .values(state="cancelled", finished_at=now)
        )
        asked = update(RUN).where(*ours, RUN.c.state == "running")
        session.execute(asked.values(cancel_requested=True))

    def _job(self, session: Session, id: str, *, lock: bool = False) -> Job:
        query = select(JOB).where(JOB.c.id == id, JOB.c.workspace == self.workspace)
        row = session.execute(query.with_for_update() if lock else query).one_or_none()
        if row is None:
            raise NotFound(f"There is no job {id} here.", hint="It may have been deleted.")
        return _as_job(row)

    def _runs(self, *conditions: ColumnElement[bool]) -> Select[*tuple[Any, ...]]:
        return select(RUN).where(RUN.c.workspace == self.workspace, *conditions)

    def _run(self, session: Session, id: str) -> JobRun:
        row = session.execute(self._runs(RUN.c.id == id)).one_or_none()
        if row is None:
            raise NotFound(f"There is no run {id} here.", hint="It may be too old.")
        return as_run(row)


def in_order(*conditions: ColumnElement[bool]) -> Select[int]:
    """Return what locks these runs in the order of their numbers, so that nobody deadlocks."""
    numbers = select(RUN.c.number).where(*conditions).order_by(RUN.c.number)
    return numbers.with_for_update()


def _times(schedule: Schedule, enabled: bool, now: datetime) -> dict[str, Any]:
    return {
        "cron": schedule.cron,
        "zone": schedule.zone,
        "enabled": enabled,
        "next_at": schedule.next_after(now) if enabled else None,
        "reckoned_at": now if enabled else None,
    }


def _as_job(row: Found[*tuple[Any, ...]]) -> Job:
    """Return the value of a job's row."""
    return Job(
        id=row.id,
        workspace=row.workspace,
        kind=row.kind,
        title=row.title,
        options=json.loads(row.options),
        schedule=Schedule.kept(row.cron, row.zone),
        enabled=row.enabled,
        next_at=row.next_at,
        timeout=row.timeout,
        retries=row.retries,
        key=row.key,
        key_limit=row.key_limit,
        created_at=row.created_at,
        created_by=row.created_by,
        updated_at=row.updated_at,
        updated_by=row.updated_by,
    )


def as_run(row: Found[*tuple[Any, ...]]) -> JobRun:
    """Return the value of a run's row."""
    return JobRun(
        id=row.id,
        workspace=row.workspace,
        job=row.job,
        kind=row.kind,
        title=row.title,
        options=json.loads(row.options),
        due=row.due,
        state=row.state,
        attempt=row.attempt,
        failures=row.failures,
        retries=row.retries,
        timeout=row.timeout,
        not_before=row.not_before,
        owner=row.owner,
        created_by=row.created_by,
        started_at=row.started_at,
        finished_at=row.finished_at,
        cancel_requested=row.cancel_requested,
        progress=Progress(row.phase, row.done, row.total, row.rate),
        outcome=None if row.outcome is None else json.loads(row.outcome),
        error=row.error,
        hint=row.hint,
        log=row.log,
    )
