"""/v1/catalog: what can be queried."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel, Field

from core.api.caller import Here
from core.api.catalog_notes import ColumnTold, Noted
from core.catalog.models import Catalog, Schema, Table
from core.catalog.note import Note, Notes

router = APIRouter(tags=["Catalog"])


class TableTold(Noted):
    """A table or view."""

    name: str
    kind: str
    reference: str = Field(description="The shortest name that SQL finds it by.")
    rows: int | None = Field(description="An estimate; null where there is none.")
    on: str = Field(description="The connection that SQL on it must run on; empty for DuckDB.")
    columns: list[ColumnTold]


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
    catalogs, notes = workspace.catalog.whole(), workspace.catalog.notes.all()
    return CatalogTree(catalogs=[_catalog(each, notes) for each in catalogs])


def _catalog(catalog: Catalog, notes: Notes) -> CatalogTold:
    return CatalogTold(
        name=catalog.name, schemas=[_schema(each, notes) for each in catalog.schemas]
    )


def _schema(schema: Schema, notes: Notes) -> SchemaTold:
    return SchemaTold(name=schema.name, tables=[_table(each, notes) for each in schema.tables])


def _table(table: Table, notes: Notes) -> TableTold:
    noted = notes.get(table.key, {})
    return TableTold(
        name=table.name,
        kind=table.kind,
        reference=table.reference,
        rows=table.rows,
        on=table.on,
        columns=[
            ColumnTold(name=each.name, type=each.type, **_note(noted.get(each.name)))
            for each in table.columns
        ],
        **_note(noted.get("")),
    )


def _note(note: Note | None) -> dict[str, Any]:
    if note is None:
        return {}
    return {"comment": note.comment, "tags": [*note.tags], "owner": note.owner}
