"""/v1/job-runs: every run of a job or a one-off, how far it is, and what came of it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field

from core.api.caller import Here
from core.job import Progress
from core.jobs.models import JobRun, RunState

router = APIRouter(prefix="/v1/job-runs", tags=["Jobs"])


class RunTold(BaseModel):
    """A run of a job, or a one-off."""

    id: str
    job: str | None = Field(description="Null for a one-off.")
    kind: str
    title: str
    state: RunState
    due: datetime
    attempt: int = Field(description="How often it was started.")
    started_at: datetime | None
    finished_at: datetime | None
    cancel_requested: bool
    progress: Progress = Field(description="`done` of `total` in the phase; `rate` of them per s.")
    eta: float | None = Field(description="Seconds left at this rate; null: not known.")
    outcome: dict[str, Any] | None
    error: str
    hint: str


class RunWhole(RunTold):
    """A run with what it was started with, and the end of its log."""

    options: dict[str, Any]
    log: str


class RunList(BaseModel):
    """Some of the runs, the newest first."""

    runs: list[RunTold]
    next: str | None = Field(description="Give it as `before` for those before; null: no more.")


@router.get("")
def list_runs(
    workspace: Here,
    text: Annotated[str, Query(description="To be found in title, error or log.")] = "",
    job: Annotated[str | None, Query(description="The id of a job.")] = None,
    state: RunState | None = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    before: Annotated[str | None, Query(description="The last id of the page above.")] = None,
) -> RunList:
    """List runs, the newest first."""
    found = workspace.jobs.runs(text, job=job, state=state, limit=limit + 1, before=before)
    runs = [told(each) for each in found[:limit]]
    return RunList(runs=runs, next=runs[-1].id if len(found) > limit else None)


@router.get("/{id}")
def get_run(id: str, workspace: Here) -> RunWhole:
    """Answer a run as it stands: how far it is, what it said, what came of it."""
    return whole(workspace.jobs.run(id))


@router.delete("/{id}", status_code=202, responses={204: {"description": "It had ended."}})
def cancel_run(id: str, workspace: Here) -> Response:
    """Cancel a run. To ask again, or after its end, does no harm."""
    ended = workspace.jobs.run(id).ended
    if not ended:
        workspace.jobs.cancel(id)
    return Response(status_code=204 if ended else 202)


@router.post("/{id}/retry", status_code=202)
def retry_run(id: str, workspace: Here) -> RunWhole:
    """Let a failed or cancelled run begin again."""
    return whole(workspace.jobs.retry(id))


def told(run: JobRun) -> RunTold:
    """Return how a run stands."""
    return RunTold.model_validate(_facts(run, RunTold))


def whole(run: JobRun) -> RunWhole:
    """Return all of a run."""
    return RunWhole.model_validate(_facts(run, RunWhole))


def _facts(run: JobRun, model: type[RunTold]) -> dict[str, Any]:
    kept = {name: getattr(run, name) for name in model.model_fields if name != "eta"}
    return {**kept, "eta": run.progress.eta}
