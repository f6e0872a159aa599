"""The text of a notebook: what is a cell, what is prose, and that nothing is ever lost."""

from __future__ import annotations

import random

import pytest

from core.notebooks.models import Cell
from core.notebooks.text import cell_text, parse

KINDS = ("sql", "python", "input")

LATE = """---
title: Late flights
tags: [delays, weather]
---
# Which carriers are late?

```input carrier
type: select
options: SELECT carrier FROM airlines ORDER BY 1
```
```sql delays hidden on=shop
SELECT month FROM flights
```

Some prose.

```sql
SELECT 2
```
"""


def shape(text: str) -> list[tuple[str, str, str]]:
    return [(cell.kind, cell.name, cell.body) for cell in parse(text, KINDS).cells]


def test_a_notebook_is_front_matter_prose_and_cells():
    notebook = parse(LATE, KINDS)
    assert notebook.title == "Late flights"
    assert notebook.facts == {"title": "Late flights", "tags": "[delays, weather]"}
    kinds = [(cell.kind, cell.name, cell.line, dict(cell.flags)) for cell in notebook.cells]
    assert kinds == [
        ("markdown", "", 5, {}),
        ("input", "carrier", 8, {}),
        ("sql", "delays", 12, {"hidden": "", "on": "shop"}),
        ("markdown", "", 15, {}),
        ("sql", "", 18, {}),
    ]
    assert notebook.cells[2].body == "SELECT month FROM flights"
    assert notebook.text == LATE


# text -> kind, name and body of each cell
SHAPES = {
    "": [],
    "\n\n": [],
    "Only prose.": [("markdown", "", "Only prose.")],
    "```sql a\nSELECT 1": [("sql", "a", "SELECT 1")],  # never closed: to the end
    "```sql a\n```": [("sql", "a", "")],
    "```sql a\r\nSELECT 1\r\n```\r\n": [("sql", "a", "SELECT 1")],
    "\t```sql a\nx\n```": [("markdown", "", "```sql a\nx\n```")],  # a tab in front: code
    "````sql a\n```\nx\n````": [("sql", "a", "```\nx")],  # a fence inside a fence
    "~~~sql a\nSELECT 1\n~~~": [("markdown", "", "~~~sql a\nSELECT 1\n~~~")],
    "~~~\n```sql a\n```\n~~~": [("markdown", "", "~~~\n```sql a\n```\n~~~")],
    "```bash\nls\n```": [("markdown", "", "```bash\nls\n```")],
    "```json title=\"x\"\n1\n```": [("markdown", "", "```json title=\"x\"\n1\n```")],
    "```poem roses\nred\n```": [("poem", "roses", "red")],  # an unknown kind is kept as such
    "```sql hidden\nSELECT 1\n```": [("sql", "", "SELECT 1")],  # a flag is no name
    "```sql two words\nSELECT 1\n```": [("sql", "two", "SELECT 1")],
    "```markdown x\ny\n```": [("markdown", "", "```markdown x\ny\n```")],
    "---\ntitle: never ended\n": [("markdown", "", "---\ntitle: never ended")],
    "text\n---\nmore": [("markdown", "", "text\n---\nmore")],
    "\ufeff---\ntitle: BOM\n---\nx": [("markdown", "", "x")],
    "a `` ``` `` b": [("markdown", "", "a `` ``` `` b")],
}  # fmt: skip


@pytest.mark.parametrize("text", SHAPES)
def test_a_text_has_these_cells_and_comes_back_as_it_was(text):
    assert shape(text) == SHAPES[text]
    assert parse(text, KINDS).text == text


def test_any_text_comes_back_byte_for_byte():
    pieces = [
        "```sql a\n",
        "```\n",
        "~~~\n",
        "````python b\n",
        "````\n",
        "---\n",
        "\n",
        "\r\n",
        "x\n",
    ]
    pieces += [
        "```bash\n",
        "```sql `x`\n",
        "   ```\n",
        "    ```\n",
        "\t",
        "é",
        "\ufeff",
        "title: x\n",
    ]
    dice = random.Random(20)
    for _ in range(20_000):
        text = "".join(dice.choices(pieces, k=dice.randint(0, 14)))
        assert parse(text, KINDS).text == text


def test_what_is_written_is_read_again():
    bodies = ("SELECT 1", "```\nx\n```", "````\n~~~\n", "é\n\n\n  indented", "")
    for body in bodies:
        for flags in ({}, {"hidden": "", "on": "shop"}):
            (cell,) = parse(cell_text("sql", "a", body, flags), KINDS).cells
            assert (cell.name, cell.body, dict(cell.flags)) == ("a", body.rstrip(), flags)


def test_a_large_notebook_is_read_in_one_go():
    text = "".join(cell_text("sql", f"c{at}", f"SELECT {at}") for at in range(10_000))
    notebook = parse(text, KINDS)
    assert len(notebook.cells) == 10_000
    assert notebook.text == text
    long = parse(f"```sql a\n{'x' * 1_000_000}\n```\n", KINDS)
    assert len(long.cells[0].body) == 1_000_000


def test_a_title_is_the_first_heading_where_none_is_given():
    assert parse("Text\n\n## What *we* know\n", KINDS).title == "What *we* know"
    assert parse("---\ntitle: 'Quoted: yes'\n---\n# Other", KINDS).title == "Quoted: yes"
    assert parse("Text", KINDS).title == ""


def test_a_cell_says_whether_it_runs():
    assert Cell("sql", "a", "", "", flags={"disabled": ""}).disabled
    assert not Cell("sql", "a", "", "").disabled
