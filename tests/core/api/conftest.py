"""A workbench, and its API on a real server, mounted and walled in as app.py does it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import httpx
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import Mount

from core.api.app import build
from core.api.guard import LocalOnly
from core.settings import Settings
from core.workbench import Workbench

ROW_LIMIT = 50_000
SQL_LIMIT = 20_000


@pytest.fixture(scope="module")
def workbench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workbench]:
    folder = tmp_path_factory.mktemp("api")
    settings = Settings(
        home=folder / "home",
        start_folder=folder,
        sample_data=False,
        api_row_limit=ROW_LIMIT,
        sql_limit=SQL_LIMIT,
        threads=2,
    )
    workbench = Workbench.open(settings)
    yield workbench
    workbench.close()


@contextmanager
def serving(workbench: Callable[[], Workbench]) -> Iterator[httpx.Client]:
    """Serve the API on a free port, and return a client of it."""
    api = Mount("/api", app=build(workbench))
    app = Starlette(routes=[api], middleware=[Middleware(LocalOnly)])
    config = uvicorn.Config(app, host="127.0.0.1", port=0, log_level="warning", lifespan="off")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as http:
        yield http
    server.should_exit = True
    thread.join(10)


@pytest.fixture(scope="module")
def http(workbench: Workbench) -> Iterator[httpx.Client]:
    with serving(lambda: workbench) as http:
        yield http


@pytest.fixture(scope="session")
def serve() -> Callable[[Callable[[], Workbench]], contextmanager]:
    """Serve another workbench for a while."""
    return serving


@pytest.fixture(scope="session")
def eventually() -> Callable[[Callable[[], object]], None]:
    """Wait until something holds; what happens beside a request has no moment of its own."""

    def wait(holds: Callable[[], object]) -> None:
        deadline = time.monotonic() + 30
        while not holds():
            assert time.monotonic() < deadline, "it did not come to hold within 30 s"
            time.sleep(0.02)

    return wait
