"""Schemas as people know them, in the manner of Chinook and Pagila, looked at as diagrams."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import expect

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]

SCHEMAS = Path(__file__).resolve().parents[1] / "schemas"
LOOKS = [("light", 1400), ("dark", 1400), ("light", 390)]

# Boxes of tables that lie on one another, and boxes out of the drawing.
COLLIDE = """(svg) => {
  const boxes = [...svg.querySelectorAll("g.table")].map(
    (each) => [each.querySelector("title").textContent, each.querySelector("rect").getBBox()]);
  const found = [];
  for (const [at, [name, a]] of boxes.entries())
    for (const [other, b] of boxes.slice(at + 1))
      if (a.x < b.x + b.width && b.x < a.x + a.width
          && a.y < b.y + b.height && b.y < a.y + a.height)
        found.push(`${name} on ${other}`);
  return found;
}"""


@pytest.fixture(scope="module", params=["record_shop", "film_rental"])
def schema(app, request):
    """Add one of the schemas as a source; gives its name, its tables and how many keys lead on."""
    name = request.param
    file = app.folder / f"{name}.sqlite"
    script = (SCHEMAS / f"{name}.sql").read_text(encoding="utf-8")
    with closing(sqlite3.connect(file)) as con:
        con.executescript(script)
        rows = con.execute("SELECT name FROM sqlite_master WHERE type IN ('table', 'view')")
        tables = [each for (each,) in rows if not each.startswith("sqlite_")]
        keys = sum(
            len({key for key, *_ in con.execute(f'PRAGMA foreign_key_list("{each}")')})
            for each in tables
        )
    source = {"alias": name, "connector": "sqlite", "options": {"path": str(file)}}
    with httpx.Client(base_url=f"{app.url}/api/v1", timeout=60) as http:
        assert http.post("/connections", json=source).status_code == 201
        yield name, tables, keys
        http.delete(f"/connections/{name}").raise_for_status()


@pytest.mark.parametrize(("scheme", "width"), LOOKS)
def test_its_diagram_has_every_table_and_key_and_nothing_lies_on_another(
    visit, schema, scheme, width
):
    name, tables, keys = schema
    screen = visit(width=width, color_scheme=scheme)
    screen.open(f"/schema?diagram={name}")
    svg = screen.page.locator("svg:has(g.table)")
    expect(svg.locator("g.table")).to_have_count(len(tables))
    expect(svg.locator("g.relation")).to_have_count(keys)
    titles = svg.locator("g.table > title").all_text_contents()
    assert {each.partition(":")[0].rpartition(".")[2].strip('"') for each in titles} == {*tables}
    assert svg.evaluate(COLLIDE) == []
    screen.page.mouse.move(1, 1)
    screen.settle()


def test_a_table_of_the_diagram_opens_its_page_and_is_described(visit, schema):
    name, tables, _ = schema
    screen = visit()
    screen.open(f"/schema?diagram={name}")
    table = min(each for each in tables if each.lower().startswith("c"))
    pressed = screen.page.locator("g.table").filter(
        has=screen.page.locator("title", has_text=re.compile(rf"\b{table}\b"))
    )
    pressed.first.click()
    expect(screen.page.get_by_role("heading", name=table, exact=True)).to_be_visible()
    screen.button("Describe").click()
    screen.page.get_by_label("Comment", exact=True).fill("Who **pays**; ask before you mail.")
    screen.page.get_by_label("Owner", exact=True).fill("Sales")
    screen.page.get_by_test_id("stFormSubmitButton").get_by_role("button").click()
    said = screen.page.locator("p", has_text="ask before you mail")  # not the form's own field
    expect(said).to_be_visible()
    screen.page.reload()
    screen.settle()
    expect(said).to_be_visible()
    screen.open("/schema")
    screen.page.get_by_role("searchbox", name="Search").fill("ask before you mail")
    screen.page.keyboard.press("Enter")
    expect(screen.page.get_by_text(table, exact=True).first).to_be_visible()
