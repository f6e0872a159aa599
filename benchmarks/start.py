"""Measure the start, from the process to a usable page: `uv run python -m benchmarks.start`."""

from __future__ import annotations

import argparse
import time
from pathlib import Path

from playwright.sync_api import Browser

from benchmarks.figures import RESULTS, Figure, Report
from benchmarks.rounds import alternate_timed
from benchmarks.servers import BARE, MILLPOND, serving
from benchmarks.tabs import browsing

PAGES = {"home page": ("/", "h1"), "query page": ("/query", ".cm-content")}


def main() -> None:
    """Start Millpond and the bare app in turns."""
    given = _arguments()
    report = Report("uv run python -m benchmarks.start", given.results)
    with browsing() as browser:
        for name, (path, usable) in PAGES.items():
            pair = alternate_timed(
                lambda path=path, usable=usable: _start(browser, MILLPOND, path, usable),
                lambda: _start(browser, BARE, "/", "textarea"),
                given.rounds,
            )
            called = f"Process start to the usable {name}, beside a bare Streamlit app"
            report.add(name, [Figure(called, pair.ratio, "x", 1.5, pair.how)])


def _start(browser: Browser, script: Path, path: str, usable: str) -> float:
    with browser.new_context() as context, serving(script) as server:
        page = context.new_page()
        server.wait()
        page.goto(server.url + path)
        page.locator(usable).first.wait_for(timeout=60_000)
        page.evaluate("() => new Promise((done) => requestAnimationFrame(() => done()))")
        return time.perf_counter() - server.started


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.start", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--results", type=Path, default=RESULTS, help="file of the figures")
    return parser.parse_args()


if __name__ == "__main__":
    main()
