"""The main way through the query page: write with completion, run, look at it from each side."""

from __future__ import annotations

import re
from urllib.parse import quote

import pytest
from playwright.sync_api import expect

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]


def test_from_the_first_page_to_rows_with_a_completed_column(screen):
    screen.open("/")
    screen.button("New query").click()
    screen.page.wait_for_url("**/query**")
    screen.settle()
    screen.write("SELECT  FROM aviation.airlines ORDER BY carrier")
    for _ in range(len(" FROM aviation.airlines ORDER BY carrier")):
        screen.page.keyboard.press("ArrowLeft")
    screen.page.keyboard.type("na")
    chosen = screen.page.locator(".cm-tooltip-autocomplete li[aria-selected]")
    expect(chosen).to_contain_text("name")
    screen.shot("completion")
    screen.page.keyboard.press("Enter")
    assert screen.text == "SELECT name FROM aviation.airlines ORDER BY carrier"
    screen.page.keyboard.press("Control+Enter")
    screen.facts("16 rows · 1 column")
    expect(screen.cell(0, 0)).to_have_text("Endeavor Air Inc.")


def test_a_macro_is_completed_once_it_is_made(screen):
    screen.open("/query")
    screen.run("CREATE OR REPLACE MACRO as_percent(part, whole) AS 100 * part / whole")
    expect(screen.page.get_by_text("Done: 1 statement")).to_be_visible()
    screen.settle()
    screen.write("SELECT as_p")
    chosen = screen.page.locator(".cm-tooltip-autocomplete li[aria-selected]")
    expect(chosen).to_have_text("as_percent(part, whole)")
    chosen.click()
    assert screen.text == "SELECT as_percent()"


def test_a_table_stands_in_the_tree_once_it_is_made(screen):
    screen.open("/query")
    screen.run("CREATE OR REPLACE TABLE kept_for_later AS SELECT 1 AS a")
    tree = screen.page.get_by_test_id("stSidebar")
    expect(tree.get_by_text("kept_for_later")).to_be_visible()
    screen.run("DROP TABLE kept_for_later")
    expect(tree.get_by_text("kept_for_later")).to_have_count(0)


def test_a_million_rows_scroll_sort_and_filter_in_the_engine(screen):
    screen.open("/query")
    screen.run("SELECT range AS n, range % 7 AS week FROM range(1000000)")
    screen.facts("1,000,000 rows")
    viewport = screen.page.locator(".slick-viewport-top.slick-viewport-left")
    viewport.evaluate("node => { node.scrollTop = node.scrollHeight }")
    expect(screen.cell(999_999, 0)).to_have_text("999999")
    screen.header("n").click()
    expect(screen.header("n")).to_have_attribute("aria-sort", "ascending")
    screen.header("n").click()
    expect(screen.header("n")).to_have_attribute("aria-sort", "descending")
    expect(screen.cell(0, 0)).to_have_text("999999")
    screen.button("Filter week").click()
    screen.page.get_by_label("Condition").select_option("=")
    screen.page.get_by_label("Value for week").fill("3")
    screen.page.keyboard.press("Enter")
    expect(screen.page.locator(".mp-count")).to_have_text("142,857 of 1,000,000 rows match")
    expect(screen.cell(0, 0)).to_have_text("999995")
    screen.button("Clear filters").click()
    expect(screen.page.locator(".mp-count")).to_have_text("1,000,000 rows")


def test_chart_summary_and_plan_show_the_same_result(screen):
    screen.open("/query")
    screen.run("SELECT carrier, month, count(*) AS flights FROM flights GROUP BY ALL")
    screen.facts("185 rows · 3 columns")
    screen.view("Chart")
    expect(screen.page.locator(".js-plotly-plot .main-svg").first).to_be_visible()
    expect(screen.page.locator(".xtitle")).not_to_be_empty()
    screen.shot("chart")
    screen.view("Summary")
    expect(screen.page.get_by_label("Most frequent values of")).to_be_visible()
    expect(screen.page.get_by_test_id("stDataFrame").first).to_be_visible()
    screen.view("Plan")
    toggle = screen.page.get_by_text("Run it again, and measure each step")
    expect(toggle).to_be_visible()
    toggle.click()
    screen.settle()
    expect(screen.page.get_by_test_id("stDataFrame")).to_be_visible()
    expect(screen.error).to_have_count(0)
    screen.view("Rows")
    expect(screen.cell(0, 0)).to_be_visible()


def test_a_download_holds_every_row_in_the_order_on_screen(screen, tmp_path):
    screen.open("/query")
    screen.run("SELECT range AS n FROM range(123457)")
    screen.facts("123,457 rows")
    screen.header("n").click()
    screen.header("n").click()
    expect(screen.cell(0, 0)).to_have_text("123456")
    screen.button("Download").click()
    with screen.page.expect_download() as download:
        screen.page.get_by_role("link", name="CSV").click()
    file = tmp_path / "rows.csv"
    download.value.save_as(file)
    lines = file.read_text(encoding="utf-8").splitlines()
    assert lines[:2] == ["n", "123456"]
    assert len(lines) == 1 + 123_457


def test_an_error_is_underlined_where_it_is_and_said_in_words(screen):
    screen.open("/query")
    screen.run("SELECT 1 AS one;\nSELECT carier\nFROM flights")
    expect(screen.error).to_contain_text("carier")
    expect(screen.error).to_contain_text("line 1, column 8")
    expect(screen.page.locator(".cm-lintRange-error")).to_have_text("carier")
    screen.run("SELECT carrier FROM flights LIMIT 5")
    screen.facts("5 rows")
    expect(screen.page.locator(".cm-lintRange-error")).to_have_count(0)
    expect(screen.error).to_have_count(0)


def test_all_statements_run_and_each_result_can_be_chosen(screen):
    screen.open("/query")
    screen.write("SELECT 'first' AS a;\nSELECT 'second' AS b")
    screen.button("Run all").click()
    expect(screen.cell(0, 0)).to_have_text("second")
    screen.button("Statement 1").or_(screen.page.get_by_role("radio", name="Statement 1")).click()
    expect(screen.cell(0, 0)).to_have_text("first")


def test_parameters_get_widgets_and_their_values_are_bound(screen):
    screen.open("/query")
    screen.write("SELECT $who AS who, $many + 1 AS more")
    who = screen.page.get_by_label("$who", exact=True)
    expect(who).to_be_visible()
    who.fill("o'brien; --")
    screen.page.get_by_label("$many", exact=True).fill("41")
    screen.page.keyboard.press("Tab")
    screen.settle()
    screen.button("Run all").click()
    expect(screen.cell(0, 0)).to_have_text("o'brien; --")
    expect(screen.cell(0, 1)).to_have_text("42")
    screen.write("SELECT 1 AS plain")
    expect(who).to_have_count(0)


def test_a_run_right_after_typing_asks_for_its_parameters(screen):
    screen.open("/query")
    screen.run("SELECT $quick AS quick")
    expect(screen.error).to_contain_text("quick")
    screen.page.get_by_label("$quick", exact=True).fill("7")
    screen.page.keyboard.press("Tab")
    screen.settle()
    screen.button("Run all").click()
    expect(screen.cell(0, 0)).to_have_text("7")


def test_a_link_with_sql_fills_the_editor_and_runs_nothing(screen):
    sql = "CREATE TABLE by_link AS SELECT 1"
    screen.open(f"/query?sql={quote(sql)}")
    expect(screen.editor).to_contain_text(sql)
    screen.facts("The result appears here")
    assert "sql=" not in screen.page.url
    screen.run("SELECT count(*) AS n FROM duckdb_tables() WHERE table_name = 'by_link'")
    screen.facts("1 row")
    expect(screen.cell(0, 0)).to_have_text("0")


def test_a_saved_query_opens_by_its_link_and_history_finds_the_run(screen, visit):
    screen.open("/query")
    screen.write("SELECT 'heron' AS bird, $n AS n")
    screen.page.get_by_label("$n", exact=True).fill("3")
    screen.page.keyboard.press("Tab")
    screen.settle()
    screen.button("Run all").click()
    expect(screen.cell(0, 1)).to_have_text("3")
    screen.button("Save").click()
    screen.page.get_by_label("Name", exact=True).fill("Herons")
    screen.page.get_by_role("textbox", name="Tags").fill("birds, water")
    screen.page.get_by_test_id("stFormSubmitButton").get_by_role("button").click()
    expect(screen.page.get_by_test_id("stToast")).to_contain_text("Herons")
    screen.page.wait_for_url(re.compile(r"query=\w+"))
    identity = re.search(r"query=([\w-]+)", screen.page.url)[1]

    other = visit()
    other.open(f"/query?query={identity}")
    expect(other.editor).to_contain_text("'heron'")
    expect(other.page.get_by_label("$n", exact=True)).to_have_value("3")

    other.open("/history")
    other.page.get_by_role("textbox", name="Search").fill("heron")
    other.page.keyboard.press("Enter")
    expect(other.table_cell("SELECT 'heron' AS bird")).to_have_count(1)
    other.page.get_by_role("textbox", name="Search").fill("nothing is called so")
    other.page.keyboard.press("Enter")
    expect(other.page.get_by_text("No query fits.")).to_be_visible()
    other.page.get_by_role("radio", name="Saved queries").click()
    expect(other.page.get_by_text("Herons")).to_be_visible()
    other.button("Open").click()
    expect(other.editor).to_contain_text("'heron'")


def test_the_tree_puts_a_table_into_the_editor(screen):
    screen.open("/query")
    screen.page.get_by_label("Search tables and columns").fill("routes")
    screen.button("Query aviation.routes").click()
    expect(screen.editor).to_contain_text("SELECT * FROM aviation.routes LIMIT 1000")


def test_two_tabs_do_not_disturb_each_other(screen, visit):
    other = visit()
    screen.open("/query")
    other.open("/query")
    screen.run("SELECT 'mine' AS whose")
    other.run("SELECT 'yours' AS whose")
    expect(screen.cell(0, 0)).to_have_text("mine")
    expect(other.cell(0, 0)).to_have_text("yours")
    screen.page.reload()
    screen.settle()
    expect(screen.cell(0, 0)).to_have_text("mine")
    assert screen.text == "SELECT 'mine' AS whose"


def test_new_gives_an_empty_editor(screen):
    screen.open("/query")
    screen.run("SELECT 'old' AS which")
    expect(screen.cell(0, 0)).to_have_text("old")
    screen.button("New").click()
    screen.facts("The result appears here")
    expect(screen.page.locator(".cm-placeholder")).to_be_visible()
    screen.run("SELECT 'new' AS which")
    expect(screen.cell(0, 0)).to_have_text("new")
