"""The `{{ ... }}` of prose: a Python expression over what cells give, or a query of one value."""

from __future__ import annotations

import re
from collections.abc import Iterator

from core.notebooks.cell import Names, Problem
from core.notebooks.python_names import python_names
from core.notebooks.sql_names import looks_like_sql, sql_names

_HOLE = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)
# What is code in Markdown is shown as it is.
_CODE = re.compile(
    r"^ {0,3}(`{3,}|~{3,}).*?(?:^ {0,3}\1[^\n]*$|\Z)|(`+)(?!`).*?(?<!`)\2(?!`)",
    re.DOTALL | re.MULTILINE,
)


def holes(text: str) -> Iterator[tuple[str, int]]:
    """Yield what stands in each hole, and its line from 1."""
    bare = _CODE.sub(lambda code: re.sub(r"[^\n]", " ", code[0]), text)
    for hole in _HOLE.finditer(bare):
        yield hole[1].strip(), bare.count("\n", 0, hole.start()) + 1


def template_names(text: str) -> Names:
    """Return what a text with holes reads."""
    reads: set[str] = set()
    tables: set[str] = set()
    calls: set[str] = set()
    problems: list[Problem] = []
    for inside, line in holes(text):
        found = sql_names(inside) if looks_like_sql(inside) else python_names(inside)
        reads |= found.reads
        tables |= found.tables
        calls |= found.calls
        problems += [Problem(each.message, each.hint, line) for each in found.problems]
        if found.defines:
            problems.append(Problem("A text defines nothing.", "Give the value in a cell.", line))
    return Names(
        frozenset(), frozenset(reads), frozenset(tables), frozenset(calls), tuple(problems)
    )
