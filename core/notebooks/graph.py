"""Which cells follow which: pure, by names alone, whatever the order of the page.

Names are compared as SQL compares them, without case. A name that two cells define, a cycle and a
name that nobody defines are problems of the cells concerned; the others go on.
"""

from __future__ import annotations

import difflib
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from core.engine.lexer import fold
from core.notebooks.cell import Names, Problem

_MEANT_AT_MOST = 20
"""Unknown names for which one that is meant is looked for: each is compared with all there are."""

RESERVED = frozenset({"cell", "notebook", "millpond"})
"""Names that are kept for what cells may ask of their notebook."""

Key = str
"""What tells one cell of a notebook from the others."""


@dataclass(frozen=True)
class Graph:
    """The cells of a notebook by their keys, in the page's order, and what leads where.

    `parents` of a cell define what it reads, `children` read what it defines.
    """

    names: Mapping[Key, Names]
    parents: Mapping[Key, frozenset[Key]]
    children: Mapping[Key, frozenset[Key]]
    problems: Mapping[Key, tuple[Problem, ...]]
    definers: Mapping[str, Key] = field(default_factory=dict)
    """The cell that defines a folded name; of several the first on the page."""

    def order(self, keys: Iterable[Key] | None = None) -> list[Key]:
        """Return cells so that each stands behind what it reads, else as on the page.

        Those on a cycle, and behind one, are left out.
        """
        wanted = [key for key in self.names if keys is None or key in set(keys)]
        place = {key: at for at, key in enumerate(wanted)}
        waits = {key: sum(each in place for each in self.parents[key]) for key in wanted}
        ready = deque(key for key in wanted if not waits[key])
        found: list[Key] = []
        while ready:
            key = ready.popleft()
            found.append(key)
            for child in sorted(self.children[key] & place.keys(), key=place.__getitem__):
                waits[child] -= 1
                if not waits[child]:
                    ready.append(child)
        return found

    def affected(self, keys: Iterable[Key]) -> set[Key]:
        """Return these cells and all that follow them, near and far."""
        return _reached(keys, self.children)

    def needed(self, keys: Iterable[Key]) -> set[Key]:
        """Return these cells and all that they follow."""
        return _reached(keys, self.parents)


def build(cells: Mapping[Key, Names], is_table: Callable[[str], bool] | None = None) -> Graph:
    """Build the graph of cells by their keys, in the page's order.

    `is_table` tells whether a source has a table of a name; None takes any for one.
    """
    problems: dict[Key, list[Problem]] = {key: [*names.problems] for key, names in cells.items()}
    definers = _definers(cells, problems)
    parents: dict[Key, set[Key]] = {key: set() for key in cells}
    unknown: list[tuple[Key, str]] = []
    children: dict[Key, set[Key]] = {key: set() for key in cells}
    for key, names in cells.items():
        own = {fold(each) for each in names.defines}
        for name in sorted(names.reads | names.tables | names.calls):
            definer = definers.get(fold(name))
            if definer == key or (definer is not None and fold(name) in own):
                continue
            if definer is not None:
                parents[key].add(definer)
                children[definer].add(key)
            elif name in names.reads or (
                name in names.tables and is_table is not None and not is_table(name)
            ):
                unknown.append((key, name))
    for at, (key, name) in enumerate(unknown):
        problems[key].append(_unknown(name, definers if at < _MEANT_AT_MOST else ()))
    graph = Graph(
        cells,
        {key: frozenset(each) for key, each in parents.items()},
        {key: frozenset(each) for key, each in children.items()},
        {},
        {name: key for name, key in definers.items()},
    )
    for cycle in _cycles(graph):
        for key in cycle:
            problems[key].append(Problem(_told(cycle, key, cells), "Cut one of these ways."))
    told = {key: tuple(each) for key, each in problems.items() if each}
    return Graph(graph.names, graph.parents, graph.children, told, graph.definers)


def _definers(cells: Mapping[Key, Names], problems: Mapping[Key, list[Problem]]) -> dict[str, Key]:
    """Return who defines each folded name, and note names that are taken or reserved."""
    by_name: dict[str, list[tuple[Key, str]]] = defaultdict(list)
    for key, names in cells.items():
        for name in sorted(names.defines):
            by_name[fold(name)].append((key, name))
    for folded, defined in by_name.items():
        if folded in RESERVED:
            for key, name in defined:
                problems[key].append(Problem(f"{name} is reserved.", "Choose another name."))
        if len({key for key, _ in defined}) > 1:
            for key, name in defined:
                problems[key].append(
                    Problem(f"Another cell defines {name} too.", "Rename it in one of them.")
                )
    return {name: defined[0][0] for name, defined in by_name.items()}


def _unknown(name: str, definers: Iterable[str]) -> Problem:
    close = difflib.get_close_matches(fold(name), [*definers], 1, 0.7)
    return Problem(f"No cell defines {name}.", f"Did you mean {close[0]}?" if close else "")


def _reached(keys: Iterable[Key], ways: Mapping[Key, frozenset[Key]]) -> set[Key]:
    found, waiting = set(keys), [*keys]
    while waiting:
        for each in ways[waiting.pop()] - found:
            found.add(each)
            waiting.append(each)
    return found


def _cycles(graph: Graph) -> list[list[Key]]:
    """Return one cycle through each knot of cells, in the order of reading."""
    left = set(graph.names) - set(graph.order())
    found: list[list[Key]] = []
    for key in graph.names:
        if key not in left:
            continue
        cycle = _way_back(graph, key, left)
        if cycle:
            found.append(cycle)
            left -= set(cycle)
    return found


def _way_back(graph: Graph, key: Key, among: set[Key]) -> list[Key]:
    """Return the shortest way from a cell to itself, by what it leads to; [] for none."""
    before: dict[Key, Key] = {}
    waiting = deque([key])
    while waiting:
        here = waiting.popleft()
        for child in sorted(graph.children[here] & among):
            if child == key:
                way = [here]
                while way[-1] != key:
                    way.append(before[way[-1]])
                return way[::-1]
            if child not in before:
                before[child] = here
                waiting.append(child)
    return []


def _told(cycle: Sequence[Key], key: Key, cells: Mapping[Key, Names]) -> str:
    at = cycle.index(key)
    way = [*cycle[at:], *cycle[:at], key]
    return "It follows itself: " + " → ".join(way) + "."
