"""/v1/connections/test: try a connection before it is saved."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from core.api.caller import Here, TakesJson

router = APIRouter(prefix="/v1/connections", tags=["Connections"])


class Trial(BaseModel):
    """A connection to try. With the alias of a saved one, its secrets need not be given."""

    model_config = ConfigDict(extra="forbid")

    connector: str
    options: dict[str, Any]
    alias: str | None = None


class TrialTold(BaseModel):
    """Who answered."""

    seconds: float
    version: str
    facts: dict[str, str]
    notes: list[str] = Field(description="What will not work, in sentences.")


@router.post("/test", dependencies=[TakesJson])
def test_connection(body: Trial, workspace: Here) -> TrialTold:
    """Try a connection that is not saved, or other options of one that is."""
    checked = workspace.connections.test(body.connector, body.options, alias=body.alias)
    return TrialTold(
        seconds=checked.seconds,
        version=checked.version,
        facts=dict(checked.facts),
        notes=list(checked.notes),
    )
