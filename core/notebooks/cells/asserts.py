"""Tests of data: a query that must give no rows."""

from __future__ import annotations

from core.notebooks.cell import CellKind, Names, Outcome
from core.notebooks.models import Cell
from core.notebooks.sql_names import sql_names
from core.notebooks.work import Work


class Assert(CellKind):
    name = "assert"
    label = "Assert"
    icon = "rule"
    help = "SQL that finds what must not be: rows that it gives are a failure."

    def names(self, cell: Cell) -> Names:
        return sql_names(cell.body)

    def run(self, cell: Cell, work: Work) -> Outcome:
        run = work.ask(cell.body)
        rows = work.count(run)
        if not rows:
            return Outcome(0)
        names = [each.name for each in run.result.columns] if run.result else []
        first = ", ".join(
            f"{name} = {value}" for name, value in zip(names, work.first(run), strict=True)
        )
        word = "row" if rows == 1 else "rows"
        return Outcome(rows, f"It gives {rows:,} {word}, the first: {first}.", failed=True)
