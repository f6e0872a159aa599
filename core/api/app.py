"""Assemble the API from its resources: each module here that has a `router` is one.

`build` makes an app to be mounted at /api; whoever mounts it decides who may reach it.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path

from anyio import CapacityLimiter
from fastapi import APIRouter, FastAPI
from starlette.responses import HTMLResponse

import core.api
from core.api import errors
from core.api.limits import BodyLimit
from core.workbench import Workbench

EXPORTS_AT_ONCE = 4

# The page is whole in itself: it may fetch the description beside it, and nothing else.
_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'"
)


def build(workbench: Callable[[], Workbench]) -> FastAPI:
    """Make the API; `workbench` is called for each request, and must be cheap once it is open."""
    app = FastAPI(
        title="Millpond",
        version=version("millpond"),
        summary="Run SQL over files, databases and services, and fetch what it gives.",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        responses={"default": errors.ANSWER},
    )
    app.state.workbench = workbench
    app.state.exports = CapacityLimiter(EXPORTS_AT_ONCE)
    app.add_middleware(BodyLimit, workbench=workbench)
    errors.install(app)
    for router in _routers():
        app.include_router(router)
    app.add_api_route("/docs", _docs, include_in_schema=False)
    return app


def _routers() -> Iterator[APIRouter]:
    for found in pkgutil.iter_modules(core.api.__path__):
        router = vars(importlib.import_module(f"core.api.{found.name}")).get("router")
        if isinstance(router, APIRouter):
            yield router


def _docs() -> HTMLResponse:
    page = Path(__file__).with_name("docs.html").read_text(encoding="utf-8")
    return HTMLResponse(page, headers={"Content-Security-Policy": _POLICY})
