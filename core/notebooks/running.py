"""Run a notebook from its first cell to its last, each behind what it follows.

A cell that fails keeps those that follow it waiting, and no others.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from core.errors import MillpondError, QueryCancelled
from core.notebooks.cell import CellKind, Outcome
from core.notebooks.service import Checked
from core.notebooks.work import Work

State = Literal["done", "failed", "waiting", "disabled"]


@dataclass(frozen=True)
class CellRun:
    """How one cell ended: `seconds` it took, what it gave, and what it says of that."""

    key: str
    state: State
    said: str = ""
    rows: int | None = None
    seconds: float = 0.0
    error: MillpondError | None = None


def run_cells(
    checked: Checked, kinds: Mapping[str, CellKind], work: Work, only: str = ""
) -> Iterator[CellRun]:
    """Run all cells, or one with what it follows, and yield each as it ends.

    Those with problems, and what is on a cycle, are not run. Raises QueryCancelled.
    """
    graph = checked.graph
    wanted = graph.needed([only]) if only else set(graph.names)
    ended: dict[str, State] = {}
    order = graph.order(wanted)
    for key in [*order, *(each for each in graph.names if each in wanted - set(order))]:
        run = _run_cell(checked, kinds, work, key, ended)
        ended[key] = run.state
        yield run


def _run_cell(
    checked: Checked,
    kinds: Mapping[str, CellKind],
    work: Work,
    key: str,
    ended: Mapping[str, State],
) -> CellRun:
    cell, graph = checked.cells[key], checked.graph
    if problems := graph.problems.get(key):
        return CellRun(key, "failed", f"{problems[0].message} {problems[0].hint}".strip())
    if cell.disabled:
        return CellRun(key, "disabled")
    parents = sorted(graph.parents[key], key=[*graph.names].index)
    if held := [each for each in parents if ended.get(each) != "done"]:
        return CellRun(key, "waiting", f"It waits for {', '.join(held)}.")
    began = time.perf_counter()
    try:
        outcome = kinds[cell.kind].run(cell, work)
    except QueryCancelled:
        raise
    except MillpondError as error:
        return CellRun(
            key, "failed", error.message, seconds=time.perf_counter() - began, error=error
        )
    return _ended(key, outcome, time.perf_counter() - began)


def _ended(key: str, outcome: Outcome, seconds: float) -> CellRun:
    state: State = "failed" if outcome.failed else "done"
    return CellRun(key, state, outcome.said, outcome.rows, seconds)
