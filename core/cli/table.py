"""A result as a table of text: names, their types below, then aligned rows.

For people: long cells are cut, and what could steer a terminal is written out. Programs read CSV
or JSON.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import Any

import polars as pl

from core.engine.relation import family
from core.engine.results import Column, ResultSet, display_rows

CELL = 60
"""Characters of a cell that are shown."""


def table_text(result: ResultSet, frame: pl.DataFrame) -> str:
    """Lay out the rows of a frame, and say how many there are and how long it took."""
    columns = [
        _column(column, values)
        for column, values in zip(result.columns, _by_column(frame), strict=True)
    ]
    lines = ["  ".join(cells).rstrip() for cells in zip(*columns, strict=True)]
    return "\n".join([*lines, _footer(result, frame.height), ""])


def _by_column(frame: pl.DataFrame) -> list[list[Any]]:
    rows = display_rows(frame)
    return [[row[at] for row in rows] for at in range(frame.width)]


def _column(column: Column, values: Sequence[Any]) -> list[str]:
    """Lay out one column: name, type, a rule, its cells, all of one width."""
    right = family(column.type) in ("integer", "number")
    head = [cell(column.name), cell(column.type)]
    body = [cell(value) for value in values]
    wide = max(_width(text) for text in (*head, *body))
    padded = [_pad(text, wide, right=right) for text in (*head, *body)]
    return [*padded[:2], "-" * wide, *padded[2:]]


def cell(value: Any) -> str:
    """Write a value as one short line that a terminal cannot take for an order."""
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return "true" if value else "false"
    text = str(value)
    if not text.isprintable():
        text = "".join(sign if sign.isprintable() else _escape(sign) for sign in text[: CELL + 1])
    return text if len(text) <= CELL else text[: CELL - 1] + "…"


def _escape(sign: str) -> str:
    return sign.encode("unicode_escape").decode("ascii")


def _pad(text: str, width: int, *, right: bool) -> str:
    gap = " " * (width - _width(text))
    return gap + text if right else text + gap


def _width(text: str) -> int:
    """Count the places a text takes in a terminal: wide signs take two, combining ones none."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(sign) else 2 if unicodedata.east_asian_width(sign) in "WF" else 1
        for sign in text
    )


def _footer(result: ResultSet, shown: int) -> str:
    rows = f"{result.rows:,} row" + ("" if result.rows == 1 else "s")
    more = f", the first {shown:,} shown (--rows N shows more)" if shown < result.rows else ""
    return f"({rows} in {result.elapsed:.3g} s{more})"
