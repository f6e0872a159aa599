"""/v1/connectors: the kinds of connections there are, and what each asks for."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel, Field

from core.api.caller import Here

router = APIRouter(tags=["Connections"])


class ConnectorTold(BaseModel):
    """A kind of connection."""

    name: str
    label: str
    help: str
    group: str = Field(description="file, database, storage or engine.")
    suffixes: list[str] = Field(description="Endings of the files that it reads.")
    attaches: bool = Field(description="Its tables join with everything else.")
    push_down: bool = Field(description="Its own engine can run SQL.")
    writable: bool = Field(description="Its options can allow writing.")
    statistics: bool = Field(description="It knows about how many rows its tables have.")
    options: dict[str, Any] = Field(description="JSON schema of its options.")


class ConnectorList(BaseModel):
    """All kinds, and those that could not be loaded with the reason."""

    connectors: list[ConnectorTold]
    broken: dict[str, str]


@router.get("/v1/connectors")
def list_connectors(workspace: Here) -> ConnectorList:
    """List the kinds of connections."""
    kinds = workspace.connections.kinds
    return ConnectorList(
        connectors=[
            ConnectorTold(
                name=kind.name,
                label=kind.label,
                help=kind.help,
                group=kind.group,
                suffixes=list(kind.suffixes),
                attaches=kind.attaches,
                push_down=kind.push_down,
                writable=kind.writable,
                statistics=kind.statistics,
                options=kind.Options.model_json_schema(),
            )
            for kind in kinds.found.values()
        ],
        broken=kinds.broken,
    )
