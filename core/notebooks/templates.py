"""The `{{ ... }}` of prose: a Python expression over what cells give, or a query of one value."""

from __future__ import annotations

import re
from collections.abc import Iterator

from core.notebooks.cell import Names, Problem
from core.notebooks.python_names import python_names
from core.notebooks.sql_names import looks_like_sql, sql_names
from core.notebooks.text import closes, opens

_TICKS = re.compile(r"`+")


def holes(text: str) -> Iterator[tuple[str, int]]:
    """Yield what stands in each hole, and its line from 1. What is code in Markdown has none."""
    bare = _without_code(text)
    line, counted, end = 1, 0, 0
    while (start := bare.find("{{", end)) >= 0 and (end := bare.find("}}", start)) >= 0:
        line, counted = line + bare.count("\n", counted, start), start
        yield bare[start + 2 : end].strip(), line
        end += 2


def _without_code(text: str) -> str:
    """Blank out fences and spans of code; places and lines stay as they are."""
    bare = list(text)
    for start, end in (*_fences(text), *_spans(text)):
        bare[start:end] = [each if each == "\n" else " " for each in text[start:end]]
    return "".join(bare)


def _fences(text: str) -> Iterator[tuple[int, int]]:
    at = begun = 0
    marks = ""
    for line in text.splitlines(keepends=True):
        if not marks and (fence := opens(line)) is not None:
            marks, begun = fence["marks"], at
        elif marks and closes(line, marks):
            yield begun, at + len(line)
            marks = ""
        at += len(line)
    if marks:
        yield begun, at


def _spans(text: str) -> Iterator[tuple[int, int]]:
    """Yield code in backticks: from a run of them to the next one of the same length."""
    runs = [(found.start(), found.end()) for found in _TICKS.finditer(text)]
    following: dict[int, int] = {}
    closed_by: list[int | None] = [None] * len(runs)
    for at in range(len(runs) - 1, -1, -1):
        length = runs[at][1] - runs[at][0]
        closed_by[at] = following.get(length)
        following[length] = at
    at = 0
    while at < len(runs):
        close = closed_by[at]
        if close is not None:
            yield runs[at][0], runs[close][1]
        at = at + 1 if close is None else close + 1


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
