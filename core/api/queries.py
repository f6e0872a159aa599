"""/v1/queries: queries that run on their own, are looked at, and are cancelled."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from core.api.caller import Here, TakesJson
from core.api.oneshot import close_when_ended, start
from core.api.problems import problem_of
from core.api.query import Statements
from core.engine.results import ResultSet
from core.queries.runs import Entry

router = APIRouter(prefix="/v1/queries", tags=["Queries"])


class QueryState(BaseModel):
    """A query under way, or ended and still kept."""

    id: str
    state: Literal["running", "done", "failed", "cancelled"]
    sql: str
    started_at: datetime
    elapsed: float = Field(description="Seconds so far, or in all.")
    progress: float | None = Field(description="Percent; null where the engine does not know.")
    rows: int = Field(description="Rows of the last result that has any, as far as they are there.")
    results: list[ResultSet] = Field(description="One for each statement that gave something.")
    error: dict[str, Any] | None = Field(description="What went wrong, as a problem.")


class RunningQueries(BaseModel):
    """The caller's queries under way, the oldest first."""

    queries: list[QueryState]


@router.post("", status_code=202, dependencies=[TakesJson])
def start_query(
    body: Statements, workspace: Here, request: Request, response: Response
) -> QueryState:
    """Start SQL and answer at once; Location says where to look at it.

    Its results are kept for paging and export until newer ones need the room.
    """
    entry = start(workspace, body.sql, body.params, body.timeout, body.on)
    close_when_ended(entry)
    response.headers["Location"] = f"{request.scope.get('root_path', '')}/v1/queries/{entry.run.id}"
    return _state(entry)


@router.get("")
def list_running(workspace: Here) -> RunningQueries:
    """List the queries under way, of pages and of the API."""
    return RunningQueries(queries=[_state(each) for each in workspace.queries.running()])


@router.get("/{id}")
def get_query(id: str, workspace: Here) -> QueryState:
    """Tell how far a query is, and what it has given."""
    return _state(workspace.queries.get(id))


@router.delete("/{id}", status_code=202, responses={204: {"description": "It had ended."}})
def cancel_query(id: str, workspace: Here) -> Response:
    """Cancel a query. To ask again, or after its end, does no harm."""
    run = workspace.queries.get(id).run
    if run.ended:
        return Response(status_code=204)
    run.cancel()
    return Response(status_code=202)


def _state(entry: Entry) -> QueryState:
    run, result = entry.run, entry.run.result
    return QueryState(
        id=run.id,
        state=run.state,
        sql=run.sql,
        started_at=run.started_at,
        elapsed=run.elapsed,
        progress=run.progress if run.progress >= 0 else None,
        rows=result.rows if result else 0,
        results=list(run.results),
        error=problem_of(run.error) if run.error else None,
    )
