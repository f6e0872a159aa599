"""What a query gave: values only. Where the rows lie and how they are fetched is the session's."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import polars as pl

PUSHED = "__pushed"
"""What SQL that keeps a source's own answer calls that answer, as if it were a table."""

SAFE_INTEGER = 2**53 - 1
"""Beyond it a JSON number loses digits in a browser, so it travels as text."""


@dataclass(frozen=True)
class Column:
    """A column's name, which may be repeated or empty, and its DuckDB type."""

    name: str
    type: str


@dataclass(frozen=True)
class ResultSet:
    """One statement's outcome, as far as it has arrived.

    `rows` grows until `complete`. `affected` counts the rows that a statement changed, None for
    one that returns rows. `elapsed` is in seconds, 0 while it runs.
    """

    id: str
    statement: int
    kind: str
    columns: tuple[Column, ...] = ()
    rows: int = 0
    complete: bool = False
    affected: int | None = None
    elapsed: float = 0.0


@dataclass(frozen=True)
class Page:
    """Some rows of a result: a frame of rows x columns named c0, c1, ..., from row `offset` on.

    `total` counts the rows that there are so far, `matching` those that pass the filters;
    `arriving` tells that both may still grow.
    """

    frame: pl.DataFrame
    offset: int
    total: int
    matching: int
    arriving: bool


def display_rows(frame: pl.DataFrame) -> list[list[Any]]:
    """Turn a frame into rows of JSON values that keep every digit."""
    columns = [[_display(value) for value in frame[name].to_list()] for name in frame.columns]
    return [list(row) for row in zip(*columns, strict=True)]


def _display(value: Any) -> Any:
    match value:
        case None | bool() | str():
            return value
        case int():
            return value if abs(value) <= SAFE_INTEGER else str(value)
        case float():
            finite = value == value and abs(value) != float("inf")
            return value if finite else str(value)
        case Decimal():
            return format(value, "f")
        case datetime():
            return value.isoformat(sep=" ")
        case date() | time():
            return value.isoformat()
        case bytes():
            return "\\x" + value.hex()
        case timedelta():
            return str(value)
        case list() | dict():
            return json.dumps(value, default=_display, ensure_ascii=False)
    return _display_list(value)


def _display_list(value: Any) -> str:
    import polars as pl  # here: 0.3 s, and the app's first page shows no rows

    if isinstance(value, pl.Series):
        return json.dumps([_display(each) for each in value], ensure_ascii=False)
    return str(value)
