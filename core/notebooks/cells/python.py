"""Cells of Python: what they bind at their top, other cells read."""

from __future__ import annotations

from dataclasses import replace

from core.errors import InvalidInput
from core.notebooks.cell import CellKind, Names, Outcome
from core.notebooks.models import Cell
from core.notebooks.python_names import python_names
from core.notebooks.work import Work


class Python(CellKind):
    name = "python"
    label = "Python"
    icon = "code"
    help = "Frames of polars in and out by name, figures, any value; `_name` is the cell's own."

    def names(self, cell: Cell) -> Names:
        found = python_names(cell.body)
        if cell.name:
            return replace(found, defines=found.defines | {cell.name})
        return found

    def run(self, cell: Cell, work: Work) -> Outcome:
        raise InvalidInput(
            "Cells of Python are checked, and cannot be run yet.", hint="Say it in SQL."
        )
