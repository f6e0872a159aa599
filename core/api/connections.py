"""/v1/connections: what can be queried; secrets go in and never come out."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from core.api.caller import Here, TakesJson
from core.api.problems import problem_of
from core.connections.service import Source, State

router = APIRouter(prefix="/v1/connections", tags=["Connections"])


class ConnectionTold(BaseModel):
    """A connection and how it is."""

    alias: str = Field(description="Its name in SQL.")
    connector: str
    place: str = Field(description="Where it leads, in words.")
    options: dict[str, Any] = Field(description="Without its secrets.")
    secrets: list[str] = Field(description="Names of the options that are sealed.")
    state: State
    problem: dict[str, Any] | None = Field(description="Why it cannot be queried, as a problem.")
    checked_at: datetime | None = Field(description="When it was last tested.")
    seconds: float | None = Field(description="How long that took.")
    version: str
    sample: bool


class ConnectionList(BaseModel):
    """All connections in the order of their aliases."""

    connections: list[ConnectionTold]


class NewConnection(BaseModel):
    """A connection to add."""

    model_config = ConfigDict(extra="forbid")

    alias: str = Field(min_length=1, max_length=63)
    connector: str
    options: dict[str, Any]
    connect: bool = Field(True, description="False: keep it switched off, unseen.")


class ConnectionChange(BaseModel):
    """What to change of a connection. Options replace all; secrets not among them stay."""

    model_config = ConfigDict(extra="forbid")

    alias: str | None = Field(None, min_length=1, max_length=63)
    options: dict[str, Any] | None = None
    enabled: bool | None = None


@router.get("")
def list_connections(workspace: Here) -> ConnectionList:
    """List all connections."""
    return ConnectionList(connections=[_told(each) for each in workspace.connections.list()])


@router.get("/{alias}")
def get_connection(alias: str, workspace: Here) -> ConnectionTold:
    """Answer one connection."""
    return _told(workspace.connections.source(alias))


@router.post("", status_code=201, dependencies=[TakesJson])
def add_connection(
    body: NewConnection, workspace: Here, request: Request, response: Response
) -> ConnectionTold:
    """Add a connection, once it answers. A server that does not is not added."""
    workspace.connections.add(body.alias, body.connector, body.options, connect=body.connect)
    root = request.scope.get("root_path", "")
    response.headers["Location"] = f"{root}/v1/connections/{body.alias}"
    return _told(workspace.connections.source(body.alias))


@router.post("/{alias}/test")
def check_connection(alias: str, workspace: Here) -> ConnectionTold:
    """Test a saved connection, and remember how it was."""
    workspace.connections.check(alias)
    return _told(workspace.connections.source(alias))


@router.patch("/{alias}", dependencies=[TakesJson])
def change_connection(alias: str, body: ConnectionChange, workspace: Here) -> ConnectionTold:
    """Change options, switch on or off, rename; in this order, and what fails changes nothing."""
    if body.options is not None:
        workspace.connections.change(alias, body.options)
    if body.enabled is not None:
        workspace.connections.enable(alias, body.enabled)
    if body.alias is not None and body.alias != alias:
        alias = workspace.connections.rename(alias, body.alias).alias
    return _told(workspace.connections.source(alias))


@router.delete("/{alias}", status_code=204)
def remove_connection(alias: str, workspace: Here) -> None:
    """Remove a connection with its secrets. The source itself is not touched."""
    workspace.connections.remove(alias)


def _told(source: Source) -> ConnectionTold:
    connection, health = source.connection, source.connection.health
    return ConnectionTold(
        alias=connection.alias,
        connector=connection.connector,
        place=source.place,
        options=connection.options,
        secrets=sorted(connection.sealed),
        state=source.state,
        problem=problem_of(source.problem) if source.problem else None,
        checked_at=health.checked_at if health else None,
        seconds=health.seconds if health else None,
        version=health.version if health else "",
        sample=connection.sample,
    )
