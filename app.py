"""The ASGI application: UI at /, REST at /api, and the workbench opened and closed around them.

`uv run streamlit run app.py` and `uv run millpond serve` both run this file.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import streamlit as st
from starlette.middleware import Middleware
from starlette.routing import Mount

from core.api.app import build
from core.api.guard import LocalOnly
from core.workbench import close_shared, shared
from pages._components.assets import ASSETS
from pages._http import Immutable

FOLDER = Path(__file__).resolve().parent


@asynccontextmanager
async def lifespan(app: st.App) -> AsyncIterator[None]:
    """Open the workbench beside the first requests, and end its workers at the end."""
    opening = asyncio.get_running_loop().run_in_executor(None, shared)
    yield
    await asyncio.wait([opening])
    await asyncio.to_thread(close_shared)


# The script lies in pages/ and not beside it: Streamlit would serve a neighbouring pages/ folder
# around the shell, unchecked.
app = st.App(
    FOLDER / "pages" / "_shell.py",
    routes=[Mount("/api", app=build(shared)), Mount("/assets", app=Immutable(directory=ASSETS))],
    middleware=[Middleware(LocalOnly)],
    lifespan=lifespan,
)

if __name__ == "__main__":
    app.run()
