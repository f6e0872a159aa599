"""What a chart or a metric is of: a name, or a query."""

from __future__ import annotations

from core.connector import quoted
from core.notebooks.cell import Names, Problem
from core.notebooks.sql_names import looks_like_sql, sql_names
from core.notebooks.text import NAME


def source_names(data: str, problems: tuple[Problem, ...] = ()) -> Names:
    """Return what `data` reads: a cell's or table's name, or a query of one value or many."""
    if NAME.match(data):
        return Names(tables=frozenset({data}), problems=problems)
    if looks_like_sql(data):
        found = sql_names(data)
        return Names(
            frozenset(), found.reads, found.tables, found.calls, (*problems, *found.problems)
        )
    told = Problem(f"{data[:60]!r} is neither a name nor a query.", "Name a cell, or write SELECT.")
    return Names(problems=(*problems, told))


def select(data: str) -> str:
    """Return the SQL of what `data` names."""
    return f"FROM {quoted(data)}" if NAME.match(data) else data
