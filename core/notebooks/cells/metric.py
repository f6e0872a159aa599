"""Metrics: one value, large, with what it was and should be."""

from __future__ import annotations

from core.errors import InvalidInput
from core.notebooks.cell import CellKind, Names, Outcome, Problem
from core.notebooks.fields import read_fields
from core.notebooks.models import Cell
from core.notebooks.sources import select, source_names
from core.notebooks.work import Work


class Metric(CellKind):
    name = "metric"
    label = "Metric"
    icon = "speed"
    help = "One value of another cell, with its change, its target and a small line."

    def names(self, cell: Cell) -> Names:
        fields = read_fields(cell.body)
        if not fields.get("data"):
            missing = Problem("A metric needs data.", "Write data: and the name of a cell.")
            return Names(problems=(*fields.problems, missing))
        return source_names(fields.get("data"), fields.problems)

    def run(self, cell: Cell, work: Work) -> Outcome:
        rows = work.rows(select(read_fields(cell.body).get("data")))
        if not rows:
            raise InvalidInput("Its data has no row to take the value from.")
        return Outcome(said=f"{rows[0][0]}")
