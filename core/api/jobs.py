"""/v1/jobs: what runs in the background, and when."""

from __future__ import annotations

from datetime import datetime

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from core.api.caller import Here, TakesJson
from core.api.job_runs import RunTold, RunWhole, told, whole
from core.jobs.models import JobStatus

router = APIRouter(prefix="/v1/jobs", tags=["Jobs"])


class JobTold(BaseModel):
    """A job with its schedule and its latest run."""

    id: str
    kind: str
    title: str
    cron: str
    zone: str
    words: str = Field(description="The schedule in words.")
    enabled: bool
    next_at: datetime | None
    problem: str = Field(description="Why it has no times; empty: nothing is wrong.")
    own: bool = Field(description="Millpond's own: it can be neither changed nor deleted.")
    last: RunTold | None


class JobList(BaseModel):
    """Jobs in the order of their titles."""

    jobs: list[JobTold]


class Switch(BaseModel):
    """What may be changed about a job here."""

    enabled: bool


@router.get("")
def list_jobs(workspace: Here, text: str = "") -> JobList:
    """List jobs that hold a text in title or kind."""
    return JobList(jobs=[_job(each) for each in workspace.jobs.list(text)])


@router.get("/{id}")
def get_job(id: str, workspace: Here) -> JobTold:
    """Answer a job with its next time and its latest run."""
    return _job(workspace.jobs.status(id))


@router.patch("/{id}", dependencies=[TakesJson])
def switch_job(id: str, switch: Switch, workspace: Here) -> JobTold:
    """Switch a job's schedule on or off; switched on, it counts from now."""
    workspace.jobs.enable(id, switch.enabled)
    return _job(workspace.jobs.status(id))


@router.post("/{id}/runs", status_code=202)
def run_job(id: str, workspace: Here, request: Request, response: Response) -> RunWhole:
    """Let a job run once, now; Location says where to look at the run."""
    run = workspace.jobs.run_now(id)
    response.headers["Location"] = f"{request.scope.get('root_path', '')}/v1/job-runs/{run.id}"
    return whole(run)


def _job(status: JobStatus) -> JobTold:
    job, problem = status.job, status.job.schedule.problem
    return JobTold(
        id=job.id,
        kind=job.kind,
        title=job.title,
        cron=job.schedule.cron,
        zone=job.schedule.zone,
        words=job.schedule.words(),
        enabled=job.enabled,
        next_at=job.next_at,
        problem=problem.message if problem else "",
        own=status.own,
        last=None if status.last is None else told(status.last),
    )
