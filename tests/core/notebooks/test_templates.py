"""Holes in prose: what is one, what is code, and that no text takes long."""

from __future__ import annotations

import pytest

from core.notebooks.templates import holes, template_names

# text -> what stands in its holes, with the line
TEXTS = {
    "none": [],
    "{{ a }} and {{b}}": [("a", 1), ("b", 1)],
    "one\n\n{{ a\n+ 1 }}\n{{ b }}": [("a\n+ 1", 3), ("b", 5)],
    "`{{ a }}` {{ b }}": [("b", 1)],
    "``{{ a }} ` {{ b }}`` {{ c }}": [("c", 1)],
    "` {{ a }}": [("a", 1)],  # a backtick that nothing closes is one
    "~~~\n{{ a }}\n~~~\n{{ b }}": [("b", 4)],
    "```text\n{{ a }}": [],  # never closed: code to the end
    "{{ a": [],
    "a }} b": [],
}


@pytest.mark.parametrize("text", TEXTS)
def test_a_text_has_these_holes(text):
    assert [*holes(text)] == TEXTS[text]


def test_what_a_hole_reads_and_what_is_wrong_in_it():
    found = template_names("{{ a.height + b }}\n{{ SELECT max(n) FROM c WHERE m = $d }}")
    assert (found.reads, found.tables) == ({"a", "b", "d"}, {"c"})
    found = template_names("fine\n{{ a + }}\n{{ (x := 1) }}")
    assert [each.line for each in found.problems] == [2, 3]


HOSTILE = ["{{" * 200_000, "{{ a " * 50_000, "`" * 400_000, "`a``" * 100_000]
HOSTILE += [" ".join("`" * at for at in range(1, 800)), "```\nx\n~~~\n" * 20_000]


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
@pytest.mark.timeout(20)
def test_no_text_takes_longer_than_it_is_long(text):
    # A pattern that goes back took minutes for each of these: what tells is the limit above.
    assert [*holes(text)] == []
