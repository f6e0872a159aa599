"""The API as the app mounts it: assembled once, by whoever needs it first."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from core.api.mounted import Api
from core.workbench import Workbench

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def api(workbench: Workbench) -> Api:
    return Api(lambda: workbench)


async def statuses(api: Api, *paths: str) -> list[int]:
    transport = httpx.ASGITransport(api)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        answers = await asyncio.gather(*(client.get(path) for path in paths))
    return [each.status_code for each in answers]


def test_the_first_requests_are_answered_like_any_other(api):
    asked = statuses(api, "/v1/history", "/v1/history", "/openapi.json", "/nowhere")
    assert asyncio.run(asked) == [200, 200, 200, 404]


def test_it_is_assembled_once_however_many_ask(api):
    with ThreadPoolExecutor(8) as pool:
        made = [*pool.map(lambda _: api.load(), range(8))]
    assert len({id(each) for each in made}) == 1


def test_mounting_it_imports_neither_fastapi_nor_the_resources():
    script = (
        "import sys; from core.api.mounted import Api; api = Api(lambda: None);"
        "before = {'fastapi', 'core.api.query'} & sys.modules.keys(); api.load();"
        "print(len(before), 'fastapi' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["0", "True"]
