"""Charts of what another cell gives, or of a query."""

from __future__ import annotations

from core.notebooks.cell import CellKind, Names, Outcome, Problem
from core.notebooks.fields import read_fields
from core.notebooks.models import Cell
from core.notebooks.sources import select, source_names
from core.notebooks.work import Work


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

    def run(self, cell: Cell, work: Work) -> Outcome:
        return Outcome(work.count(work.ask(select(read_fields(cell.body).get("data")))))
