"""Tests of data: a query that must give no rows."""

from __future__ import annotations

from core.notebooks.cell import CellKind, Names
from core.notebooks.models import Cell
from core.notebooks.sql_names import sql_names


class Assert(CellKind):
    name = "assert"
    label = "Assert"
    icon = "rule"
    help = "SQL that finds what must not be: rows that it gives are a failure."

    def names(self, cell: Cell) -> Names:
        return sql_names(cell.body)
