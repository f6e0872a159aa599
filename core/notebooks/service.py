"""Notebooks checked: what their text alone tells of what will not work."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from core.notebooks.cell import CellKind, Names, Problem
from core.notebooks.graph import Graph, build
from core.notebooks.models import Cell, Notebook
from core.notebooks.text import parse


@dataclass(frozen=True)
class Checked:
    """A notebook that was read, its graph, and the cell of each of the graph's keys."""

    notebook: Notebook
    graph: Graph
    cells: Mapping[str, Cell]

    @property
    def problems(self) -> list[tuple[Cell, Problem]]:
        """All that is wrong, in the order of the page."""
        told = self.graph.problems
        return [(cell, each) for key, cell in self.cells.items() for each in told.get(key, ())]


def check(
    text: str,
    kinds: Mapping[str, CellKind],
    is_table: Callable[[str], bool] | None = None,
) -> Checked:
    """Read a notebook and build its graph; `is_table` tells what sources have. Never fails."""
    notebook = parse(text, kinds)
    cells = keyed(notebook)
    names = {key: _names(cell, kinds) for key, cell in cells.items()}
    return Checked(notebook, build(names, is_table), cells)


def keyed(notebook: Notebook) -> dict[str, Cell]:
    """Return each cell under a key: its name, else its kind and place; a name's second use too."""
    found: dict[str, Cell] = {}
    for at, cell in enumerate(notebook.cells, 1):
        key = cell.name if cell.name and cell.name not in found else f"{cell.kind}-{at}"
        found[key] = cell
    return found


def _names(cell: Cell, kinds: Mapping[str, CellKind]) -> Names:
    kind = kinds.get(cell.kind)
    if kind is not None:
        return kind.names(cell)
    known = ", ".join(sorted(kinds))
    return Names(
        problems=(
            Problem(f"There is no kind of cell named {cell.kind}.", f"Those there are: {known}."),
        )
    )
