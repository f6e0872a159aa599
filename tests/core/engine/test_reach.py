"""What lies inside the places that SQL may touch."""

from __future__ import annotations

import pytest

from core.engine.reach import Reach, inside

CASES = [
    ("/data", True),  # the place itself
    ("/data/a.csv", True),
    ("/data/deep/b.csv", True),
    ("/database", False),  # begins alike, lies elsewhere
    ("/", False),
    ("/one.csv", True),  # a place may be a file
    ("/one.csv.bak", False),
]


@pytest.mark.parametrize(("path", "expected"), CASES)
def test_a_path_is_inside_the_places_it_lies_below(path, expected):
    assert inside(path, ("/data/", "/one.csv")) is expected


def test_the_root_holds_everything():
    assert inside("/etc/passwd", ("/",))


def test_what_may_be_written_may_be_read():
    assert Reach(read=("/a",), write=("/b",), listed=("/c",)).readable == ("/a", "/b")
