"""Metrics: one value, large, with what it was and should be."""

from __future__ import annotations

from core.notebooks.cell import CellKind, Names, Problem
from core.notebooks.fields import read_fields
from core.notebooks.models import Cell
from core.notebooks.sources import source_names


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
