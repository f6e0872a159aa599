"""Cells of SQL: a query, which other cells read by the cell's name; or statements."""

from __future__ import annotations

from core.notebooks.cell import CellKind, Names, Outcome
from core.notebooks.models import Cell
from core.notebooks.sql_names import is_one_query, sql_names
from core.notebooks.work import Work


class Sql(CellKind):
    name = "sql"
    label = "SQL"
    icon = "database"
    help = "A query over everything, or on a connection; other cells read it by its name."

    def names(self, cell: Cell) -> Names:
        found = sql_names(cell.body, cell.name)
        if cell.flags.get("on"):  # its tables are the connection's own, under names of its own
            return Names(found.defines, found.reads, problems=found.problems)
        return found

    def run(self, cell: Cell, work: Work) -> Outcome:
        if cell.name and (cell.flags.get("on") or is_one_query(cell.body)):
            return work.define(cell)
        return Outcome(work.count(work.ask(cell.body, on=cell.flags.get("on", ""))))
