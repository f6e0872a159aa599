"""/v1/catalog/used-by: what would break without a table or a column."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from core.api.caller import Here
from core.api.catalog_notes import NAMED

router = APIRouter(prefix="/v1/catalog", tags=["Catalog"])

_SECONDS = 10.0


class UseTold(BaseModel):
    """Something that uses a table."""

    kind: str
    title: str
    address: str = Field(description="Path and query of the page that shows it.")
    columns: list[str] | None = Field(description="Columns that it reads; null if untold.")
    through: list[str] = Field(description="The views by which it reads the table.")
    writes: bool
    certain: bool = Field(description="False where its SQL could only be skimmed for names.")


class UsageTold(BaseModel):
    """What uses a table; `complete` is false where time did not suffice to look at all."""

    table: str
    complete: bool
    uses: list[UseTold]


@router.get("/used-by")
def used_by(
    workspace: Here,
    table: Annotated[str, Query(description=NAMED)],
    column: str = "",
) -> UsageTold:
    """List what reads or writes a table, or what may read one of its columns."""
    found = workspace.catalog.get(table)
    usage = workspace.catalog.used_by(found, _SECONDS)
    uses = usage.of_column(found.column(column).name) if column else usage.uses
    told = [UseTold.model_validate(each, from_attributes=True) for each in uses]
    return UsageTold(table=found.address, complete=not usage.left, uses=told)
