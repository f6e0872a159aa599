"""Inputs: a value that people choose, and that other cells read by the cell's name."""

from __future__ import annotations

from core.notebooks.cell import CellKind, Names, Problem
from core.notebooks.fields import read_fields
from core.notebooks.models import Cell
from core.notebooks.sql_names import looks_like_sql, sql_names

TYPES: tuple[str, ...] = (
    "text",
    "number",
    "slider",
    "range",
    "select",
    "multiselect",
    "date",
    "dates",
    "toggle",
)
TYPES += ("file", "button")


class Input(CellKind):
    name = "input"
    label = "Input"
    icon = "tune"
    help = "A text, number, choice or date that people set, and other cells read as $name."

    def names(self, cell: Cell) -> Names:
        fields = read_fields(cell.body)
        problems = [*fields.problems]
        if not cell.name:
            problems.append(Problem("An input needs a name.", "Write it after the word input."))
        kind = fields.get("type") or "text"
        if kind not in TYPES:
            problems.append(
                Problem(f"{kind} is no type of input.", f"Choose one of {', '.join(TYPES)}.")
            )
        asked = [
            each for each in (fields.get("options"), fields.get("default")) if looks_like_sql(each)
        ]
        found = [sql_names(each) for each in asked]
        return Names(
            frozenset({cell.name} - {""}),
            frozenset().union(*(each.reads for each in found)),
            frozenset().union(*(each.tables for each in found)),
            frozenset().union(*(each.calls for each in found)),
            tuple(problems),
        )
