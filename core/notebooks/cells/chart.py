"""Charts of what another cell gives, or of a query."""

from __future__ import annotations

from core.notebooks.cell import CellKind, Names, Problem
from core.notebooks.fields import read_fields
from core.notebooks.models import Cell
from core.notebooks.sources import source_names


class Chart(CellKind):
    name = "chart"
    label = "Chart"
    icon = "bar_chart"
    help = "A picture of what another cell gives: bars, lines, points and more."

    def names(self, cell: Cell) -> Names:
        fields = read_fields(cell.body)
        if not fields.get("data"):
            missing = Problem("A chart needs data.", "Write data: and the name of a cell.")
            return Names(problems=(*fields.problems, missing))
        return source_names(fields.get("data"), fields.problems)
