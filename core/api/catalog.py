"""/v1/catalog: what can be queried."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import BaseModel, Field

from core.api.caller import Here
from core.engine.results import Column

router = APIRouter(tags=["Catalog"])


class TableTold(BaseModel):
    """A table or view."""

    name: str
    kind: str
    reference: str = Field(description="The shortest name that SQL finds it by.")
    rows: int | None = Field(description="An estimate; null where there is none.")
    columns: list[Column]


class SchemaTold(BaseModel):
    """A schema and its tables."""

    name: str
    tables: list[TableTold]


class CatalogTold(BaseModel):
    """A database or connection and its schemas."""

    name: str
    schemas: list[SchemaTold]


class CatalogTree(BaseModel):
    """All that can be queried."""

    catalogs: list[CatalogTold]


@router.get("/v1/catalog")
def get_catalog(workspace: Here) -> CatalogTree:
    """List catalogs, their schemas, tables and columns."""
    # The values have the same names; only `reference` is a property of theirs.
    return CatalogTree.model_validate({"catalogs": workspace.catalog()}, from_attributes=True)
