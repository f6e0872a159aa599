"""The ASGI application: UI at /, REST at /api, and the workbench opened and closed around them.

`uv run streamlit run app.py` and `uv run millpond serve` both run this file. It imports little, so
that the server answers at once: the workbench is imported and opened while the browser loads its
scripts, and what the first page does not need comes after that.
"""

from __future__ import annotations

import asyncio
import gc
import sys
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st
from starlette.middleware import Middleware
from starlette.routing import Mount

from core.api.guard import LocalOnly
from core.api.mounted import Api
from pages._components.assets import ASSETS, modules
from pages._http import Ahead, Immutable

if TYPE_CHECKING:
    from core.workbench import Workbench

FOLDER = Path(__file__).resolve().parent

_HEAD_START = 2.0
"""Seconds that the first page has for itself before the rest is imported behind it."""

_TURN = 0.0005
"""Seconds that a thread keeps the interpreter meanwhile: with Python's own 5 ms each of the 90
files that a browser asks for waits behind an import."""


def workbench() -> Workbench:
    """Return the process's workbench, imported and opened on first use. Raises ConfigError."""
    from core.workbench import shared

    return shared()


api = Api(workbench)


@asynccontextmanager
async def lifespan(app: st.App) -> AsyncIterator[None]:
    """Open the workbench beside the first requests, and end its workers at the end."""
    ending = threading.Event()
    opening = asyncio.get_running_loop().run_in_executor(None, _get_ready, ending)
    yield
    ending.set()
    await asyncio.wait([opening])
    await asyncio.to_thread(_close)


def _get_ready(ending: threading.Event) -> None:
    usual = sys.getswitchinterval()
    sys.setswitchinterval(_TURN)
    gc.disable()  # what is imported stays: to look for garbage among it takes 0.1 s
    try:
        workbench()
    finally:
        gc.freeze()
        gc.enable()
        sys.setswitchinterval(usual)
    if not ending.wait(_HEAD_START):
        import core.engine.frames  # noqa: F401  # what the first rows need

        api.load()
        workbench().start_jobs()


def _close() -> None:
    from core.workbench import close_shared

    close_shared()


# The script lies in pages/ and not beside it: Streamlit would serve a neighbouring pages/ folder
# around the shell, unchecked.
app = st.App(
    FOLDER / "pages" / "_shell.py",
    routes=[Mount("/api", app=api), Mount("/assets", app=Immutable(directory=ASSETS))],
    middleware=[Middleware(LocalOnly), Middleware(Ahead, modules={"/query": modules()["editor"]})],
    lifespan=lifespan,
)

if __name__ == "__main__":
    app.run()
