"""A text looked for in values: which columns have it, an example, and what was not read."""

from __future__ import annotations

import time

import pytest

from core.catalog import values as module
from core.settings import Settings
from core.workbench import Workbench, Workspace
from tests.core.catalog.test_catalog_notes import run

MADE = """
CREATE TABLE ponds AS SELECT 12 AS id, 'Mill pond' AS name, ['Carp', 'pike'] AS "fish ""s",
    DATE '2024-05-12' AS seen, {'by': 'Ana'} AS note, 'mill'::BLOB AS raw;
CREATE TABLE long AS SELECT repeat('x', 500) || ' The MILL ' || repeat('y', 500) AS text
    FROM range(3);
CREATE VIEW wrong AS SELECT 'x1' AS a WHERE error('boom')
"""


@pytest.fixture(scope="module")
def here(tmp_path_factory):
    folder = tmp_path_factory.mktemp("values")
    chosen = {"home": folder / "home", "start_folder": folder, "sample_data": False}
    workbench = Workbench.open(Settings(**chosen, threads=2))
    run(workbench.workspace(), MADE)
    yield workbench.workspace()
    workbench.close()


def sought(here: Workspace, text: str) -> module.Seeking:
    seeking = here.catalog.seek(text)
    assert seeking.wait(60)
    return seeking


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # any case, in any table, the blob left out
        ("  mill", {"name", "text"}),
        # the whole text, not each of its words
        ("pond mill", set()),
        # in lists and structs
        ("CARP", {'fish "s'}),
        ("ana", {"note"}),
        # in numbers and dates
        ("12", {"id", "seen"}),
        # no pattern, and no SQL
        ("m%l", set()),
        ("' OR 1 = 1 --", set()),
    ],
)
def test_columns_are_found_that_have_a_text_in_a_value(here, text, expected):
    assert {hit.column for hit in sought(here, text).hits} == expected


def test_an_example_shows_what_stands_around_the_text(here):
    (hit,) = [each for each in sought(here, "the mill").hits if each.column == "text"]
    assert "The MILL" in hit.example
    assert len(hit.example) == module.EXAMPLE


def test_a_table_that_cannot_be_read_is_said_and_the_others_are_read(here):
    seeking = sought(here, "mill")
    assert (seeking.done, seeking.total, seeking.failed) == (3, 3, 1)
    assert "boom" in seeking.problem.message
    assert not seeking.complete
    assert sought(here, "12").complete is False


def test_tables_beyond_the_number_and_the_time_are_counted(here, monkeypatch):
    monkeypatch.setattr(module, "TABLES", 1)
    seeking = sought(here, "mill")
    assert (seeking.total, seeking.left_out) == (1, 2)
    monkeypatch.setattr(module, "SECONDS", -1)
    assert sought(here, "mill").done == 0


def test_it_can_be_stopped_and_keeps_what_it_found(here):
    run(here, "CREATE VIEW endless AS SELECT 'x' || range AS a FROM range(100000000000)")
    seeking = here.catalog.seek("mill")
    while len(seeking.hits) < 2:
        time.sleep(0.02)
    seeking.cancel()
    assert seeking.wait(30)
    assert {hit.column for hit in seeking.hits} == {"name", "text"}
    assert seeking.done < seeking.total
    run(here, "DROP VIEW endless")


def test_the_last_search_is_found_again_and_another_stops_it(here):
    first = sought(here, "mill ")
    assert here.catalog.find_seeking(" mill") is first
    sought(here, "carp")
    assert here.catalog.find_seeking("mill") is None
    here.catalog.seek("mill", kept=False).wait(60)
    assert here.catalog.find_seeking("carp") is not None
