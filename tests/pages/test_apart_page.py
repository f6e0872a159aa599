"""Tables that DuckDB cannot attach: in the tree and on their pages, read by their own engine."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from core.catalog.drafts import first_rows
from core.errors import InvalidInput
from core.queries.models import SavedQuery
from tests.pages.drawing import checked, draw, words

ADDRESS = "ledger.main.entries"


@pytest.fixture
def here(empty, tmp_path):
    """Return a workspace with a database that only SQLAlchemy reaches, as it were."""
    file = tmp_path / "here" / "ledger.db"
    with closing(sqlite3.connect(file)) as con, con:
        con.execute("CREATE TABLE entries (id INTEGER PRIMARY KEY, kind TEXT, amount REAL)")
        con.executemany(
            "INSERT INTO entries VALUES (?, ?, ?)",
            [(n, "in" if n % 3 else "out", n / 2) for n in range(1, 31)],
        )
        con.execute('CREATE TABLE "order" ("group" TEXT)')
    empty.connections.add("ledger", "sqlalchemy", {"url": f"sqlite:///{file}"})
    empty.catalog.whole()
    return empty


def chosen(app, view: str):
    """Choose a view of the table's page."""
    app.segmented_control(key="table-view").set_value(view)
    return checked(app.run())


def ended(here, document: str):
    """Return the run that a page started for a table, at its end."""
    entry = here.queries.find(f"{document}/{here.engine.changes}/{ADDRESS}")
    assert entry.run.wait(60)
    assert entry.run.error is None
    return entry


def test_they_are_in_the_catalog_with_types_of_duckdbs_and_run_on_their_source(here):
    (catalog,) = (each for each in here.catalog.whole() if each.name == "ledger")
    assert [(each.name, each.on) for each in catalog.tables] == [
        ("entries", "ledger"),
        ("order", "ledger"),
    ]
    (table, _) = catalog.tables
    assert [(each.name, each.type) for each in table.columns] == [
        ("id", "INTEGER"), ("kind", "VARCHAR"), ("amount", "DOUBLE")
    ]  # fmt: skip


def test_a_source_that_was_changed_is_asked_for_its_tables_anew(here, tmp_path):
    file = tmp_path / "here" / "ledger.db"
    with closing(sqlite3.connect(file)) as con, con:
        con.execute("CREATE TABLE later (n INTEGER)")
    here.connections.change("ledger", {"url": f"sqlite:///{file}", "connect_timeout": 9})
    (catalog,) = (each for each in here.catalog.whole() if each.name == "ledger")
    assert "later" in [each.name for each in catalog.tables]


def test_the_page_counts_and_shows_rows_by_their_own_engine(here):
    app = draw("schema", table=ADDRESS)
    app.button[[each.label for each in app.button].index("Count exactly")].click()
    checked(app.run())
    ended(here, "count")
    chosen(app, "Data")
    entry = ended(here, "table")
    assert entry.on == "ledger"
    page = entry.session.page(entry.run, entry.run.result, 0, 1)
    assert (page.total, page.frame.rows()) == (30, [(1, "in", 0.5)])
    app = draw("schema", table=ADDRESS)
    assert "30 rows" in words(app)


def test_the_page_says_where_a_profile_is_and_leads_to_it(here):
    app = draw("schema", table=ADDRESS)
    assert "DuckDB does not read this one" in words(chosen(app, "Profile"))
    here.snapshots.take(here.snapshots.table("ledger.entries"), timeout=60)
    app = draw("schema", table=ADDRESS)
    chosen(app, "Profile")
    app.button[[each.label for each in app.button].index("Profile of the snapshot")].click()
    checked(app.run())
    assert app.query_params["table"] == 'workspace.snapshots."ledger.entries"'
    with pytest.raises(InvalidInput, match="not in reach of DuckDB"):
        here.profiles.first(here.catalog.get(ADDRESS))


def test_a_link_with_a_connection_chooses_what_runs_the_text(here):
    app = draw("query", sql="SELECT 1", on="ledger")
    assert [each.value for each in app.selectbox if each.label == "Runs on"] == ["ledger"]
    assert "on" not in app.query_params
    app.query_params["sql"] = "SELECT 2"  # in the same tab
    checked(app.run())
    assert [each.value for each in app.selectbox if each.label == "Runs on"] == [""]


def test_a_name_that_is_a_word_of_the_dialect_is_quoted(here):
    order = here.catalog.get('ledger."order"')
    run = here.queries.run(first_rows(order), on=order.on).run
    assert run.wait(60)
    assert run.error is None


def test_what_reads_it_at_its_source_is_known(here):
    here.queries.save(SavedQuery(name="Sums", sql="SELECT sum(amount) FROM entries", on="ledger"))
    uses = here.catalog.used_by(here.catalog.get(ADDRESS)).uses
    assert [each.title for each in uses] == ["Sums"]


def press(app, label: str):
    """Press a button by its label."""
    next(each for each in app.button if each.label == label).click()
    return checked(app.run())


def test_a_translation_is_looked_through_by_its_engine_before_anything_runs(here):
    app = press(draw("query", sql="SELECT kind, count(*) FROM entries", on="ledger"), "Translate")
    assert "ledger has looked through it" in app.toast[0].value
    app = press(draw("query", sql="SELECT kind FROM entires", on="ledger"), "Translate")
    assert "entires" in app.error[0].value
    app = press(draw("query", sql="CREATE TABLE made (n INT)", on="ledger"), "Translate")
    assert "cannot say beforehand" in app.toast[0].value
    assert not here.queries.history()


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT count(*) AS [how many?] FROM entries",  # DuckDB would see parameters in them
        "SELECT count(*) AS `how many? $n` FROM entries",
        "SELECT count(*) AS \"?\" FROM entries WHERE kind <> '?' -- ?",
    ],
)
def test_a_text_on_a_connection_has_no_parameters(here, sql):
    app = draw("query", sql=sql, on="ledger")
    assert not [each.label for each in app.text_input if each.label.startswith("$")]
    press(app, "Run all")
    entry = here.queries.find(app.query_params["tab"])
    assert entry.run.wait(60)
    assert entry.run.error is None
    assert entry.session.page(entry.run, entry.run.result).frame.rows() == [(30,)]


def test_a_value_waits_while_a_connection_runs_the_text(here):
    app = draw("query", sql="SELECT $n AS n")
    next(each for each in app.text_input if each.label == "$n").set_value("7")
    checked(app.run())
    runs_on = next(each for each in app.selectbox if each.label == "Runs on")
    checked(runs_on.set_value("ledger").run())
    assert not [each.label for each in app.text_input if each.label == "$n"]
    checked(next(each for each in app.selectbox if each.label == "Runs on").set_value("").run())
    assert [each.value for each in app.text_input if each.label == "$n"] == ["7"]
