"""Many browser sessions that run the same aggregate at the same moment."""

from __future__ import annotations

import time
from statistics import median

from playwright.sync_api import Browser

from benchmarks.figures import Figure
from benchmarks.rounds import percentile, spoken, wait_for_quiet
from benchmarks.servers import Server
from benchmarks.tabs import Surface, Tab, open_tab


def measure(
    browser: Browser,
    servers: list[tuple[Server, Surface]],
    sql: str,
    sessions: int,
    rounds: int,
) -> list[Figure]:
    """Take p95 over all sessions and rounds, of the first server beside the second."""
    taken: list[list[float]] = [[] for _ in servers]
    tabs = [[open_tab(browser, *each) for _ in range(sessions)] for each in servers]
    for at in range(rounds + 1):
        for which in (0, 1) if at % 2 else (1, 0):
            servers[which][0].settle()
            times = _at_once(tabs[which], sql)
            taken[which] += times if at else []
    for tab in (tab for each in tabs for tab in each):
        tab.page.context.close()
    mine, other = (percentile(each, 95) for each in taken)
    how = f"p95 {spoken(mine)} against {spoken(other)}, medians {spoken(median(taken[0]))} and "
    how += f"{spoken(median(taken[1]))}, of {rounds} alternating rounds"
    name = f"{sessions} sessions run the aggregate at once: p95 beside the bare app's"
    return [Figure(name, mine / other, "x", 3, how)]


def _at_once(tabs: list[Tab], sql: str) -> list[float]:
    for tab in tabs:
        tab.write(sql)
        tab.expect()
    wait_for_quiet()
    when = time.time() + 1
    for tab in tabs:
        tab.press_at(when)
    return [tab.taken() for tab in tabs]
