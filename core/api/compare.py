"""/v1/catalog/compare: what differs between two schemas, and the SQL that would change it."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from fastapi import APIRouter
from pydantic import BaseModel, Field

from core.api.caller import Here
from core.catalog.told import told

router = APIRouter(prefix="/v1/catalog", tags=["Catalog"])


class SideTold(BaseModel):
    """One side of a comparison."""

    name: str
    catalog: str
    schema_: str = Field(alias="schema")
    taken_at: datetime | None = Field(description="Null for a schema as it is now.")


class PairTold(BaseModel):
    """A column, key or index as it is on each side; null is where it is not."""

    state: Literal["added", "removed", "changed"]
    left: dict[str, Any] | None
    right: dict[str, Any] | None


class RenameTold(BaseModel):
    """What may have been renamed: a guess, by how alike the two are, from 0 to 1."""

    left: str
    right: str
    likeness: float
    table: str = Field(description="Of a column; empty for a table.")


class ChangeTold(BaseModel):
    """A table or view that differs."""

    name: str
    kind: str
    state: Literal["added", "removed", "changed"]
    differs: list[str] = Field(description="In a few words each, what has changed.")
    comment: list[str | None] = Field(description="Left and right.")
    columns: list[PairTold]
    keys: list[PairTold]
    indexes: list[PairTold]
    renames: list[RenameTold]


class ComparisonTold(BaseModel):
    """What would turn the left into the right."""

    equal: bool
    summary: str
    added: int
    removed: int
    changed: int
    same: int
    left: SideTold
    right: SideTold
    tables: list[ChangeTold]
    renames: list[RenameTold]
    reordered: list[str] = Field(description="Tables with columns in another order: not counted.")
    dialect: str
    sql: str = Field(description="Statements to look through; Millpond does not run them.")


@router.get("/compare")
def compare_schemas(
    left: str,
    right: str,
    workspace: Here,
    dialect: Literal["duckdb", "postgres"] | None = None,
) -> ComparisonTold:
    """Compare two sides: `catalog.schema` as it is now, or `snapshot:` and an id or name."""
    comparison = workspace.comparisons.compare(left, right)
    return ComparisonTold.model_validate(told(comparison, dialect or comparison.spoken))
