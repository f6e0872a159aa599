"""/v1/catalog/search: tables by their names, what is noted of them, and what is in them."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from core.api.caller import Here
from core.api.catalog_notes import Noted
from core.catalog.note import Note
from core.catalog.search import Hit
from core.catalog.values import SECONDS
from core.workbench import Workspace

router = APIRouter(prefix="/v1/catalog", tags=["Catalog"])

_GRACE = 10.0
"""Seconds more than a search through values takes by itself."""


class HitTold(Noted):
    """A table that was found, and which of its columns were."""

    table: str
    kind: str
    columns: list[str]


class ValueTold(BaseModel):
    """A column that has a value with the text in it."""

    table: str
    column: str
    example: str


class ValuesTold(BaseModel):
    """What was found in values; not `complete` where tables could not be read, or not in time."""

    complete: bool
    tables: int = Field(description="Tables that were looked into.")
    hits: list[ValueTold]


class Hits(BaseModel):
    """The first tables found, of `total`, and what was found in values if that was asked for."""

    total: int
    hits: list[HitTold]
    values: ValuesTold | None = None


@router.get("/search")
def search(
    workspace: Here,
    q: str = "",
    limit: Annotated[int, Query(ge=1, le=10_000)] = 100,
    values: Annotated[bool, Query(description="Look for the whole text in values too.")] = False,
) -> Hits:
    """Find tables by words in names, comments, tags and owners, of theirs or of a column's."""
    found = workspace.catalog.search(q)
    return Hits(
        total=len(found),
        hits=[_told(workspace, each) for each in found[:limit]],
        values=_values(workspace, q) if values and q.strip() else None,
    )


def _told(workspace: Workspace, hit: Hit) -> HitTold:
    note = workspace.catalog.notes.of(hit.table).get("", Note())
    return HitTold(
        table=hit.table.address,
        kind=hit.table.kind,
        comment=note.comment,
        tags=[*note.tags],
        owner=note.owner,
        columns=[column.name for column in hit.columns],
    )


def _values(workspace: Workspace, text: str) -> ValuesTold:
    seeking = workspace.catalog.seek(text, kept=False)
    if not seeking.wait(SECONDS + _GRACE):
        seeking.cancel()
    hits = [
        ValueTold(table=each.table.address, column=each.column, example=each.example)
        for each in seeking.hits
    ]
    return ValuesTold(complete=seeking.complete, tables=seeking.done, hits=hits)
