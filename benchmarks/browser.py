"""Measure from key press to painted header: `uv run python -m benchmarks.browser`.

Millpond, the bare Streamlit app and DuckDB in this process take turns in each round.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

from playwright.sync_api import Browser

from benchmarks import crowd, inputs, long_query
from benchmarks.figures import RESULTS, Figure, Report
from benchmarks.rounds import percentile, seconds, spoken, wait_for_quiet
from benchmarks.servers import BARE as BARE_SCRIPT
from benchmarks.servers import MILLPOND as MILLPOND_SCRIPT
from benchmarks.servers import Server, serving
from benchmarks.tabs import BARE, MILLPOND, Tab, browsing, open_tab
from core.settings import Settings

PARTS = ("aggregate", "rows", "memory", "crowd", "long")

SELECTS = 5


def main() -> None:
    """Run the parts asked for, and keep their figures."""
    given = _arguments()
    report = Report("uv run python -m benchmarks.browser", given.results)
    file = inputs.sales(given.rows)
    aggregate = f"SELECT shop, quantity, sum(amount) AS {{mark}} FROM '{file}' GROUP BY ALL"
    first = f"SELECT id AS {{mark}}, * EXCLUDE (id) FROM '{file}'"
    with browsing() as browser, _both() as (ours, bare):
        if "aggregate" in given.only:
            tabs = open_tab(browser, ours, MILLPOND), open_tab(browser, bare, BARE)
            report.add("aggregate", _aggregate(*tabs, ours, bare, aggregate, given.rounds))
        if "rows" in given.only:
            report.add("rows", _rows(open_tab(browser, ours, MILLPOND), ours, first, given.rounds))
        if "crowd" in given.only:
            servers = [(ours, MILLPOND), (bare, BARE)]
            rounds = crowd.measure(browser, servers, aggregate, given.sessions, given.rounds)
            report.add("crowd", rounds)
        if "long" in given.only:
            report.add("long", long_query.measure(browser, ours, file, given.seconds, given.rounds))
    if "memory" in given.only:
        with browsing() as browser, serving(MILLPOND_SCRIPT) as ours:
            report.add("memory", _memory(browser, ours, first))


@contextmanager
def _both() -> Iterator[tuple[Server, Server]]:
    with serving(MILLPOND_SCRIPT) as ours, serving(BARE_SCRIPT) as bare:
        ours.wait()
        bare.wait()
        yield ours, bare


def _aggregate(
    mine: Tab, other: Tab, ours: Server, bare: Server, sql: str, rounds: int
) -> list[Figure]:
    taken: list[tuple[float, float, float]] = []
    plain = sql.format(mark="total")
    with inputs.floor(Settings()) as floor:
        for at in range(rounds + 2):
            ours.settle()
            bare.settle()
            wait_for_quiet()
            first, second = (mine, other) if at % 2 else (other, mine)
            times = {first: first.run(sql), second: second.run(sql)}
            inside = seconds(lambda: floor.execute(plain).to_arrow_table())
            taken.append((times[mine], times[other], inside))
    kept = taken[2:]
    middle = [spoken(median(column)) for column in zip(*kept, strict=True)]
    how = f"{middle[0]}; the bare app {middle[1]}, DuckDB in-process {middle[2]}; "
    how += f"medians of {rounds} alternating rounds"
    name = "Aggregate by two columns: key press to painted header"
    ratio = median(mine / inside for mine, _, inside in kept)
    bare_ratio = median(other / inside for _, other, inside in kept)
    return [
        Figure(f"{name}, beside DuckDB in-process", ratio, "x", 2.3, how),
        Figure(f"{name}, the bare app beside DuckDB in-process", bare_ratio, "x", None, how),
    ]


def _rows(mine: Tab, ours: Server, sql: str, rounds: int) -> list[Figure]:
    taken = []
    for _ in range(rounds + 1):
        ours.settle()
        wait_for_quiet()
        taken.append(mine.run(sql))
    kept = taken[1:]
    how = f"median of {rounds}, p95 {spoken(percentile(kept, 95))}"
    name = "First rows of SELECT *: key press to painted header"
    return [Figure(name, median(kept) * 1e3, "ms", 250, how)]


def _memory(browser: Browser, ours: Server, sql: str) -> list[Figure]:
    ours.wait()
    tab = open_tab(browser, ours, MILLPOND)
    ours.settle()
    before = ours.memory()
    for _ in range(SELECTS):
        tab.run(sql)
        ours.settle()
    each = ", ".join(f"{process.memory_full_info().pss / 1e6:.0f} MB" for process in ours.tree())
    how = f"web process, engine and spare: {each}; before the first {before / 1e6:.0f} MB"
    return [
        Figure(
            f"Memory after {SELECTS} SELECT *, all processes", ours.memory() / 1e6, "MB", 500, how
        )
    ]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.browser", description=__doc__)
    parser.add_argument("--only", type=lambda text: text.split(","), default=PARTS)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--sessions", type=int, default=10, help="that run at once")
    parser.add_argument("--seconds", type=float, default=10, help="of the long query, about")
    parser.add_argument("--results", type=Path, default=RESULTS, help="file of the figures")
    return parser.parse_args()


if __name__ == "__main__":
    main()
