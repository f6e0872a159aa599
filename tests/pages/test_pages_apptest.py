"""Every page, drawn by Streamlit's own test runner on a real workbench: no page ever raises.

What needs a browser, as the editor and the grid do, is in tests/browser/.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from core.queries.models import LONGEST_NAME, SavedQuery
from tests.pages.drawing import checked, draw, words

SHELL = Path(__file__).resolve().parents[2] / "pages" / "_shell.py"
PAGES = ["home", "query", "connections", "schema", "history", "jobs", "notifications"]


def editor(app: AppTest) -> str:
    """Return the text in the editor of the tab that is shown."""
    return app.session_state["query-states"][shown_tab(app)].current_text()


def shown_tab(app: AppTest) -> str:
    """Return the name of the query page's tab, which the address has as given or as it was set."""
    tab = app.query_params["tab"]
    return tab if isinstance(tab, str) else tab[0]


def value_of(app: AppTest, parameter: str):
    """Return the field of a parameter."""
    return next(each for each in app.text_input if each.label == parameter)


def finished(workspace, sql: str, tab: str):
    """Run SQL as the query page of a tab does, and wait for its end."""
    entry = workspace.queries.run(sql, {}, document=tab, text=sql)
    assert entry.run.wait(60)
    return entry


def test_the_shell_opens_home_with_the_sample_data(settle):
    settle()
    app = checked(AppTest.from_file(str(SHELL), default_timeout=60).run())
    assert app.title[0].value == "Millpond"
    assert "336,776 departures" in words(app)
    assert "Which airlines were late most often?" in [button.label for button in app.button]


@pytest.mark.parametrize("name", PAGES)
def test_every_page_is_drawn_without_sources(empty, name):
    app = draw(name)
    assert not app.error
    expected = {
        "home": "No sources yet",
        "query": "The result appears here",
        "connections": "No sources yet",
        "schema": "No tables yet",
        "history": "Queries that you run appear here.",
        "jobs": "Nothing runs, and nothing waits.",
        "notifications": "Nobody is told yet.",
    }
    assert expected[name] in words(app)


@pytest.mark.parametrize("name", PAGES)
def test_every_page_is_drawn_with_a_broken_source(empty, tmp_path, name):
    file = tmp_path / "here" / "gone.csv"
    file.write_text("a,b\n1,2\n", encoding="utf-8")
    empty.connections.add("gone", "csv", {"path": str(file)})
    file.unlink()
    empty.engine.renew()
    app = draw(name)
    if name in ("home", "connections", "schema"):
        assert ":red-badge[broken]" in words(app)
        assert "gone.csv" in words(app)


def test_a_broken_source_comes_back_by_looking_again(empty, tmp_path):
    file = tmp_path / "here" / "gone.csv"
    file.write_text("a,b\n1,2\n", encoding="utf-8")
    empty.connections.add("gone", "csv", {"path": str(file)})
    file.unlink()
    empty.engine.renew()
    app = draw("connections")
    file.write_text("a,b\n1,2\n", encoding="utf-8")
    checked(next(each for each in app.button if each.label == "Look again").click().run())
    assert ":red-badge[broken]" not in words(app)


@pytest.mark.parametrize(
    ("setting", "value", "sentence"),
    [
        ("HOME", "/dev/null/millpond", "data folder"),
        ("STORE_URL", "nonsense://", "store cannot be kept"),
        ("STORE_URL", "postgresql://nobody@127.0.0.1:1/none", "store"),
    ],
)
def test_a_store_that_cannot_open_is_said_in_a_sentence(
    settle, monkeypatch, tmp_path, setting, value, sentence
):
    monkeypatch.setenv("MILLPOND_HOME", str(tmp_path / "home"))
    monkeypatch.setenv(f"MILLPOND_{setting}", value)
    app = checked(AppTest.from_file(str(SHELL), default_timeout=60).run())
    assert app.title[0].value == "Millpond could not start"
    (error,) = app.error
    assert sentence in error.value.replace("\\", "")
    assert "Traceback" not in error.value


def test_recent_queries_and_history_show_what_ran(empty):
    finished(empty, "SELECT 42 AS answer", "tab-1")
    finished(empty, "SELECT nothing_is_called_so", "tab-2")
    home = words(draw("home"))
    assert "SELECT 42 AS answer" in home
    assert "1 row" in home
    assert "nothing\\_is\\_called\\_so" in home
    history = draw("history")
    table = history.dataframe[0].value
    assert list(table["State"]) == ["failed", "done"]
    checked(history.text_input[0].input("42").run())
    assert list(history.dataframe[0].value["SQL"]) == ["SELECT 42 AS answer"]
    checked(history.selectbox[0].select("failed").run())
    assert "No query fits." in words(history)


def test_saved_queries_are_listed_found_and_deleted(empty):
    for name, tags in (("Herons", ["birds"]), ("Mills", [])):
        empty.queries.save(SavedQuery(name=name, tags=tags, sql=f"SELECT '{name}'"))
    app = draw("history")
    checked(app.button_group[0].set_value("Saved queries").run())
    assert "2 queries" in words(app)
    checked(app.text_input[0].input("birds").run())
    assert "**Herons** :gray-badge[birds]" in words(app)
    assert "Mills" not in words(app)
    checked(next(each for each in app.button if each.label == "Delete").click().run())
    assert [each.query.name for each in empty.queries.list_saved()] == ["Mills"]


def test_sql_in_the_address_fills_the_editor_and_never_runs(empty):
    app = draw("query", sql="CREATE TABLE by_link AS SELECT 1")
    assert editor(app) == "CREATE TABLE by_link AS SELECT 1"
    assert "sql" not in app.query_params
    assert "The result appears here" in words(app)
    assert not empty.queries.history()
    assert not empty.queries.running()


def test_a_saved_query_in_the_address_fills_text_and_parameters_and_never_runs(empty):
    saved = empty.queries.save(SavedQuery(name="Herons", sql="SELECT $n AS n", parameters={"n": 3}))
    app = draw("query", query=saved.document.id)
    assert editor(app) == "SELECT $n AS n"
    assert [(each.label, each.value) for each in app.text_input if each.label == "$n"] == [
        ("$n", "3")
    ]
    assert not empty.queries.history()


SAVED_VALUES = [
    (None, "null"),
    (12, "12"),
    ("12", "'12'"),
    ("None", "None"),
    (date(2013, 1, 31), "2013-01-31"),
    ([1, 2], "[1, 2]"),  # which no field could say
]


@pytest.mark.parametrize(("value", "text"), SAVED_VALUES)
def test_a_value_that_was_saved_is_bound_and_saved_again_as_it_was(empty, value, text):
    query = SavedQuery(name="Q", sql="SELECT $p AS p", parameters={"p": value})
    saved = empty.queries.save(query).document.id
    app = draw("query", query=saved)
    assert value_of(app, "$p").value == text
    next(each for each in app.button if each.label == "Save").click()
    checked(app.run())
    again = empty.queries.saved(saved)
    assert (again.document.revision, again.query.parameters) == (2, {"p": value})
    next(each for each in app.button if each.label == "Run all").click()
    checked(app.run())
    assert empty.queries.find(shown_tab(app)).params == {"p": value}


def test_a_saved_value_gives_way_to_what_is_typed(empty):
    query = SavedQuery(name="Q", sql="SELECT $p AS p", parameters={"p": [1, 2]})
    app = draw("query", query=empty.queries.save(query).document.id)
    value_of(app, "$p").set_value("'12'")
    next(each for each in app.button if each.label == "Run all").click()
    checked(app.run())
    assert empty.queries.find(shown_tab(app)).params == {"p": "12"}


def test_parameters_without_a_name_have_fields_too(empty):
    app = draw("query", sql="SELECT ? + $2 AS n")
    value_of(app, "$1").set_value("40")
    value_of(app, "$2").set_value("2")
    next(each for each in app.button if each.label == "Run all").click()
    checked(app.run())
    entry = empty.queries.find(shown_tab(app))
    assert entry.run.wait(60)
    assert entry.session.page(entry.run, entry.run.result).frame.rows() == [(42,)]


def test_a_value_typed_right_before_the_run_is_the_one_that_is_bound(empty):
    app = draw("query", sql="SELECT $n + 1 AS more")
    value_of(app, "$n").set_value("41")
    # Both reach the server in one event, as from a browser whose click takes the field's focus.
    next(each for each in app.button if each.label == "Run all").click()
    checked(app.run())
    entry = empty.queries.find(shown_tab(app))
    assert entry.run.wait(60)
    assert entry.session.page(entry.run, entry.run.result).frame.rows() == [(42,)]


def test_two_tabs_keep_their_own_values_of_one_parameter(empty):
    app = draw("query", sql="SELECT $n AS n")
    first = shown_tab(app)
    value_of(app, "$n").set_value("1")
    checked(app.run())
    app.query_params["tab"] = "another"
    app.query_params["sql"] = "SELECT $n AS other"
    checked(app.run())
    assert value_of(app, "$n").value == ""
    value_of(app, "$n").set_value("2")
    checked(app.run())
    app.query_params["tab"] = first
    checked(app.run())
    assert editor(app) == "SELECT $n AS n"
    assert value_of(app, "$n").value == "1"


def test_a_saved_query_is_given_a_name_of_no_more_than_fits(empty):
    name = value_of(draw("query", sql="SELECT 1"), "Name")
    assert name.max_chars == LONGEST_NAME
    assert SavedQuery(name="x" * LONGEST_NAME, sql="")


def test_a_saved_query_that_is_gone_is_said(empty):
    app = draw("query", query="0000")
    assert len(app.error) == 1
    assert "query" not in app.query_params


def test_a_tab_in_the_address_finds_its_run_with_text_and_views(empty):
    finished(empty, "SELECT range AS n, range % 3 AS m FROM range(1000)", "tab-3")
    app = draw("query", tab="tab-3")
    assert editor(app).startswith("SELECT range AS n")
    assert "1,000 rows · 2 columns" in words(app)
    shows = {
        "Chart": lambda: [each.label for each in app.selectbox][:2] == ["Type", "X"],
        "Summary": lambda: list(app.dataframe[0].value["Column"]) == ["n", "m"],
        "Plan": lambda: "Step" in app.dataframe[0].value,
        "Rows": lambda: not app.dataframe,
    }
    for name, shown in shows.items():
        checked(app.button_group(key="result-view").set_value(name).run())
        assert not app.error
        assert shown(), name


def test_the_summary_tells_below_what_most_values_lie(empty):
    finished(empty, "SELECT range AS n, DATE '2013-01-01' AS d FROM range(1001)", "tab-4")
    app = draw("query", tab="tab-4")
    checked(app.button_group(key="result-view").set_value("Summary").run())
    told = app.dataframe[0].value.set_index("Column")[["5%", "25%", "Median", "75%", "95%"]]
    assert list(told.loc["n"]) == ["50", "250", "500", "750", "950"]
    assert told.loc["d", "Median"].startswith("2013-01-01")


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("SELECT no_such_column", "no\\_such\\_column"),
        ("SELEC 1", "line 1, column 1"),
        ("SELECT 1/0; SELECT error('boom')", "boom"),
    ],
)
def test_an_error_of_a_query_is_said_once_with_its_place(empty, sql, said):
    finished(empty, sql, "tab-4")
    app = draw("query", tab="tab-4")
    (error,) = app.error
    assert said in error.value


def test_a_change_says_how_many_rows_it_made(empty):
    finished(empty, "CREATE TABLE t AS SELECT * FROM range(10)", "tab-5")
    finished(empty, "DELETE FROM t WHERE range < 4", "tab-5")
    assert "4 rows affected" in words(draw("query", tab="tab-5"))


def test_a_refused_path_offers_to_allow_its_folder_and_then_reads_it(empty, tmp_path_factory):
    folder = tmp_path_factory.mktemp("outside")
    (folder / "far.csv").write_text("a\n42\n", encoding="utf-8")
    sql = f"SELECT a FROM read_csv('{folder}/far.csv')"
    finished(empty, sql, "tab-6")
    app = draw("query", tab="tab-6")
    allow = next(each for each in app.button if each.label == f"Allow {folder}")
    checked(allow.click().run())
    assert [each.path for each in empty.connections.folders()] == [str(folder)]
    assert finished(empty, sql, "tab-6").run.error is None
    folders = draw("connections")
    checked(next(each for each in folders.button if each.label == "Take back").click().run())
    assert not empty.connections.folders()


def test_a_source_is_added_by_its_path_and_removed(empty, tmp_path):
    file = tmp_path / "here" / "ponds.csv"
    file.write_text("pond,depth\nmill,3\n", encoding="utf-8")
    app = draw("connections")
    checked(next(each for each in app.text_input if each.label == "Path").input(str(file)).run())
    checked(app.button(key="add-path").click().run())
    assert "**ponds** can be queried as ponds." in words(app)
    checked(next(each for each in app.button if each.label == "Remove").click().run())
    assert not empty.connections.list()


def test_what_uses_a_source_is_said_before_it_is_removed(empty, tmp_path):
    (tmp_path / "here" / "ponds.csv").write_text("pond,depth\nmill,3\n", encoding="utf-8")
    empty.connections.add("ponds", "csv", {"path": str(tmp_path / "here" / "ponds.csv")})
    empty.queries.save(SavedQuery(name="Depths", sql="SELECT depth FROM ponds"))

    def press(label: str) -> AppTest:
        button = next(each for each in app.button if each.label == label)
        return checked(button.click().run())

    app = draw("connections")
    app = press("Remove")
    assert "Without **ponds**, this breaks" in words(app)
    assert "Depths · saved query" in [each.label for each in app.button]
    app = press("Keep it")
    assert "this breaks" not in words(app)
    assert len(empty.connections.list()) == 1
    app = press("Remove")
    app = press("Remove anyway")
    assert not empty.connections.list()


def test_a_path_that_does_not_exist_is_said(empty, tmp_path):
    app = draw("connections")
    path = next(each for each in app.text_input if each.label == "Path")
    checked(path.input(str(tmp_path / "here" / "nothing.csv")).run())
    checked(app.button(key="add-path").click().run())
    assert "nothing.csv" in app.error[0].value
    assert not empty.connections.list()


def test_a_connector_that_fails_to_import_is_named_and_breaks_nothing(settle, tmp_path):
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "marsh.py").write_text("import no_such_driver\n", encoding="utf-8")
    settle(sample_data="false", connectors=str(tmp_path / "own"))
    app = draw("connections")
    assert "The connector marsh cannot be used" in words(app)
