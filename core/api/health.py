"""/v1/health: whether the program can do its work, for people's monitors and load balancers."""

from __future__ import annotations

from fastapi import APIRouter, Request
from pydantic import BaseModel
from starlette.responses import JSONResponse, Response

from core.api.caller import workbench
from core.api.problems import problem

router = APIRouter(tags=["Health"])


class WorkerHealth(BaseModel):
    """An engine: one that does not run is not ill."""

    running: bool
    answers: bool


class Health(BaseModel):
    """How app, store and workers are."""

    ok: bool
    app: str
    store: str
    workers: dict[str, WorkerHealth]


@router.get("/v1/health", responses={200: {"model": Health, "description": "All is well."}})
def get_health(request: Request) -> Response:
    """Tell how app, store and workers are; 503 when one of them cannot work."""
    health = workbench(request).health()
    headers = {"Cache-Control": "no-store"}
    if health["ok"]:
        return JSONResponse(health, headers=headers)
    ill = [name for name, each in health["workers"].items() if not each["answers"]]
    store = [] if health["store"] == "ok" else [f"the store: {health['store']}"]
    detail = "; ".join([*store, *(f"the engine of {name} does not answer" for name in ill)])
    return problem(503, "unhealthy", detail, headers=headers, **health)
