"""/v1/history: the queries that ran, the last first."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from core.api.caller import Here
from core.queries.models import HistoryEntry, State

router = APIRouter(tags=["History"])


class History(BaseModel):
    """Some of the queries that ran."""

    entries: list[HistoryEntry]
    next: str | None = Field(description="Give it as `before` for those before; null: no more.")


@router.get("/v1/history")
def list_history(
    workspace: Here,
    text: Annotated[str, Query(description="To be found in SQL or error.")] = "",
    state: State | None = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    before: Annotated[str | None, Query(description="The last id of the page above.")] = None,
) -> History:
    """List queries that ran, the last started first."""
    found = list(workspace.queries.history(text, state=state, limit=limit + 1, before=before))
    entries = found[:limit]
    return History(entries=entries, next=entries[-1].id if len(found) > limit else None)
