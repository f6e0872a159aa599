"""Prose, with `{{ value }}` where what cells give stands in it."""

from __future__ import annotations

from core.notebooks.cell import CellKind, Names, Outcome
from core.notebooks.models import MARKDOWN, Cell
from core.notebooks.templates import template_names
from core.notebooks.work import Work


class Markdown(CellKind):
    name = MARKDOWN
    label = "Text"
    icon = "notes"
    help = "Markdown, with values of other cells in {{ braces }}."

    def names(self, cell: Cell) -> Names:
        return template_names(cell.body)

    def run(self, cell: Cell, work: Work) -> Outcome:
        return Outcome()
