"""/v1/saved-queries: the queries that people keep."""

from __future__ import annotations

from datetime import datetime

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel

from core.api.caller import Here, TakesJson
from core.queries.models import SavedQuery
from core.queries.service import Saved

router = APIRouter(prefix="/v1/saved-queries", tags=["Saved queries"])


class SavedTold(BaseModel):
    """A saved query and the facts of its document."""

    id: str
    revision: int
    updated_at: datetime
    updated_by: str
    query: SavedQuery


class SavedList(BaseModel):
    """Saved queries, the last saved first."""

    saved_queries: list[SavedTold]


@router.get("")
def list_saved(workspace: Here, text: str = "") -> SavedList:
    """List saved queries that hold a text in name, tags, description or SQL."""
    return SavedList(saved_queries=[_told(each) for each in workspace.queries.list_saved(text)])


@router.post("", status_code=201, dependencies=[TakesJson])
def save_query(
    query: SavedQuery, workspace: Here, request: Request, response: Response
) -> SavedTold:
    """Save a new query."""
    saved = workspace.queries.save(query)
    place = f"{request.scope.get('root_path', '')}/v1/saved-queries/{saved.document.id}"
    response.headers["Location"] = place
    return _told(saved)


@router.get("/{id}")
def get_saved(id: str, workspace: Here) -> SavedTold:
    """Answer a saved query."""
    return _told(workspace.queries.saved(id))


@router.delete("/{id}", status_code=204)
def delete_saved(id: str, workspace: Here) -> None:
    """Delete a saved query."""
    workspace.queries.delete_saved(id)


def _told(saved: Saved) -> SavedTold:
    document = saved.document
    return SavedTold(
        id=document.id,
        revision=document.revision,
        updated_at=document.updated_at,
        updated_by=document.updated_by,
        query=saved.query,
    )
