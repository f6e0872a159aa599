"""The connections page: upload with a report of bad rows, query, break, mend, remove, allow."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]

# Line 4 has a word where every other line has a number, far enough from the top to be a surprise.
BAD_ROWS = "id,name,weight\n" + "".join(f"{n},bird{n},{n}.5\n" for n in range(1, 30_000))
BAD_ROWS += "30000,bird30000,heavy\n30001,bird30001\n30002,bird30002,1.5\n"


def test_a_csv_with_bad_rows_is_reported_queried_and_removed(screen, tmp_path):
    file = tmp_path / "birds.csv"
    file.write_text(BAD_ROWS, encoding="utf-8")
    screen.open("/connections")
    screen.page.get_by_role("tab", name="Upload a file").click()
    screen.page.locator("input[type=file]").set_input_files(file)
    expect(screen.page.get_by_label("Name in SQL")).to_have_value("birds")
    screen.page.get_by_role("tabpanel").get_by_role("button", name="Add", exact=True).click()
    expect(screen.page.get_by_text("birds can be queried as birds.")).to_be_visible()
    expect(screen.page.get_by_text(re.compile(r"\d rows? could not be read"))).to_be_visible()
    expect(screen.table_cell(re.compile("^30001$"))).not_to_have_count(0)
    screen.shot("rejected-rows")
    screen.button("Query it").click()
    expect(screen.editor).to_contain_text("FROM birds")
    screen.run("SELECT sum(weight) AS refused FROM birds")
    expect(screen.error).to_contain_text("30001")

    screen.page.get_by_role("link", name="Connections").click()
    screen.button("Leave these rows out").click()
    expect(screen.page.get_by_test_id("stToast")).to_contain_text("without its bad rows")
    screen.open("/query")
    screen.run("SELECT max(id) AS last, count(weight) AS weights FROM birds")
    expect(screen.cell(0, 0)).to_have_text("30002")
    expect(screen.cell(0, 1)).to_have_text("30000")

    screen.open("/connections")
    remove(screen, "birds")
    expect(screen.page.get_by_test_id("stToast")).to_contain_text("birds was removed")
    expect(source(screen, "birds")).to_have_count(0)
    screen.open("/query")
    screen.run("SELECT * FROM birds")
    expect(screen.error).to_contain_text("birds")


def added_by_path(screen, file) -> None:
    """Add a file that lies on this machine, as a source named like it."""
    screen.open("/connections")
    screen.page.get_by_role("tab", name="A file or folder here").click()
    screen.page.get_by_role("textbox", name="Path").fill(str(file))
    screen.page.keyboard.press("Enter")
    screen.page.get_by_role("tabpanel").get_by_role("button", name="Add", exact=True).click()
    expect(screen.page.get_by_text(f"{file.stem} can be queried as {file.stem}.")).to_be_visible()


def test_a_file_added_by_path_and_deleted_is_named_by_the_error(screen, app):
    file = app.folder / "ponds.csv"
    file.write_text("pond,depth\nmill,3\n", encoding="utf-8")
    added_by_path(screen, file)
    screen.open("/query")
    screen.run("SELECT depth FROM ponds")
    expect(screen.cell(0, 0)).to_have_text("3")
    file.unlink()
    screen.run("SELECT depth FROM ponds")
    expect(screen.error).to_contain_text("ponds.csv")
    screen.open("/connections")
    remove(screen, "ponds")
    expect(source(screen, "ponds")).to_have_count(0)


def test_a_file_that_was_replaced_is_read_anew(screen, app):
    file = app.folder / "lakes.csv"
    file.write_text("lake,depth\ntarn,3\n", encoding="utf-8")
    added_by_path(screen, file)
    newer = app.folder / "lakes.csv.new"
    newer.write_text("lake,depth\ntarn,4\n", encoding="utf-8")
    newer.replace(file)
    screen.open("/query")
    screen.run("SELECT depth FROM lakes")
    expect(screen.cell(0, 0).or_(screen.error)).to_be_visible()
    expect(screen.error).to_have_count(0, timeout=1_000)
    expect(screen.cell(0, 0)).to_have_text("4")
    screen.open("/connections")
    remove(screen, "lakes")
    expect(source(screen, "lakes")).to_have_count(0)


def test_a_refused_folder_can_be_allowed_from_the_error(screen, tmp_path_factory):
    outside = tmp_path_factory.mktemp("outside")
    (outside / "far.csv").write_text("a\n42\n", encoding="utf-8")
    sql = f"SELECT a FROM read_csv('{outside}/far.csv')"
    screen.open("/query")
    screen.run(sql)
    allow = screen.button(f"Allow {outside}")
    expect(allow).to_be_visible()
    screen.shot("refused")
    allow.click()
    expect(screen.page.get_by_test_id("stToast")).to_contain_text("may be read now")
    screen.run(sql)
    expect(screen.cell(0, 0)).to_have_text("42")


def source(screen, alias: str):
    """Return the box of one source on the page."""
    boxes = screen.page.locator("[data-testid=stVerticalBlock]")
    named = boxes.filter(has=screen.page.locator("strong").get_by_text(alias, exact=True))
    return named.filter(has=screen.button("More")).last


def remove(screen, alias: str) -> None:
    """Take a source away, by what its row has behind More."""
    source(screen, alias).get_by_role("button", name="More").click()
    screen.button("Remove").click()
