"""Where boxes stand: never upon each other, whatever leads to what."""

from __future__ import annotations

import random
from itertools import combinations

import pytest

from core.catalog.erd.layout import lay_out

CASES = {
    "nothing": (0, []),
    "one": (1, []),
    "itself": (1, [(0, 0)]),
    "a pair": (2, [(1, 0)]),
    "two keys between the same": (2, [(1, 0), (1, 0)]),
    "a cycle of two": (2, [(0, 1), (1, 0)]),
    "a cycle of three": (3, [(0, 1), (1, 2), (2, 0)]),
    "a diamond": (4, [(1, 0), (2, 0), (3, 1), (3, 2)]),
    "a long way round": (4, [(1, 0), (2, 1), (3, 2), (3, 0)]),
    "three parts": (5, [(1, 0), (3, 2)]),
    "sixty that lead to one": (61, [(at, 0) for at in range(1, 61)]),
    "a chain of a thousand": (1000, [(at, at - 1) for at in range(1, 1000)]),
    "whatever": (
        80,
        [(random.Random(at).randrange(80), random.Random(-at).randrange(80)) for at in range(120)],
    ),
}


def sizes(count: int) -> list[tuple[float, float]]:
    chance = random.Random(7)
    return [(chance.randint(120, 260), chance.randint(28, 400)) for _ in range(count)]


@pytest.mark.parametrize(("count", "edges"), CASES.values(), ids=CASES)
def test_no_box_stands_upon_another_or_outside(count, edges):
    boxes = sizes(count)
    layout = lay_out(boxes, edges)
    places = [(x, y, x + w, y + h) for (x, y), (w, h) in zip(layout.corners, boxes, strict=True)]
    for left, top, right, low in places:
        assert min(left, top) > -0.01
        assert right < layout.width + 0.01
        assert low < layout.height + 0.01
    for one, other in combinations(places, 2):
        beside = one[2] <= other[0] or other[2] <= one[0]
        assert beside or one[3] <= other[1] + 0.01 or other[3] <= one[1] + 0.01


@pytest.mark.parametrize(("count", "edges"), CASES.values(), ids=CASES)
def test_the_same_is_drawn_the_same(count, edges):
    assert lay_out(sizes(count), edges) == lay_out(sizes(count), edges)


def test_a_parent_stands_left_of_what_leads_to_it():
    layout = lay_out([(100, 50)] * 4, CASES["a long way round"][1])
    lefts = [x for x, _ in layout.corners]
    assert lefts == sorted(lefts)
    assert len(set(lefts)) == 4


def test_a_long_line_passes_no_box():
    boxes = sizes(4)
    layout = lay_out(boxes, CASES["a long way round"][1])
    way = layout.ways[3, 0]
    assert [x for x, _ in way] == sorted((x for x, _ in way), reverse=True)  # from child to parent
    for at in (1, 2):
        x, y = layout.corners[at]
        inside = [p for p in way if x <= p[0] <= x + boxes[at][0]]
        assert inside
        assert all(not y <= high <= y + boxes[at][1] for _, high in inside)


def test_many_that_lead_to_one_do_not_make_a_tower():
    layout = lay_out([(160, 70)] * 61, CASES["sixty that lead to one"][1])
    assert 0.5 < layout.width / layout.height < 3
