"""Notebooks that are there to do harm are checked in the time of others."""

from __future__ import annotations

from core.notebooks.cell import Names
from core.notebooks.graph import build
from core.notebooks.python_names import python_names


def test_python_nested_too_deeply_is_told_in_words():
    (problem,) = python_names("x = " + "(" * 100_000 + ")" * 100_000).problems
    assert problem.message.startswith("This is no Python: ")
    assert not problem.message.endswith(": .")


def test_what_was_meant_is_looked_for_among_few_unknown_names():
    cells = {f"c{at}": Names(frozenset({f"c{at}"})) for at in range(50)}
    cells["all"] = Names(reads=frozenset(f"c{at}x" for at in range(50)))
    told = build(cells).problems["all"]
    assert len(told) == 50
    assert sum("Did you mean" in each.hint for each in told) == 20
