"""The tree of a source of many tables in the browser: its first paint, and its filter."""

from __future__ import annotations

import time
from statistics import median

import duckdb
import httpx
from playwright.sync_api import Page

from benchmarks.figures import Figure
from benchmarks.inputs import FOLDER
from benchmarks.rounds import spoken
from benchmarks.servers import MILLPOND, serving
from benchmarks.tabs import browsing

_COLUMNS = 20
_WORDS = ("t", "t4", "t49", "c7", "t4999", "nothing", "")

# Type into the tree's search, and tell how long it takes until the frame after that is painted.
_FILTER = """async (text) => {
  const find = (node) => {
    for (const each of node.querySelectorAll("*")) {
      if (each.matches("input[type=search]")) return each;
      const inside = each.shadowRoot && find(each.shadowRoot);
      if (inside) return inside;
    }
  };
  const search = find(document), began = performance.now();
  search.value = text;
  search.dispatchEvent(new Event("input", {bubbles: true}));
  await new Promise((painted) => requestAnimationFrame(() => setTimeout(painted)));
  return performance.now() - began;
}"""


def measure(tables: int, rounds: int) -> list[Figure]:
    """Open the query page beside a DuckDB file of so many tables, in new browser sessions."""
    painted: list[float] = []
    filtered: list[float] = []
    with browsing() as browser, serving(MILLPOND) as server:
        server.wait()
        source = {"alias": "many", "connector": "duckdb", "options": {"path": _file(tables)}}
        added = httpx.post(f"{server.url}/api/v1/connections", json=source, timeout=60)
        added.raise_for_status()
        for number in range(rounds + 1):
            server.settle()
            with browser.new_context() as context:
                page = context.new_page()
                page.goto(f"{server.url}/query")
                passed = _after_the_editor(page)
                if number:
                    painted.append(passed)
                    server.settle()
                    filtered += [page.evaluate(_FILTER, words) / 1e3 for words in _WORDS]
    size = f"{tables:,} tables, {tables * _COLUMNS:,} columns"
    return [
        Figure(f"The tree of a source of {size}: first paint, from the editor's", median(painted)
               * 1e3, "ms", 1000, f"median of {rounds}, slowest {spoken(max(painted))}"),
        Figure("The same tree: filtered in the browser, to the painted frame", median(filtered)
               * 1e3, "ms", 100, f"median of {len(filtered)}, slowest {spoken(max(filtered))}"),
    ]  # fmt: skip


def _after_the_editor(page: Page) -> float:
    page.locator(".cm-content").first.wait_for(timeout=60_000)
    began = time.perf_counter()
    page.get_by_text("many", exact=True).first.wait_for(timeout=60_000)
    return time.perf_counter() - began


def _file(tables: int) -> str:
    file = FOLDER / f"tables-{tables}.duckdb"
    if not file.exists():
        FOLDER.mkdir(parents=True, exist_ok=True)
        columns = ", ".join(f"c{number} INTEGER" for number in range(_COLUMNS))
        making = file.with_suffix(".new")
        making.unlink(missing_ok=True)
        with duckdb.connect(str(making)) as con:
            for number in range(tables):
                con.execute(f"CREATE TABLE t{number} ({columns})")
        making.rename(file)
    return str(file)
