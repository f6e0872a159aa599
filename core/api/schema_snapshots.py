"""/v1/catalog/snapshots: schemas as they were declared at a time."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Any

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from core.api.caller import Here, TakesJson
from core.catalog.places import Place
from core.catalog.snapshots import Snapshot

router = APIRouter(prefix="/v1/catalog/snapshots", tags=["Catalog"])


class SnapshotTold(BaseModel):
    """A snapshot of a schema."""

    id: str
    place: str = Field(description="The schema, as `catalog.schema`.")
    name: str
    tables: int
    digest: str = Field(description="SHA-256 of what was declared.")
    taken_at: datetime
    taken_by: str
    seen_at: datetime = Field(description="When it last was as the schema was.")


class SnapshotTaken(SnapshotTold):
    """A snapshot that was asked for."""

    kept: bool = Field(description="False where nothing had changed: it is the latest, then.")


class SnapshotList(BaseModel):
    """Snapshots, the newest first."""

    snapshots: list[SnapshotTold]


class Taking(BaseModel):
    """Which schema to keep."""

    place: str = Field(description="The schema, as `catalog.schema`.")
    name: str = ""


class Naming(BaseModel):
    """What may be changed about a snapshot."""

    name: str


@router.get("")
def list_snapshots(workspace: Here) -> SnapshotList:
    """List snapshots, the newest first."""
    return SnapshotList(
        snapshots=[SnapshotTold(**_facts(each)) for each in workspace.comparisons.snapshots()]
    )


@router.post("", status_code=201, dependencies=[TakesJson])
def take_snapshot(
    taking: Taking, workspace: Here, request: Request, response: Response
) -> SnapshotTaken:
    """Keep a schema as it is now: 201, or 200 with the latest where nothing has changed."""
    snapshot, kept = workspace.comparisons.take(taking.place, taking.name)
    root = request.scope.get("root_path", "")
    response.headers["Location"] = f"{root}/v1/catalog/snapshots/{snapshot.id}"
    response.status_code = 201 if kept else 200
    return SnapshotTaken(**_facts(snapshot), kept=kept)


@router.get("/{id}")
def get_snapshot(id: str, workspace: Here) -> SnapshotTold:
    """Answer a snapshot, without its tables: compare it to see them."""
    return SnapshotTold(**_facts(workspace.comparisons.snapshot(id)))


@router.patch("/{id}", dependencies=[TakesJson])
def rename_snapshot(id: str, naming: Naming, workspace: Here) -> SnapshotTold:
    """Give a snapshot another name."""
    return SnapshotTold(**_facts(workspace.comparisons.rename(id, naming.name)))


@router.delete("/{id}", status_code=204)
def delete_snapshot(id: str, workspace: Here) -> None:
    """Delete a snapshot."""
    workspace.comparisons.delete(id)


def _facts(snapshot: Snapshot) -> dict[str, Any]:
    facts = asdict(snapshot)
    return {**facts, "place": Place(snapshot.catalog, snapshot.schema).address}
