"""A query of ten seconds: when its progress shows, whether a reload finds it, how it stops."""

from __future__ import annotations

import time
from pathlib import Path
from statistics import median

from playwright.sync_api import Browser

from benchmarks import inputs
from benchmarks.figures import Figure
from benchmarks.rounds import seconds, spoken, wait_for_quiet
from benchmarks.servers import Server
from benchmarks.tabs import MILLPOND, Tab, open_tab
from core.settings import Settings


def measure(
    browser: Browser, server: Server, file: Path, length: float, rounds: int
) -> list[Figure]:
    """Run it, reload after 2 s, cancel; `length` is in seconds, about."""
    sql = _slow(file, length)
    progress, found, freed = [], [], []
    for _ in range(max(2, rounds // 2)):
        server.settle()
        tab = open_tab(browser, server, MILLPOND)
        tab.write(sql)
        tab.expect("[data-testid=stProgress]", "Running")
        wait_for_quiet()
        tab.press()
        progress.append(tab.taken())
        tab.page.wait_for_timeout(2000)
        found.append(_found_again(tab))
        freed.append(_cancelled(tab, server))
        tab.page.context.close()
    of = f"of {len(progress)}, slowest"
    name = f"A query of {length:g} s"
    return [
        Figure(
            f"{name}: first progress on the screen",
            median(progress) * 1e3,
            "ms",
            1000,
            f"median {of} {spoken(max(progress))}",
        ),
        Figure(
            f"{name}: reloaded after 2 s, shown as running with its text",
            median(found) * 1e3,
            "ms",
            None,
            f"median {of} {spoken(max(found))}, from the reload; fails where it is not found",
        ),
        Figure(
            f"{name}: cores free after Cancel",
            median(freed) * 1e3,
            "ms",
            1000,
            f"median {of} {spoken(max(freed))}, from before the click to the last CPU time used",
        ),
    ]


def _slow(file: Path, length: float) -> str:
    """Nest as many hashes as take about so long here."""
    with inputs.floor(Settings()) as floor:
        sql = f"SELECT max({_nested(2)}) AS x FROM '{file}'"
        floor.execute(sql).fetchall()  # the first one reads the file
        # The fastest: what a busy moment makes slow would be too short when it is quiet.
        each = min(seconds(lambda: floor.execute(sql).fetchall()) for _ in range(3)) / 2
    return f"SELECT max({_nested(max(2, round(length / each)))}) AS {{mark}} FROM '{file}'"


def _nested(depth: int) -> str:
    return "md5(" * depth + "id::VARCHAR" + ")" * depth


def _found_again(tab: Tab) -> float:
    started = time.perf_counter()
    tab.page.reload()
    tab.page.locator("[data-testid=stProgress]").get_by_text("Running").wait_for(timeout=8000)
    tab.page.locator(tab.field).get_by_text("md5(").first.wait_for(timeout=8000)
    return time.perf_counter() - started


def _cancelled(tab: Tab, server: Server) -> float:
    button = tab.page.get_by_role("button", name="Cancel")
    button.wait_for()
    started = time.perf_counter()
    button.click()
    return max(0.0, server.settle(workers_only=True) - started)
