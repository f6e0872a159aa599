"""Who calls, and on which workspace: the one place where hosted mode will ask for more."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request
from starlette.exceptions import HTTPException

from core.access import LOCAL_OWNER
from core.workbench import Workbench, Workspace


def workbench(request: Request) -> Workbench:
    """Return the open program."""
    opened: Workbench = request.app.state.workbench()
    return opened


def workspace(request: Request) -> Workspace:
    """Return the workspace for who calls: in local mode the only one, for its owner."""
    return workbench(request).workspace(LOCAL_OWNER)


async def takes_json(request: Request) -> None:
    """Refuse a body that does not say that it is JSON."""
    given = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if given != "application/json":
        named = f"{given!r} is not read here" if given else "The body has no Content-Type"
        raise HTTPException(415, f"{named}; send application/json.")


Here = Annotated[Workspace, Depends(workspace)]
TakesJson = Depends(takes_json)
