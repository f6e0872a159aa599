"""Settings of a cell: a key and a value a line, the value as it stands."""

from __future__ import annotations

import pytest

from core.notebooks.fields import read_fields


def test_a_value_is_all_that_stands_after_the_colon():
    fields = read_fields("type: select\noptions: SELECT a::INT, '# no: comment' FROM t\nNo: no\n")
    assert fields.values == {
        "type": "select",
        "options": "SELECT a::INT, '# no: comment' FROM t",
        "no": "no",
    }
    assert not fields.problems


def test_a_value_goes_on_where_lines_are_indented():
    fields = read_fields(
        "options:\n  SELECT 1\n\n  -- said\n  UNION SELECT 2\n# a remark\ntype: select"
    )
    assert fields.get("options") == "SELECT 1\n-- said\nUNION SELECT 2"
    assert fields.get("type") == "select"


def test_a_list_has_a_line_or_a_comma_for_each():
    fields = read_fields("options:\n  - one, two\n  - three\nmore: four, five ,")
    assert fields.several("options") == ("one, two", "three")
    assert fields.several("more") == ("four", "five")
    assert fields.several("none") == ()


def test_what_is_wrong_is_said_with_its_line():
    fields = read_fields("type: select\nnonsense\ntype: text")
    assert [(each.line, each.message) for each in fields.problems] == [
        (2, "'nonsense' is no setting."),
        (3, "type is given twice."),
    ]
    assert fields.get("type") == "select"


@pytest.mark.parametrize("sign", ["\v", "\f", "\u2028", "\x85"])
def test_only_a_line_feed_ends_a_line(sign):
    assert read_fields(f"title: a{sign}b\ntype: bar").values == {
        "title": f"a{sign}b",
        "type": "bar",
    }
