"""The jobs of a workspace for an actor: plan them, start and stop runs, and see how they stand."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pydantic import BaseModel, ValidationError

from core.access import Actor
from core.errors import Conflict, Forbidden, InvalidInput
from core.job import JobKind
from core.jobs.attempt import first_problem
from core.jobs.models import Job, JobRun, JobStatus, Plan, RunState
from core.jobs.records import JobBook
from core.jobs.schedule import Schedule
from core.jobs.scheduler import Scheduler


class Jobs:
    """The jobs of a workspace for one actor. Everybody sees them; editors change them."""

    def __init__(self, book: JobBook, scheduler: Scheduler, actor: Actor) -> None:
        self._book, self._scheduler, self._actor = book, scheduler, actor

    @property
    def kinds(self) -> list[JobKind[Any]]:
        """Return the kinds that people may schedule, in the order of their labels."""
        offered = (kind for kind in self._scheduler.kinds.values() if not kind.own)
        return sorted(offered, key=lambda kind: kind.label)

    def get(self, id: str) -> Job:
        """Return a job. Raises NotFound."""
        return self._book.get(id)

    def status(self, id: str) -> JobStatus:
        """Return a job with its next time and its latest run. Raises NotFound."""
        return self._status(*self._book.job(id))

    def add(self, plan: Plan) -> Job:
        """Add a job. Raises InvalidInput that says what does not fit."""
        self._actor.require("editor", "add jobs")
        facts = self._facts(plan)
        job = self._book.add(facts, plan.schedule, actor=self._actor.name)
        if job is None:
            raise Conflict("This job is there already.")
        self._scheduler.wake()
        return job

    def change(self, id: str, plan: Plan) -> Job:
        """Change a job; runs that were begun go on as they were. Raises NotFound, InvalidInput."""
        self._actor.require("editor", "change jobs")
        self._require_others(id)
        job = self._book.change(id, self._facts(plan), plan.schedule, actor=self._actor.name)
        self._scheduler.wake()
        return job

    def enable(self, id: str, enabled: bool = True) -> Job:
        """Switch a job's schedule on, counted from now, or off. Raises NotFound."""
        self._actor.require("editor", "change jobs")
        job = self._book.change(id, {"enabled": enabled}, actor=self._actor.name)
        self._scheduler.wake()
        return job

    def delete(self, id: str) -> None:
        """Delete a job and cancel what of it waits or runs. Raises NotFound."""
        self._actor.require("editor", "delete jobs")
        self._require_others(id)
        self._book.delete(id)

    def submit(
        self,
        kind: str,
        options: Mapping[str, Any] | BaseModel | None = None,
        *,
        title: str = "",
        at: datetime | None = None,
    ) -> JobRun:
        """Start a one-off in the background, at a time if one is given. Raises InvalidInput."""
        self._actor.require("editor", "start jobs")
        if at is not None and at.tzinfo is None:
            raise InvalidInput(f"{at} says no time zone.", hint="For example 2026-01-31T09:00Z.")
        given = options.model_dump(mode="json") if isinstance(options, BaseModel) else options
        facts = defaults(self._kind(kind), given or {})
        facts["title"] = title or self._kind(kind).label
        run = self._book.submit(facts, at, actor=self._actor.name)
        self._scheduler.wake()
        return run

    def run_now(self, id: str) -> JobRun:
        """Let a job run once, now; its schedule stays as it is. Raises NotFound."""
        self._actor.require("editor", "start jobs")
        run = self._book.run_now(id, actor=self._actor.name)
        self._scheduler.wake()
        return run

    def cancel(self, run_id: str) -> JobRun:
        """Cancel a run: at once where it waits or runs here, else within a second. NotFound."""
        self._actor.require("editor", "cancel jobs")
        run = self._book.cancel(run_id)
        self._scheduler.cancel(run_id)
        return run

    def retry(self, run_id: str) -> JobRun:
        """Let a failed or cancelled run begin again. Raises NotFound or Conflict."""
        self._actor.require("editor", "start jobs")
        run = self._book.retry(run_id)
        self._scheduler.wake()
        return run

    def run(self, run_id: str) -> JobRun:
        """Return a run as it stands: progress, log and outcome. Raises NotFound."""
        return self._book.run(run_id)

    def runs(
        self,
        text: str = "",
        *,
        job: str | None = None,
        state: RunState | None = None,
        limit: int = 100,
        before: str | None = None,
    ) -> list[JobRun]:
        """Return runs, the newest first, filtered by a text in title, error or log."""
        return self._book.runs(text, job=job, state=state, limit=limit, before=before)

    def list(self, text: str = "") -> list[JobStatus]:
        """Return jobs whose title or kind holds a text, each with its next time and latest run."""
        wanted = text.strip().lower()
        found = [self._status(job, last) for job, last in self._book.jobs()]
        return [each for each in found if wanted in f"{each.job.title}\n{each.label}".lower()]

    def _status(self, job: Job, last: JobRun | None) -> JobStatus:
        kind = self._scheduler.kinds.get(job.kind)
        label, own = (kind.label, kind.own) if kind else (job.kind, False)
        return JobStatus(job, label, own, last)

    def _kind(self, name: str) -> JobKind[Any]:
        kind = self._scheduler.kinds.get(name)
        if kind is None:
            choices = ", ".join(sorted(self._scheduler.kinds))
            raise InvalidInput(f'There is no kind of job "{name}".', hint=f"There are: {choices}.")
        return kind

    def _require_others(self, id: str) -> None:
        kind = self._scheduler.kinds.get(self._book.get(id).kind)
        if kind is not None and kind.own:
            raise Forbidden(
                f"{kind.label} belongs to Millpond itself.",
                hint="It can be run, cancelled, and switched off and on.",
            )

    def _facts(self, plan: Plan) -> dict[str, Any]:
        kind = self._kind(plan.kind)
        if kind.own:
            raise InvalidInput(f"{kind.label} is Millpond's own, and is there already.")
        given = {"timeout": plan.timeout, "retries": plan.retries}
        chosen = {name: value for name, value in given.items() if value is not None}
        facts = defaults(kind, plan.options) | chosen
        return {**facts, "title": plan.title, "enabled": plan.enabled}


def defaults(kind: JobKind[Any], options: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a kind says about a job with these options. Raises InvalidInput."""
    try:
        checked = kind.Options.model_validate(dict(options))
    except ValidationError as error:
        raise InvalidInput(f"{kind.label}: {first_problem(error)}.") from error
    return {
        "kind": kind.name,
        "options": checked.model_dump_json(),
        "timeout": kind.timeout,
        "retries": kind.retries,
        "back_off": kind.back_off,
        "key": kind.key(checked),
        "key_limit": kind.limit,
    }


def settle_own(book: JobBook, kind: JobKind[Any], cron: str) -> None:
    """Give a workspace the job of a kind that is the program's own, unless it has it."""
    facts = {**defaults(kind, {}), "title": kind.label, "enabled": True}
    name = f"{kind.name}-{book.workspace}"  # the same for all processes that start together
    book.add({**facts, "id": name}, Schedule(cron), actor="millpond")
