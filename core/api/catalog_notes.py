"""/v1/catalog/notes: what people say of tables and columns."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import BaseModel, Field

from core.api.caller import Here, TakesJson
from core.catalog.note import Change

router = APIRouter(prefix="/v1/catalog", tags=["Catalog"])

NAMED = "As SQL has it: `flights`, `aviation.planes`, or in full `files.main.flights`."


class Noted(BaseModel):
    """What is noted of a table or a column."""

    comment: str = ""
    tags: list[str] = []
    owner: str = ""


class ColumnTold(Noted):
    """A column."""

    name: str
    type: str


class NoteChange(BaseModel):
    """What to change; what is not given stays as it is, and an empty text or list takes it away."""

    table: str = Field(description=NAMED)
    column: str = Field("", description="A column's name; empty for the table itself.")
    comment: str | None = None
    tags: list[str] | None = None
    owner: str | None = None


class NoteTold(Noted):
    """A note as it is now; `table` is the full name."""

    table: str
    column: str


@router.patch("/notes", dependencies=[TakesJson])
def change_note(change: NoteChange, workspace: Here) -> NoteTold:
    """Change the comment, the tags or the owner of a table or of one of its columns."""
    table = workspace.catalog.get(change.table)
    given = Change(change.comment, change.tags, change.owner)
    note = workspace.catalog.notes.change(table, change.column, given)
    return NoteTold(
        table=table.address,
        column=change.column,
        comment=note.comment,
        tags=[*note.tags],
        owner=note.owner,
    )
