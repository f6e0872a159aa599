"""The real app, started once as a person would start it, and what a person does on its pages."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil
import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

ROOT = Path(__file__).resolve().parents[2]
ARTIFACTS = ROOT / "tests" / "artifacts"
PATIENCE = 15_000
"""Milliseconds to wait for what should be there: the machine may be busy with other things."""

expect.set_options(timeout=PATIENCE)


@dataclass(frozen=True)
class App:
    """The app under test: its address, its process, its data folder, the folder SQL may read."""

    url: str
    process: psutil.Process
    home: Path
    folder: Path

    def busiest_worker(self) -> psutil.Process:
        """Return the worker that works: of the engine and its warm spare, the one using time."""
        workers = self.process.children(recursive=True)
        before = {each.pid: each.cpu_times().user for each in workers}
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            for each in workers:
                if each.cpu_times().user - before[each.pid] > 0.5:
                    return each
            time.sleep(0.05)
        raise AssertionError("no worker was busy")


@pytest.fixture(scope="session")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    """Start the app on a free port with its own data folder, and end it by its pid."""
    home, folder = tmp_path_factory.mktemp("home"), tmp_path_factory.mktemp("folder")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.headless", "true"]
    environment = {name: value for name, value in os.environ.items() if "MILLPOND" not in name}
    environment |= {"MILLPOND_HOME": str(home), "MILLPOND_START_FOLDER": str(folder)}
    log = home.parent / "app.log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            [*command, "--server.port", str(port)],
            cwd=ROOT,
            env=environment,
            stdout=out,
            stderr=subprocess.STDOUT,
        )
    app = App(f"http://127.0.0.1:{port}", psutil.Process(process.pid), home, folder)
    try:
        _await_health(app, process, log)
        yield app
    finally:
        workers = app.process.children(recursive=True) if process.poll() is None else []
        process.send_signal(signal.SIGINT)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    _, left = psutil.wait_procs(workers, timeout=10)
    assert not left, f"workers outlived the app: {left}"
    assert "Traceback" not in log.read_text(encoding="utf-8"), log.read_text(encoding="utf-8")


def _await_health(app: App, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        assert process.poll() is None, log.read_text(encoding="utf-8")
        try:
            if httpx.get(f"{app.url}/api/v1/health", timeout=5).status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.1)
    raise AssertionError(f"the app does not answer: {log.read_text(encoding='utf-8')}")


class Screen:
    """One browser tab on the app, and the gestures of somebody who works in it."""

    def __init__(self, app: App, context: BrowserContext) -> None:
        self.app = app
        self.page: Page = context.new_page()
        self.page.set_default_timeout(PATIENCE)
        self.failures: list[str] = []
        self.page.on("pageerror", lambda error: self.failures.append(str(error)))

    def open(self, path: str = "/") -> None:
        """Go to an address of the app, and wait until it is drawn."""
        self.page.goto(self.app.url + path)
        drawn = self.page.get_by_test_id("stMain").get_by_test_id("stElementContainer")
        drawn.locator("visible=true").first.wait_for()
        self.settle()

    def settle(self) -> None:
        """Wait until the script has ended."""
        self.page.locator("[data-testid=stApp][data-test-script-state=notRunning]").wait_for()
        expect(self.page.get_by_test_id("stException")).to_have_count(0)

    @property
    def editor(self) -> Locator:
        return self.page.locator(".cm-content")

    @property
    def text(self) -> str:
        """Return the editor's text."""
        return "\n".join(self.page.locator(".cm-line").all_text_contents())

    def write(self, sql: str) -> None:
        """Put SQL in place of the editor's text."""
        self.editor.click()
        self.page.keyboard.press("Control+a")
        self.page.keyboard.insert_text(sql)

    def run(self, sql: str) -> None:
        """Write SQL, and run it by the keyboard."""
        self.write(sql)
        self.page.keyboard.press("Control+Enter")

    def facts(self, words: str | re.Pattern[str]) -> None:
        """Wait for the line that tells the result's size."""
        line = self.page.get_by_test_id("stCaptionContainer").filter(has_text=words)
        expect(line.first).to_be_visible()

    def cell(self, row: int, column: int) -> Locator:
        """Return a cell of the grid; both count from 0."""
        return self.page.locator(f".slick-row[data-row='{row}'] .slick-cell").nth(column)

    def header(self, name: str) -> Locator:
        """Return a column's header in the grid."""
        columns = self.page.locator(".slick-header-column")
        return columns.filter(has=self.page.get_by_text(name, exact=True))

    def table_cell(self, words: str) -> Locator:
        """Return cells of Streamlit's tables: drawn, and mirrored for screen readers."""
        table = self.page.get_by_test_id("stDataFrame")
        return table.locator("[role=gridcell]").filter(has_text=words)

    def view(self, name: str) -> None:
        """Choose Rows, Chart, Summary or Plan."""
        choice = self.page.get_by_role("radio", name=name, exact=True)
        expect(choice).to_have_count(1)  # while a run ends, the old choice fades beside the new
        choice.click()

    def button(self, name: str | re.Pattern[str]) -> Locator:
        return self.page.get_by_role("button", name=name)

    @property
    def error(self) -> Locator:
        return self.page.get_by_test_id("stAlert")

    def shot(self, name: str) -> None:
        """Keep a picture of the page in tests/artifacts/."""
        ARTIFACTS.mkdir(exist_ok=True)
        self.page.screenshot(path=ARTIFACTS / f"{name}.png")


@pytest.fixture
def visit(app: App, browser: Browser, request: pytest.FixtureRequest) -> Iterator[Callable]:
    """Return what opens a screen of its own browser context, so without anybody's memory."""
    screens: list[Screen] = []

    def visit(width: int = 1400, height: int = 900, **options) -> Screen:
        context = browser.new_context(viewport={"width": width, "height": height}, **options)
        screens.append(Screen(app, context))
        return screens[-1]

    yield visit
    name = re.sub(r"[^\w-]+", "-", request.node.name).strip("-")
    for number, screen in enumerate(screens):
        screen.shot(f"{name}-{number}" if number else name)
        screen.page.context.close()
    _cancel_what_runs(app)
    assert [failure for screen in screens for failure in screen.failures] == []


def _cancel_what_runs(app: App) -> None:
    """Leave the next test an idle engine, also after a failure."""
    with httpx.Client(base_url=f"{app.url}/api/v1", timeout=30) as http:
        for query in http.get("/queries").json()["queries"]:
            http.delete(f"/queries/{query['id']}")


@pytest.fixture
def screen(visit: Callable) -> Screen:
    """Return one screen, 1400 x 900, light."""
    return visit()
