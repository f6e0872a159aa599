"""The editor and the grid: built from the sources that are here, mounted, and doing their work.

The browser tests load the built modules on a bare page, with rows answered by the test itself.
"""

from __future__ import annotations

import hashlib
import json
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import duckdb
import pytest
from streamlit.testing.v1 import AppTest

from pages._components.assets import ASSETS, loader, modules

FRONTEND = ASSETS.parent / "frontend"


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def test_the_assets_were_built_from_the_sources_that_are_here():
    files = [path for path in (FRONTEND / "src").rglob("*") if path.is_file()]
    files += [FRONTEND / name for name in ("build.mjs", "package.json", "package-lock.json")]
    named = {path.relative_to(FRONTEND).as_posix(): path.read_bytes() for path in files}
    lines = "".join(f"{sha256(named[name])}  {name}\n" for name in sorted(named))
    manifest = json.loads((ASSETS / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["sources"] == sha256(lines.encode()), "run `npm ci && node build.mjs`"


def test_each_module_is_named_by_its_content_and_none_is_left_over():
    assert set(modules()) == {"editor", "format", "grid"}
    for name, file in modules().items():
        assert file == f"{name}-{sha256((ASSETS / file).read_bytes())[:12]}.js"
    extra = {"manifest.json", "THIRD_PARTY_LICENSES.txt"}
    assert {path.name for path in ASSETS.iterdir()} == set(modules().values()) | extra


def test_the_lock_file_names_no_host_and_the_built_files_load_nothing_from_one():
    assert "://" not in "".join(
        line
        for line in (FRONTEND / "package-lock.json").read_text().splitlines(keepends=True)
        if "resolved" in line
    )
    for file in modules().values():
        text = (ASSETS / file).read_text(encoding="utf-8")
        assert 'import("http' not in text
        assert "sourceMappingURL" not in text


def test_every_bundled_package_has_its_licence_in_the_notice():
    notice = (ASSETS / "THIRD_PARTY_LICENSES.txt").read_text(encoding="utf-8")
    wanted = json.loads((FRONTEND / "package.json").read_text())["dependencies"]
    for name, version in wanted.items():
        assert f"{name} {version} (MIT)" in notice
    assert "undefined" not in notice


def test_the_words_of_the_editor_are_those_of_the_engine_in_use():
    words = json.loads((FRONTEND / "src" / "duckdb.json").read_text())
    assert words["version"] == duckdb.__version__, "run `uv run python words.py` in frontend/"
    assert {"qualify", "pivot", "asof"} <= set(words["keywords"])
    assert {"hugeint", "struct"} <= set(words["types"])


def test_the_loader_is_small_as_it_is_sent_for_each_component():
    for name in ("editor", "grid"):
        assert f"assets/{modules()[name]}" in loader(name)
        assert len(loader(name)) < 1200


def test_a_module_that_is_not_there_cannot_be_loaded():
    with pytest.raises(KeyError):
        loader("chart")


def draw_both() -> None:
    import streamlit as st

    from pages._components.editor import (
        Diagnostic,
        editor_schema,
        editor_text,
        sql_editor,
    )
    from pages._components.grid import result_grid

    def schema() -> dict:
        st.session_state.built = st.session_state.get("built", 0) + 1
        return {"memory": {"main": {"t": [["id", "INTEGER"]]}}}

    sql_editor(
        "sql",
        "SELECT 1",
        revision=0,
        on_run=lambda event: None,
        diagnostics=[Diagnostic(0, 6, "No", hint="Yes")],
    )
    editor_schema("sql", schema, revision="test_components-1")
    result_grid(
        "grid",
        result="r1",
        columns=[{"name": "id", "type": "INTEGER", "align": "right"}],
        rows=[[1], [None]],
        total=2,
        complete=True,
        url="rows/r1",
        export_url="export/r1",
        formats=["csv"],
    )
    st.session_state.known = editor_text("sql", "SELECT 1", revision=0)


def test_editor_and_grid_mount_and_the_schema_is_read_once():
    app = AppTest.from_function(draw_both).run()
    assert not app.exception
    app.run()
    assert not app.exception
    assert app.session_state["built"] == 1
    assert app.session_state["known"] == "SELECT 1"


@pytest.mark.parametrize(
    ("stored", "expected"),
    [
        ((3, "SELECT 2", 1), "SELECT 2"),
        ((2, "SELECT 2", 1), "SELECT 1"),  # of an older document
        (None, "SELECT 1"),
    ],
)
def test_the_editors_text_counts_only_in_its_revision(stored, expected):
    def script() -> None:
        import streamlit as st

        from pages._components.editor import editor_text

        st.session_state.got = editor_text("sql", "SELECT 1", revision=3)

    app = AppTest.from_function(script)
    if stored:
        app.session_state["sql-text"] = stored
    app.run()
    assert app.session_state["got"] == expected


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    (folder / "assets").symlink_to(ASSETS)
    (folder / "index.html").write_text("<!doctype html><title>t</title><div id=place></div>")

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *args: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def page(browser, address):
    context = browser.new_context(viewport={"width": 900, "height": 700})
    opened = context.new_page()
    failures: list[str] = []
    opened.on("pageerror", lambda error: failures.append(str(error)))
    opened.goto(address)
    yield opened
    context.close()
    assert failures == []


MOUNT = """async ({file, data}) => {
  const place = document.querySelector("#place");
  const root = place.shadowRoot ?? place.attachShadow({mode: "open"});
  if (!root.querySelector(".mp-host")) root.innerHTML = '<div class="mp-host"></div>';
  globalThis.sent = globalThis.sent ?? [];
  const {default: mount} = await import("/assets/" + file);
  const tell = (name, value) => {
    sent.push([name, value]);
    if (name === "text") setTimeout(() => sent.push(["flush", null]), 0);  // as Streamlit does
  };
  const component = {data, parentElement: root, setStateValue: tell, setTriggerValue: tell};
  mount(component, location.origin + "/");
}"""

EDITOR = {
    "key": "k",
    "value": "",
    "revision": 0,
    "schema": "k",
    "parameters": ["since"],
    "diagnostics": [],
    "height": 300,
    "placeholder": "",
    "label": "SQL editor",
    "read_only": False,
}


def show_editor(page, value: str = "", **changes):
    page.evaluate(
        """globalThis.millpondSchemas = new Map([["k", {functions: ["my_sum(a, b) -> BIGINT"],
          tree: {memory: {main: {flights: [["carrier", "VARCHAR"], ["dep time", "TIME"]]}},
                 orders: [["id", "BIGINT"]]}}]])"""
    )
    page.evaluate(
        MOUNT, {"file": modules()["editor"], "data": {**EDITOR, "value": value, **changes}}
    )
    page.locator(".cm-content").click()


def text_of(page) -> str:
    return "\n".join(page.locator(".cm-line").all_text_contents())


def sent(page, name: str) -> list:
    return [value for key, value in page.evaluate("sent") if key == name]


@pytest.mark.browser
@pytest.mark.parametrize(
    ("marked", "sql"),
    [
        ("SELECT 1; SEL|ECT 2; SELECT 3", "SELECT 2"),
        ("SELECT 1;|", "SELECT 1"),  # behind the semicolon, on its line
        ("SELECT 1; | SELECT 2", "SELECT 1"),
        ("SELECT 1;\n|SELECT 2", "SELECT 2"),
        ("SELECT 1;\n\n|", "SELECT 1"),  # after the last one
        ("SELECT ';|' || '''; '", "SELECT ';' || '''; '"),
        ("SELECT E'a\\';|b'; SELECT 2", "SELECT E'a\\';b'"),
        ('SELECT "a;|b"; SELECT 2', 'SELECT "a;b"'),
        ("SELECT $$a;|b$$, $x$;$$;$x$; SELECT 2", "SELECT $$a;b$$, $x$;$$;$x$"),
        ("SELECT 1 /* ; /* ; */ ;| */ + 1; SELECT 2", "SELECT 1 /* ; /* ; */ ; */ + 1"),
        ("SELECT 1 -- it's; fi|ne\n; SELECT 2", "SELECT 1 -- it's; fine"),
        ("-- only a comment;\n|SELECT 2", "-- only a comment;\nSELECT 2"),
    ],
)
def test_mod_enter_runs_the_statement_under_the_cursor(page, marked, sql):
    at = marked.index("|") if marked.count("|") == 1 else marked.index(";|") + 1
    whole = marked[:at] + marked[at + 1 :]
    show_editor(page, whole)
    page.keyboard.press("Control+Home")
    for _ in range(at):
        page.keyboard.press("ArrowRight")
    page.keyboard.press("Control+Enter")
    (event,) = sent(page, "run")
    assert event["sql"] == sql
    assert whole[event["offset"] :].startswith(sql)


@pytest.mark.browser
def test_offsets_are_code_points_in_both_directions(page):
    whole = "SELECT '😀'; SELECT boom"
    show_editor(page, whole)
    page.keyboard.press("Control+End")
    page.keyboard.press("Control+Enter")
    (event,) = sent(page, "run")
    assert whole[event["offset"] :] == event["sql"] == "SELECT boom"
    start = whole.index("boom")
    wrong = {
        "start": start,
        "end": start + 4,
        "message": "No boom",
        "hint": "",
        "severity": "error",
    }
    show_editor(page, whole, diagnostics=[wrong])
    assert page.locator(".cm-lintRange-error").all_text_contents() == ["boom"]


@pytest.mark.browser
@pytest.mark.parametrize(
    ("typed", "back", "expected"),
    [
        ("SELECT f. FROM flights f", 15, {"carrier", "dep time"}),
        ("SELECT  FROM orders", 12, {"id", "orders"}),
        ("SELECT * FROM fl", 0, {"flights"}),
        ("SELECT * FROM memory.main.", 0, {"flights"}),
        ("WITH w AS (SELECT id AS late FROM orders) SELECT w.", 0, {"late"}),
        ("SELECT x. FROM (SELECT *, 1 AS one FROM orders) x", 40, {"id", "one"}),
        ("SELECT $delay, $", 0, {"$delay", "$since"}),
        ("SELECT my_s", 0, {"my_sum"}),
    ],
)
def test_completion_offers_what_is_in_scope(page, typed, back, expected):
    show_editor(page)
    page.keyboard.insert_text(typed)
    for _ in range(back):
        page.keyboard.press("ArrowLeft")
    page.keyboard.press("Control+Space")
    page.wait_for_selector(".cm-tooltip-autocomplete li")
    offered = page.locator(".cm-completionLabel").all_text_contents()
    assert expected <= set(offered)


@pytest.mark.browser
def test_a_rerun_keeps_text_and_undo_and_only_a_new_revision_replaces(page):
    show_editor(page, "SELECT 1")
    page.keyboard.press("Control+End")
    page.keyboard.type(" + 2")
    show_editor(page, "from python")
    assert text_of(page) == "SELECT 1 + 2"
    show_editor(page, "from python", revision=1)
    assert text_of(page) == "from python"
    page.keyboard.press("Control+z")
    assert text_of(page) == "SELECT 1 + 2"
    assert page.locator(".mp-host").get_attribute("data-mounts") == "1"


@pytest.mark.browser
def test_a_tap_that_takes_the_focus_is_heard_after_the_text_has_left(page):
    show_editor(page, "SELECT 1")
    page.keyboard.press("Control+End")
    page.keyboard.type("0")
    page.evaluate(
        """() => {
        document.body.insertAdjacentHTML("beforeend", "<button>Go</button>");
        const button = document.querySelector("button");
        button.onclick = () => sent.push(["click", null]);
        document.querySelector("#place").shadowRoot.activeElement.blur();
        button.click();  // in the same task, as after a touch
        }"""
    )
    page.wait_for_function("sent.some(([name]) => name === 'click')")
    assert [name for name, _ in page.evaluate("sent")] == ["text", "flush", "click"]
    assert sent(page, "text")[0]["text"] == "SELECT 10"


@pytest.mark.browser
def test_format_lays_out_and_leaves_alone_what_it_cannot_read(page):
    show_editor(page, "select a,b from t where x=$p")
    page.keyboard.press("Shift+Alt+f")
    page.wait_for_function(
        "document.querySelector('#place').shadowRoot.querySelectorAll('.cm-line').length > 3"
    )
    assert "x = $p" in text_of(page)
    show_editor(page, "select )))", revision=1)
    page.keyboard.press("Shift+Alt+f")
    page.wait_for_selector(".mp-notice")
    assert text_of(page) == "select )))"


@pytest.mark.browser
def test_escape_then_tab_leaves_the_editor(page):
    show_editor(page, "SELECT 1")
    page.keyboard.press("Tab")
    assert page.locator(".cm-content").evaluate("node => node.getRootNode().activeElement === node")
    page.keyboard.press("Escape")
    page.keyboard.press("Tab")
    assert page.evaluate("document.querySelector('#place').shadowRoot.activeElement") is None


TOTAL = 10_000_000
GRID = {
    "result": "r1",
    "columns": [
        {"name": "id", "type": "BIGINT", "align": "right"},
        {"name": "name", "type": "VARCHAR", "align": "left"},
    ],
    "rows": [[i, None if i % 3 == 0 else f"<b>{i}</b>"] for i in range(200)],
    "total": TOTAL,
    "complete": True,
    "url": "rows/r1",
    "export_url": "export/r1",
    "formats": ["csv", "parquet"],
    "height": 420,
}


def answer(asked: list[dict[str, str]], route) -> None:
    from urllib.parse import parse_qsl, urlsplit

    query = dict(parse_qsl(urlsplit(route.request.url).query))
    asked.append(query)
    if "boom" in query.get("filter", ""):
        body = {"title": "Refused", "detail": "boom is no number"}
        route.fulfill(status=400, content_type="application/problem+json", body=json.dumps(body))
        return
    matching = 12 if "filter" in query else None
    start = int(query["offset"])
    rows = [[i, "x"] for i in range(start, min(start + int(query["limit"]), matching or TOTAL))]
    route.fulfill(
        json={
            "offset": start,
            "rows": rows,
            "total": TOTAL,
            "matching": matching,
            "arriving": False,
        }
    )


def show_grid(page, **changes) -> list[dict[str, str]]:
    asked: list[dict[str, str]] = []
    page.route("**/rows/**", partial(answer, asked))
    page.evaluate(MOUNT, {"file": modules()["grid"], "data": {**GRID, **changes}})
    page.wait_for_selector(".slick-header-column")
    return asked


@pytest.mark.browser
def test_the_first_page_is_painted_without_a_request_and_never_as_html(page):
    asked = show_grid(page)
    assert page.locator(".mp-count").inner_text() == "10,000,000 rows"
    row = page.locator(".slick-row").nth(1)
    assert row.locator(".slick-cell").all_text_contents() == ["1", "<b>1</b>"]
    assert page.locator(".slick-row").first.locator(".mp-null").inner_text() == "NULL"
    assert asked == []


@pytest.mark.browser
def test_the_last_of_ten_million_rows_is_one_key_and_one_request_away(page):
    asked = show_grid(page)
    page.locator(".slick-cell").first.click()
    page.keyboard.press("Control+End")
    page.get_by_text(str(TOTAL - 1), exact=True).wait_for()
    assert [query["offset"] for query in asked] == [str(TOTAL - 200)]
    row = page.locator(f".slick-row[aria-rowindex='{TOTAL + 1}']")
    assert row.locator(".slick-cell").first.inner_text() == str(TOTAL - 1)


@pytest.mark.browser
def test_the_header_sorts_by_keyboard_and_says_so(page):
    asked = show_grid(page)
    header = page.locator(".slick-header-column")
    header.first.focus()
    for order, heard in [("asc", "ascending"), ("desc", "descending"), (None, "none")]:
        page.keyboard.press("Enter")
        page.wait_for_selector(f".slick-header-column[aria-sort={heard}] >> nth=0")
        page.wait_for_selector(".mp-frame:not(.mp-waiting)")
        assert asked[-1].get("sort") == (f"0:{order}" if order else None)
    page.keyboard.press("Enter")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Shift+Enter")
    page.wait_for_selector(".mp-frame:not(.mp-waiting)")
    assert asked[-1]["sort"] == "0:asc,1:asc"


@pytest.mark.browser
def test_filters_add_up_and_a_refused_one_leaves_the_rows_as_they_were(page):
    asked = show_grid(page)
    page.get_by_label("Search all columns").fill("abc")
    page.get_by_text("12 of 10,000,000 rows match").wait_for()
    assert json.loads(asked[-1]["filter"]) == [{"column": None, "op": "contains", "value": "abc"}]
    page.locator(".slick-header-column").nth(1).focus()
    page.keyboard.press("Alt+ArrowDown")
    page.keyboard.type("boom")
    page.keyboard.press("Enter")
    page.get_by_text("Refused: boom is no number").wait_for()
    assert len(json.loads(asked[-1]["filter"])) == 2
    assert page.locator(".mp-count").inner_text() == "12 of 10,000,000 rows match"
    page.get_by_role("button", name="Clear filters").click()
    page.get_by_text("10,000,000 rows", exact=True).wait_for()


@pytest.mark.browser
def test_the_same_result_keeps_the_scroll_and_another_one_resets(page):
    show_grid(page)
    viewport = page.locator(".slick-viewport-top.slick-viewport-left")
    viewport.evaluate("node => { node.scrollTop = 3000 }")
    show_grid(page)
    assert viewport.evaluate("node => node.scrollTop") == 3000
    show_grid(page, result="r2", total=0, rows=[])
    assert page.locator(".mp-empty").inner_text() == "No rows"
    assert page.locator(".mp-grid").count() == 1


@pytest.mark.browser
def test_download_links_carry_sort_and_filter(page):
    show_grid(page)
    page.locator(".slick-header-column").first.click()
    page.wait_for_selector(".mp-frame:not(.mp-waiting)")
    page.get_by_role("button", name="Download").click()
    link = page.get_by_text("Parquet")
    assert link.evaluate("node => node.href").endswith("/export/r1?format=parquet&sort=0%3Aasc")
    assert link.get_attribute("download") == ""


@pytest.mark.browser
@pytest.mark.parametrize("name", ["editor", "grid"])
def test_axe_finds_nothing(page, name):
    from axe_playwright_python.sync_playwright import Axe

    if name == "editor":
        show_editor(page, "SELECT 'x', 1.5 FROM t WHERE a = $p -- note")
    else:
        show_grid(page)
        page.locator(".slick-cell").nth(2).click()
    rules = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}
    ignored = {"html-has-lang"}  # of the bare page
    found = Axe().run(page, options=rules).response["violations"]
    assert [one["id"] for one in found if one["id"] not in ignored] == []
