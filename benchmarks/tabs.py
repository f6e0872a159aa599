"""A browser's tabs: type SQL, press the key, and learn when the new header was painted."""

from __future__ import annotations

import itertools
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from benchmarks.servers import Server

_FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
_FLAGS += ["--disable-component-update", "--disable-sync", "--disable-quic"]

_PAINTED = Path(__file__).with_name("painted.js").read_text(encoding="utf-8")

_marks = itertools.count(1)


@dataclass(frozen=True)
class Surface:
    """Where an app shows its page, takes its SQL and has its header, as CSS selectors."""

    path: str
    field: str
    header: str


MILLPOND = Surface("/query", ".cm-content", ".slick-header-column")
BARE = Surface("/", "textarea", "never-in-the-document")  # its header is drawn on a canvas


class Tab:
    """One tab, in a browser profile of its own."""

    def __init__(self, page: Page, surface: Surface) -> None:
        self.page, self._surface = page, surface
        self._text = ""

    @property
    def field(self) -> str:
        """Where the SQL is typed."""
        return self._surface.field

    def write(self, sql: str) -> None:
        """Type a text in place of the present one; `{mark}` becomes a name not used before.

        Returns when the page has heard of the text, as after a moment's thought.
        """
        self._mark = f"mark_{next(_marks)}"
        self.page.locator(self.field).first.focus()
        self.page.keyboard.press("Control+a")
        self.page.keyboard.insert_text(sql.replace("{mark}", self._mark))
        self.page.wait_for_timeout(300)
        self.page.keyboard.press("Escape")  # the completion's list
        self.page.wait_for_timeout(600)

    def expect(self, selector: str = "", text: str = "") -> None:
        """Watch for the new header, or for another text in another place."""
        given = [selector or self._surface.header, text or self._mark]
        self.page.evaluate("([selector, text]) => painted(selector, text)", given)

    def press(self) -> None:
        """Press the key that runs it."""
        self.page.keyboard.press("Control+Enter")

    def press_at(self, when: float) -> None:
        """Let the page press it at a time of `time.time`."""
        self.page.evaluate("(time) => { painted.pressAt(time) }", when * 1e3)

    def taken(self) -> float:
        """Wait for what was expected: seconds from the key press to the screen."""
        milliseconds: float = self.page.evaluate("() => painted.taken")
        return milliseconds / 1e3

    def run(self, sql: str) -> float:
        """Write, press, and return the seconds to the painted header."""
        self.write(sql)
        self.expect()
        self.press()
        return self.taken()


@contextmanager
def browsing() -> Iterator[Browser]:
    """Open Chromium: Debian's where there is one, else Playwright's own."""
    path = os.environ.get("CHROMIUM") or shutil.which("chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=_FLAGS)
        try:
            yield browser
        finally:
            browser.close()


def open_tab(browser: Browser, server: Server, surface: Surface) -> Tab:
    """Open an app, and wait until its text can be written."""
    page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
    page.add_init_script(_PAINTED)
    page.goto(server.url + surface.path)
    page.locator(surface.field).first.wait_for(timeout=60_000)
    time.sleep(0.5)
    return Tab(page, surface)
