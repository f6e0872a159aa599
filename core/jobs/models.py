"""Jobs and their runs as values: what a person plans, what is kept, and how a run stands."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from core.job import Progress
from core.jobs.schedule import Schedule

RunState = Literal["waiting", "running", "succeeded", "failed", "cancelled"]

ENDED: frozenset[RunState] = frozenset({"succeeded", "failed", "cancelled"})


class Plan(BaseModel):
    """What a person decides about a job. What is None is as the kind has it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: str
    title: str = Field(min_length=1, max_length=200)
    options: dict[str, Any] = {}
    cron: str = Field(description="Five fields of cron, or six with seconds in front.")
    zone: str = Field("UTC", description="IANA time zone that the schedule counts in.")
    enabled: bool = True
    timeout: float | None = Field(None, gt=0, description="Seconds an attempt may take.")
    retries: int | None = Field(None, ge=0, le=20, description="Repetitions after a failure.")

    @property
    def schedule(self) -> Schedule:
        """Return the schedule. Raises InvalidInput."""
        return Schedule(self.cron, self.zone)


@dataclass(frozen=True)
class Job:
    """A job with a schedule; times in s. `next_at` in UTC is None while it is disabled, or where
    the schedule has no more times or a `problem`.
    """

    id: str
    workspace: str
    kind: str
    title: str
    options: dict[str, Any]
    schedule: Schedule
    enabled: bool
    next_at: datetime | None
    timeout: float
    retries: int
    key: str
    key_limit: int
    created_at: datetime
    created_by: str
    updated_at: datetime
    updated_by: str


@dataclass(frozen=True)
class JobRun:
    """One run, with what it was started with: changing or deleting its job leaves it as it was.

    `job` is None for a one-off. `attempt` counts its starts, `failures` those that used up one of
    the `retries`. `not_before` is when a waiting run may start. Times are UTC.
    """

    id: str
    workspace: str
    job: str | None
    kind: str
    title: str
    options: dict[str, Any]
    due: datetime
    state: RunState
    attempt: int
    failures: int
    retries: int
    timeout: float
    not_before: datetime
    owner: str
    created_by: str
    started_at: datetime | None
    finished_at: datetime | None
    cancel_requested: bool
    progress: Progress
    outcome: dict[str, Any] | None
    error: str
    hint: str
    log: str = field(repr=False)

    @property
    def ended(self) -> bool:
        """Tell whether nothing more will happen to it by itself."""
        return self.state in ENDED

    @property
    def elapsed(self) -> float | None:
        """Return the seconds that the last attempt took, or None while it has not ended."""
        if self.started_at is None or self.finished_at is None:
            return None
        return max(0.0, (self.finished_at - self.started_at).total_seconds())


@dataclass(frozen=True)
class JobStatus:
    """A job and its latest run, if it has run yet; `label` is its kind's."""

    job: Job
    label: str
    own: bool
    last: JobRun | None
