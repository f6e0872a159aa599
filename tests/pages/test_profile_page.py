"""The Profile of a table on its page: from a look, exactly, what drifted and what is hidden."""

from __future__ import annotations

import pytest

from core.catalog import profiles
from tests.pages.drawing import checked, draw, words
from tests.pages.test_pages_apptest import finished
from tests.pages.test_schema_page import button, view

BIRDS = """
CREATE TABLE birds AS
SELECT i AS id, CASE WHEN i % 10 = 0 THEN NULL ELSE 'AB-' || (100 + i % 7) END AS ring,
       'ann' || i % 9 || '@example.org' AS contact
FROM range(100) AS r(i);
CREATE VIEW bad AS SELECT error('broken *inside*') AS x;
CREATE VIEW endless AS SELECT a.range AS x FROM range(1000000) a, range(1000000) b
"""


@pytest.fixture
def birds(empty, monkeypatch):
    monkeypatch.setattr(profiles, "FIRST_SECONDS", 60.0)
    assert finished(empty, BIRDS, "made").run.error is None
    return empty


def profile_of(table: str):
    return view(draw("schema", table=table), "Profile")


def counted(app, here, table: str):
    checked(button(app, "Count all rows").click().run())
    exact = here.profiles.under_way(here.catalog.find(table))
    assert exact.wait(60)
    return checked(app.run())


def test_each_column_is_told_from_a_first_look(birds):
    app = profile_of("birds")
    told = app.dataframe[0].value.set_index("Column")
    assert list(told.index) == ["id", "ring", "contact"]
    assert told.loc["ring", "Null"] == pytest.approx(0.1)
    assert (told.loc["id", "Min"], told.loc["id", "Max"]) == ("0", "99")
    assert told.loc["id", "Median"] == "49.5"
    assert told.loc["ring", "Pattern"] == "AA-999"
    assert told.loc["ring", "Length"] == "6"
    assert "Of all 100 rows, just now" in words(app)
    assert list(app.dataframe[1].value["Value"]) == [
        "0", "4.95", "24.75", "49.5", "74.25", "94.05", "99",
    ]  # fmt: skip
    checked(app.selectbox[0].set_value("ring").run())
    values, patterns = (each.value for each in [*app.dataframe][1:])
    assert (values["Value"][0], patterns["Pattern"][0]) == ("AB-101", "AA-999")


def test_a_column_that_is_likely_personal_says_so_and_shows_no_value(birds):
    app = profile_of("birds")
    assert app.dataframe[0].value.set_index("Column").loc["contact", "Likely"] == "e-mail address"
    checked(app.selectbox[0].set_value("contact").run())
    assert "Likely e-mail address, by the form of 100% of the values" in words(app)
    shown = [each.value.to_string() for each in app.dataframe]
    assert not any("ann" in each for each in shown)


def test_all_rows_are_counted_and_kept_and_what_drifted_stands_on_top(birds):
    app = counted(profile_of("birds"), birds, "birds")
    assert "Exact, of all 100 rows, as of" in words(app)
    assert not app.warning
    sql = "INSERT INTO birds SELECT 100 + i, NULL, 'x' FROM range(50) r(i)"
    finished(birds, sql, "made")
    app = counted(profile_of("birds"), birds, "birds")
    assert "of all 150 rows" in words(app)
    assert "Nulls in `ring` rose from 10 % to 40 %" in app.warning[0].value
    box = next(each for each in app.selectbox if each.label == "Profile")
    assert len(box.options) == 3
    checked(box.set_value(1).run())
    assert "of all 100 rows" in words(app)
    checked(button(app, "Refresh").click().run())
    assert "Of all 150 rows, just now" in words(app)


def test_a_count_under_way_shows_progress_and_is_cancelled(birds):
    app = profile_of("endless")
    assert "From the first 20,480 rows" in words(app)
    checked(button(app, "Count all rows").click().run())
    exact = birds.profiles.under_way(birds.catalog.find("endless"))
    assert button(app, "Count all rows").disabled
    checked(button(app, "Cancel").click().run())
    assert exact.wait(60)
    app = checked(app.run())
    assert "cancelled" in app.info[0].value
    assert not button(app, "Count all rows").disabled


def test_a_view_that_fails_says_so_and_the_rest_of_the_page_stands(birds):
    app = profile_of("bad")
    assert "broken \\*inside\\*" in app.error[0].value
    assert not button(app, "Count all rows").disabled
    assert view(app, "Definition").code[0].value.startswith("CREATE VIEW bad")


def test_many_columns_come_in_parts(birds):
    columns = ", ".join(f"{at} AS x{at}" for at in range(120))
    finished(birds, f"CREATE TABLE broad AS SELECT {columns}", "made")
    app = profile_of("broad")
    assert len(app.dataframe[0].value) == 50
    part = next(each for each in app.selectbox if each.label == "Columns")
    checked(part.set_value(2).run())
    assert app.dataframe[0].value["Column"][0] == "x100"


def test_a_profile_every_night_is_planned_once(birds):
    app = profile_of("birds")
    checked(button(app, "Keep one every night").click().run())
    (job,) = (each.job for each in birds.jobs.list() if each.job.kind == "profile")
    assert (job.title, job.schedule.cron) == ("Profile of birds", "0 3 * * *")
    assert job.options["tables"] == ["workspace.main.birds"]
    assert "Kept by the job *Profile of birds*" in words(app)
    assert not [each for each in app.button if each.label == "Keep one every night"]
