"""Everything by keyboard, everything on a phone, everything for a screen reader."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]

LEVELS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]

# What Streamlit draws and no page of ours can change: (rule, what its HTML has) -> the reason.
# docs/accessibility.md tells the same to people; a test here keeps the two alike.
EXCEPTIONS = {
    ("target-size", 'aria-label="Clear all"'): (
        "The cross that empties a list of choices is 21 px wide; Backspace does the same."
    ),
}

ROWS = "SELECT carrier, month, distance FROM flights LIMIT 5000"
# Name -> address, SQL to run there, view of the result to choose.
PAGES = {
    "home": ("/", None, None),
    "connections": ("/connections", None, None),
    "schema": ("/schema", None, None),
    "table": ("/schema?table=flights", None, None),
    "history": ("/history", None, None),
    "jobs": ("/jobs", None, None),
    "notifications": ("/notifications", None, None),
    "query": ("/query", None, None),
    "rows": ("/query", ROWS, "Rows"),
    "chart": ("/query", ROWS, "Chart"),
    "summary": ("/query", ROWS, "Summary"),
    "plan": ("/query", ROWS, "Plan"),
    "error": ("/query", "SELECT carier FROM flights", None),
}
LAST = {
    "/": "weather",
    "/connections": "Connect to PostgreSQL",
    "/schema": "columns",
    "/schema?table=flights": "Definition",
    "/history": "Runs",
    "/jobs": "Next runs",
    "/notifications": "What is sent appears here",
    "/query": "Keys",
}
"""Words at the end of each page: when they are there, the page is."""

# The shell's own style has come, and nothing fades: half of a fade has half the contrast.
STEADY = """() =>
  [...document.querySelectorAll("style")].some(one => one.textContent.includes("data-testid=stTab"))
  && document.getAnimations().every(one => one.playState === "finished"
    || one.effect.getComputedTiming().iterations === Infinity)"""
VIEW_SHOWN = {
    "Rows": ".slick-row",
    "Chart": ".js-plotly-plot .main-svg",
    "Summary": "[data-testid=stDataFrame]",
    "Plan": "[data-testid=stDataFrame]",
}


def shown(screen, name: str) -> None:
    """Bring one page into one state."""
    path, sql, view = PAGES[name]
    screen.open(path)
    expect(screen.page.get_by_test_id("stMain").get_by_text(LAST[path]).last).to_be_visible()
    if sql:
        screen.run(sql)
    if view:
        screen.facts("5,000 rows")
        screen.view(view)
        expect(screen.page.locator(VIEW_SHOWN[view]).first).to_be_visible()
    elif sql:
        expect(screen.error).to_be_visible()
    screen.settle()


def is_excepted(rule: str, html: str) -> bool:
    return any(rule == name and mark in html for name, mark in EXCEPTIONS)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_nothing_on_a_page(visit, name, scheme):
    screen = visit(color_scheme=scheme)
    shown(screen, name)
    screen.page.wait_for_function(STEADY)
    options = {"runOnly": {"type": "tag", "values": LEVELS}}
    found = Axe().run(screen.page, options=options).response
    assert len(found["passes"]) > 10, "axe looked at nothing"
    wrong = [
        f"{violation['id']}: {node['html'][:300]}  {node['failureSummary']}"
        for violation in found["violations"]
        for node in violation["nodes"]
        if not is_excepted(violation["id"], node["html"])
    ]
    assert not wrong, "\n".join(wrong)


def test_the_exceptions_are_told_to_people():
    told = Path(__file__).resolve().parents[2] / "docs" / "accessibility.md"
    text = told.read_text(encoding="utf-8")
    for (rule, _), reason in EXCEPTIONS.items():
        assert f"`{rule}`" in text
        assert reason in text.replace("\n", " ")


def focused(screen) -> str:
    """Name what has the focus, also inside components: its label, else its icon and text."""
    return screen.page.evaluate(
        """() => {
          let node = document.activeElement;
          while (node?.shadowRoot?.activeElement) node = node.shadowRoot.activeElement;
          const named = node?.getAttribute("aria-label") || node?.getAttribute("placeholder");
          return (named || node?.innerText || node?.className || "").trim().replace(/\\n/g, " ");
        }"""
    )


def tab_to(screen, name: str, key: str = "Tab", most: int = 60) -> list[str]:
    """Press Tab until the named element has the focus; return what was passed on the way."""
    passed: list[str] = []
    for _ in range(most):
        screen.page.keyboard.press(key)
        passed.append(focused(screen))
        if re.search(name, passed[-1]):
            return passed
    raise AssertionError(f"{name} is out of the keyboard's reach; it reached {passed}")


def test_a_query_is_written_run_sorted_and_charted_without_a_mouse(screen):
    screen.open("/")
    tab_to(screen, "Query$")
    screen.page.keyboard.press("Enter")
    screen.page.wait_for_url("**/query**")
    screen.settle()
    passed = tab_to(screen, "SQL editor")
    for name in ("Query aviation.airlines", "Run all", "New", "Save", "Open", "Keys"):
        assert any(name in each for each in passed), name
    screen.page.keyboard.insert_text("SELECT carrier, name FROM aviation.airlines")
    screen.page.keyboard.press("Control+Enter")
    screen.facts("16 rows")
    screen.page.keyboard.press("Escape")
    tab_to(screen, "Rows$")
    tab_to(screen, "Search all columns")
    tab_to(screen, "Download$")
    tab_to(screen, "^carrier")
    screen.page.keyboard.press("Enter")
    screen.page.keyboard.press("Enter")
    expect(screen.cell(0, 0)).to_have_text("YV")
    screen.page.keyboard.press("Alt+ArrowDown")
    expect(screen.page.get_by_label("Value for carrier")).to_be_focused()
    screen.page.keyboard.type("U")
    screen.page.keyboard.press("Enter")
    expect(screen.page.locator(".mp-count")).to_contain_text("2 of 16 rows match")
    screen.page.keyboard.press("ArrowDown")
    expect(screen.cell(0, 0)).to_be_focused()
    # Into a group leads its first, its last, or what of it had the focus before.
    at = tab_to(screen, "(Rows|Plan)$", key="Shift+Tab")[-1]
    tab_to(screen, "Chart$", key="ArrowRight" if at.endswith("Rows") else "ArrowLeft")
    screen.page.keyboard.press("Space")
    expect(screen.page.locator(".js-plotly-plot .main-svg").first).to_be_visible()


def test_sources_and_history_are_in_the_keyboards_reach(screen):
    shown(screen, "connections")
    expect(screen.button("More")).to_have_count(3)
    passed = tab_to(screen, "^Connect to PostgreSQL$")
    assert passed.count("Look again") == 3
    assert "A database or service" in passed
    screen.open("/history")
    tab_to(screen, "Runs$")
    tab_to(screen, "Search")
    screen.open("/")
    expect(screen.button("History")).to_be_visible()
    screen.settle()
    screen.page.keyboard.press("Alt+h")
    screen.page.wait_for_url("**/history**")


@pytest.mark.parametrize("name", PAGES)
def test_a_phone_never_scrolls_the_page_sideways(visit, name):
    screen = visit(390, 844, has_touch=True, is_mobile=True)
    shown(screen, name)
    wide = screen.page.evaluate("document.documentElement.scrollWidth")
    inner = screen.page.get_by_test_id("stMain").evaluate("node => node.scrollWidth")
    assert (wide, inner) == (390, 390)


def test_a_phone_runs_a_query_by_touch(visit):
    screen = visit(390, 844, has_touch=True, is_mobile=True)
    screen.open("/query")
    screen.editor.tap()
    screen.page.keyboard.insert_text("SELECT 'touched' AS how")
    screen.button("Run all").tap()
    expect(screen.cell(0, 0)).to_have_text("touched")
    screen.page.get_by_role("radio", name="Summary").tap()
    expect(screen.page.get_by_test_id("stDataFrame").first).to_be_visible()
    screen.page.get_by_test_id("stExpandSidebarButton").tap()
    screen.page.get_by_role("link", name="History").tap()
    screen.page.wait_for_url("**/history**")
    expect(screen.table_cell("'touched'").first).to_be_attached()
