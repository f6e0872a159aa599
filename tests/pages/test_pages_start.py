"""What the first page does for its start: a module named ahead, and nothing imported in vain."""

from __future__ import annotations

import ast
import asyncio
import os
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from pages._components.assets import modules
from pages._http import Ahead

ROOT = Path(__file__).resolve().parents[2]


def link_at(path: str) -> str | None:
    app = Starlette(
        routes=[Route("/{page:path}", lambda _: PlainTextResponse("page"))],
        middleware=[Middleware(Ahead, modules={"/query": modules()["editor"]})],
    )

    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            return await client.get(path)

    return asyncio.run(ask()).headers.get("link")


def test_the_query_page_names_its_editor_relative_to_itself():
    # Relative: the page may lie below a folder of a proxy.
    assert link_at("/query?tab=1") == f"<assets/{modules()['editor']}>; rel=modulepreload"


@pytest.mark.parametrize("path", ["/", "/home", "/query/_stcore/health", "/static/js/index.js"])
def test_nothing_else_names_it(path):
    assert link_at(path) is None


SCRIPT = """
import sys
from streamlit.testing.v1 import AppTest
from core.workbench import close_shared
app = AppTest.from_string("import pages.{name} as page; page.render()", default_timeout=60).run()
close_shared()
assert not app.exception, app.exception
print(sorted(sys.modules))
"""


@pytest.mark.parametrize("name", ["home", "query"])
def test_a_first_page_is_drawn_without_what_takes_long_to_import(tmp_path, name):
    places = {"MILLPOND_HOME": str(tmp_path), "MILLPOND_START_FOLDER": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT.format(name=name)],
        cwd=ROOT,
        env=os.environ | places,
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = set(ast.literal_eval(done.stdout.splitlines()[-1]))
    assert not loaded & {"fastapi", "numpy", "pandas", "polars", "pyarrow", "sqlglot"}
