"""Measure the start, from the process to a usable page: `uv run python -m benchmarks.start`.

With marimo beside it: `uv run --group peers python -m benchmarks.start --peers`.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from functools import partial
from pathlib import Path

from playwright.sync_api import Browser

from benchmarks.figures import RESULTS, Figure, Report
from benchmarks.rounds import alternate_timed
from benchmarks.servers import BARE, MARIMO, MILLPOND, serving
from benchmarks.tabs import browsing

# Page, what is usable of it, and whether each start is the first one ever: in a new home, with no
# module compiled yet, neither ours nor Streamlit's.
STARTS = {
    "home page": ("/", "h1", False),
    "query page": ("/query", ".cm-content", False),
    "home page at the first start ever": ("/", "h1", True),
}

_BARE = (BARE, "/", "textarea")
_MARIMO = (MARIMO, "/", ".cm-content")  # the editor of its first cell


def main() -> None:
    """Start Millpond and the bare app in turns."""
    given = _arguments()
    report = Report("uv run python -m benchmarks.start", given.results)
    with browsing() as browser, tempfile.TemporaryDirectory(prefix="millpond-") as used:
        for name in given.only:
            path, usable, is_first = STARTS[name]
            home = None if is_first else Path(used)
            pair = alternate_timed(
                partial(_start, browser, MILLPOND, path, usable, home, compiled=not is_first),
                partial(_start, browser, *_BARE, compiled=not is_first),
                given.rounds,
            )
            called = f"Process start to the usable {name}, beside a bare Streamlit app"
            report.add(name, [Figure(called, pair.ratio, "x", 1.5, pair.how)])
        if given.peers:
            _add_peer(report, browser, Path(used), given.rounds)


def _add_peer(report: Report, browser: Browser, home: Path, rounds: int) -> None:
    """Start marimo on a notebook of one cell, beside the bare app and beside our query page."""
    marimo = partial(_start, browser, *_MARIMO)
    pair = alternate_timed(marimo, partial(_start, browser, *_BARE), rounds)
    called = "Process start to marimo's editor, beside a bare Streamlit app"
    report.add("marimo", [Figure(called, pair.ratio, "x", None, pair.how)])
    for name in ("home page", "query page"):
        path, usable, _ = STARTS[name]
        ours = partial(_start, browser, MILLPOND, path, usable, home)
        pair = alternate_timed(ours, marimo, rounds)
        called = f"Process start to the usable {name}, beside marimo's editor"
        report.add(f"{name} and marimo", [Figure(called, pair.ratio, "x", 1.0, pair.how)])


def _start(
    browser: Browser,
    script: Path,
    path: str,
    usable: str,
    home: Path | None = None,
    *,
    compiled: bool = True,
) -> float:
    with (
        browser.new_context() as context,
        serving(script, home, compiled=compiled) as server,
    ):
        page = context.new_page()
        server.wait()
        page.goto(server.url + path)
        page.locator(usable).first.wait_for(timeout=60_000)
        page.evaluate("() => new Promise((done) => requestAnimationFrame(() => done()))")
        return time.perf_counter() - server.started


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.start", description=__doc__)
    parser.add_argument("--only", action="append", choices=STARTS)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--peers", action="store_true", help="start marimo as well")
    parser.add_argument("--results", type=Path, default=RESULTS, help="file of the figures")
    given = parser.parse_args()
    given.only = given.only or list(STARTS)
    return given


if __name__ == "__main__":
    main()
