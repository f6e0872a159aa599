"""Where the boxes of a diagram stand and the ways between them: layers from left to right.

The way of Sugiyama, Tagawa and Toda (1981): break cycles, rank, order each rank by barycentres,
straighten. Parents stand left of what leads to them. It is our own because one layout serves page,
files and command line: Graphviz is a program to install, igraph is GPL, grandalf has had no release
since 2023, fast-sugiyama takes boxes of one size, and elkjs and dagre need JavaScript.

Nothing here knows tables; equal input gives equal output.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from core.catalog.erd.layers import DOWN, Layers

ACROSS = 90
"""Pixels between two ranks: room for lines to bend, and for the signs at their ends."""
_RATIO = 1.6
"""Width by height that a diagram comes near to."""

Point = tuple[float, float]


@dataclass(frozen=True)
class Layout:
    """Left upper corners of boxes, and for each pair (child, parent) the points between them."""

    corners: tuple[Point, ...]
    ways: Mapping[tuple[int, int], tuple[Point, ...]]
    width: float
    height: float


@dataclass
class _Part:
    """A connected part of the diagram, from its own origin."""

    boxes: list[int]
    corners: dict[int, Point] = field(default_factory=dict)
    ways: dict[tuple[int, int], tuple[Point, ...]] = field(default_factory=dict)
    width: float = 0
    height: float = 0


def lay_out(sizes: Sequence[Point], edges: Sequence[tuple[int, int]]) -> Layout:
    """Place boxes of some width and height; `edges` are (child, parent) by position in `sizes`."""
    pairs = [*dict.fromkeys(edge for edge in edges if edge[0] != edge[1])]
    parts = [_lay_out_part(part, sizes, pairs) for part in _connected(len(sizes), pairs)]
    corners, ways = [(0.0, 0.0)] * len(sizes), {}
    places, width, height = _pack(parts)
    for part, (left, top) in zip(parts, places, strict=True):
        for box, (x, y) in part.corners.items():
            corners[box] = (left + x, top + y)
        for pair, points in part.ways.items():
            ways[pair] = tuple((left + x, top + y) for x, y in points)
    return Layout(tuple(corners), ways, width, height)


def _connected(count: int, pairs: Sequence[tuple[int, int]]) -> list[_Part]:
    """Return the connected parts, the largest first, then in the order of their first boxes."""
    near: dict[int, list[int]] = defaultdict(list)
    for one, other in pairs:
        near[one].append(other)
        near[other].append(one)
    seen: set[int] = set()
    parts = []
    for start in range(count):
        if start in seen:
            continue
        seen.add(start)
        found, at = [start], 0
        while at < len(found):
            fresh = [each for each in dict.fromkeys(near[found[at]]) if each not in seen]
            seen.update(fresh)
            found += fresh
            at += 1
        parts.append(_Part(sorted(found)))
    return sorted(parts, key=lambda part: (-len(part.boxes), part.boxes[0]))


def _pack(parts: Sequence[_Part]) -> tuple[list[Point], float, float]:
    """Put parts on shelves of about one width."""
    area = sum((part.width + ACROSS) * (part.height + DOWN) for part in parts)
    limit = max([math.sqrt(area * _RATIO), *(part.width for part in parts)])
    places: list[Point] = []
    x = y = shelf = width = 0.0
    for part in parts:
        if x and x + part.width > limit:
            x, y, shelf = 0.0, y + shelf + 2 * DOWN, 0.0
        places.append((x, y))
        width, shelf = max(width, x + part.width), max(shelf, part.height)
        x += part.width + (ACROSS if len(part.boxes) > 1 else 2 * DOWN)
    return places, width, y + shelf


def _lay_out_part(part: _Part, sizes: Sequence[Point], pairs: Sequence[tuple[int, int]]) -> _Part:
    inside = set(part.boxes)
    own = [pair for pair in pairs if pair[0] in inside]
    edges = _without_cycles(part.boxes, own)
    ranks = _wrapped(_ranked(part.boxes, set(edges.values())), set(edges.values()), sizes)
    layers = Layers(ranks, sorted(set(edges.values())), [height for _, height in sizes])
    layers.order()
    layers.straighten()
    lefts, x = [], 0.0
    for rank in layers.ranks:
        wide = max(sizes[each][0] for each in rank if each in inside)
        lefts.append((x, x + wide))
        x += wide + ACROSS
    part.width = x - ACROSS
    tops = {box: layers.middle[box] - sizes[box][1] / 2 for box in part.boxes}
    passing = [layers.middle[each] for chain in layers.chains.values() for each in chain]
    top = min([*tops.values(), *passing])
    part.corners = {box: (lefts[layers.rank_of[box]][0], y - top) for box, y in tops.items()}
    lowest = max([*(tops[box] + sizes[box][1] for box in part.boxes), *passing])
    part.height = lowest - top
    for pair, edge in edges.items():
        points = tuple(
            (x, layers.middle[each] - top)
            for each in layers.chains[edge]
            for x in lefts[layers.rank_of[each]]
        )
        # A chain runs to the right, a way from child to parent.
        part.ways[pair] = points if edge == pair else points[::-1]
    return part


def _without_cycles(
    boxes: Sequence[int], pairs: Sequence[tuple[int, int]]
) -> dict[tuple[int, int], tuple[int, int]]:
    """Return for each pair an edge from left to right: from its parent, unless that is a cycle."""
    children: dict[int, list[int]] = defaultdict(list)
    for child, parent in pairs:
        children[parent].append(child)
    state: dict[int, int] = {}  # 1 while it is on the path, 2 when it is done
    edges: dict[tuple[int, int], tuple[int, int]] = {}
    leading = {child for child, _ in pairs}
    for start in sorted(boxes, key=lambda box: (box in leading, box)):
        stack = [(start, iter(children[start]))] if start not in state else []
        state.setdefault(start, 1)
        while stack:
            parent, rest = stack[-1]
            child = next(rest, -1)
            if child < 0:
                state[parent] = 2
                stack.pop()
                continue
            back = state.get(child) == 1
            edges[child, parent] = (child, parent) if back else (parent, child)
            if child not in state:
                state[child] = 1
                stack.append((child, iter(children[child])))
    return edges


def _ranked(boxes: Sequence[int], edges: set[tuple[int, int]]) -> list[list[int]]:
    """Give each box the rank after its last parent; those without one stand beside a child."""
    after: dict[int, list[int]] = defaultdict(list)
    waiting = dict.fromkeys(boxes, 0)
    for left, right in sorted(edges):
        after[left].append(right)
        waiting[right] += 1
    roots = [box for box in boxes if not waiting[box]]
    rank, ready = dict.fromkeys(boxes, 0), [*roots]
    for box in ready:
        for right in after[box]:
            rank[right] = max(rank[right], rank[box] + 1)
            waiting[right] -= 1
            if not waiting[right]:
                ready.append(right)
    for box in roots:
        rank[box] = min((rank[right] for right in after[box]), default=1) - 1
    ranks: list[list[int]] = [[] for _ in range(max(rank.values()) + 1)]
    for box in boxes:
        ranks[rank[box]].append(box)
    return ranks


def _wrapped(
    ranks: list[list[int]], edges: set[tuple[int, int]], sizes: Sequence[Point]
) -> list[list[int]]:
    """Split ranks that are too high: one table that fifty lead to would make a tower of them."""
    boxes = [box for rank in ranks for box in rank]
    area = sum((sizes[box][0] + ACROSS) * (sizes[box][1] + DOWN) for box in boxes)
    limit = max([math.sqrt(area / _RATIO), 600, *(sizes[box][1] for box in boxes)])
    leading = {left for left, _ in edges}
    wrapped: list[list[int]] = []
    for rank in ranks:
        high = math.inf
        # Those that others lead to come last: they stay beside them.
        for box in sorted(rank, key=lambda box: (box in leading, box)):
            if high + sizes[box][1] > limit:
                wrapped.append([])
                high = 0
            wrapped[-1].append(box)
            high += sizes[box][1] + DOWN
    return wrapped
