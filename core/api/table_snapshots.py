"""/v1/catalog/table-snapshots: local copies of tables."""

from __future__ import annotations

from datetime import datetime

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from core.api.caller import Here, TakesJson
from core.api.job_runs import RunTold, told

router = APIRouter(prefix="/v1/catalog/table-snapshots", tags=["Catalog"])


class TableSnapshotTold(BaseModel):
    """A copy of a table."""

    model_config = ConfigDict(from_attributes=True)

    name: str
    address: str = Field(description="Its full name in SQL.")
    source: str = Field(description="The full name of the table that was copied.")
    cursor: str = Field(description='Column that a refresh goes on from; "": all rows anew.')
    taken_at: datetime
    rows: int


class TableSnapshotList(BaseModel):
    """The copies that there are, in the order of their names."""

    snapshots: list[TableSnapshotTold]


class Copying(BaseModel):
    """Which table to copy."""

    model_config = ConfigDict(extra="forbid")

    table: str = Field(description="A table's name, short or in full.")
    cursor: str = Field("", description="A column that only grows: read what is new by it.")


@router.get("")
def list_table_snapshots(workspace: Here) -> TableSnapshotList:
    """List the copies."""
    found = [TableSnapshotTold.model_validate(each) for each in workspace.snapshots.list()]
    return TableSnapshotList(snapshots=found)


@router.post("", status_code=202, dependencies=[TakesJson])
def take_table_snapshot(
    copying: Copying, workspace: Here, request: Request, response: Response
) -> RunTold:
    """Take or refresh a copy, as a job's run: 202 with the run, whose outcome tells the rest."""
    table = workspace.snapshots.table(copying.table)
    options = {"table": table.address, "cursor": copying.cursor}
    run = workspace.jobs.submit(
        "table-snapshot", options, title=f"Snapshot of {table.reference}"[:200]
    )
    root = request.scope.get("root_path", "")
    response.headers["Location"] = f"{root}/v1/job-runs/{run.id}"
    return told(run)


@router.delete("/{name}", status_code=204)
def drop_table_snapshot(name: str, workspace: Here) -> None:
    """Drop a copy; its source stays as it is."""
    workspace.snapshots.drop(name)
