"""Inputs: a value that people choose, and that other cells read by the cell's name."""

from __future__ import annotations

from datetime import date
from typing import Any

from core.errors import InvalidInput
from core.notebooks.cell import CellKind, Names, Outcome, Problem
from core.notebooks.fields import Fields, read_fields
from core.notebooks.models import Cell
from core.notebooks.sql_names import looks_like_sql, sql_names
from core.notebooks.work import Work

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

    def run(self, cell: Cell, work: Work) -> Outcome:
        """Take the value from outside, else the default, else the first option or nothing."""
        fields = read_fields(cell.body)
        kind = fields.get("type") or "text"
        text = fields.get("default")
        value = work.rows(text)[0][0] if looks_like_sql(text) else typed(text, kind)
        if text == "" and kind in ("select", "multiselect"):
            value = self._first(fields, work)
        value = work.given(cell.name, value)
        work.put(cell.name, value)
        return Outcome(said="" if value is None else f"{value}")

    def _first(self, fields: Fields, work: Work) -> Any:
        asked = fields.get("options")
        if looks_like_sql(asked):
            found = [row[0] for row in work.rows(asked)]
        else:
            found = [*fields.several("options")]
        return found[0] if found else None


def typed(text: str, kind: str) -> Any:
    """Read a default as its type has it. Raises InvalidInput."""
    try:
        if kind in ("number", "slider"):
            return None if not text else float(text) if "." in text else int(text)
        if kind == "date":
            return date.fromisoformat(text) if text else None
    except ValueError:
        raise InvalidInput(f"Its default, {text!r}, is no {kind}.") from None
    return text.lower() in ("true", "yes", "on", "1") if kind == "toggle" else text
