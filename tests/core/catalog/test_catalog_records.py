"""The rows of notes, on both databases."""

from __future__ import annotations

import threading

import pytest

from core.catalog.note import Change, Note
from core.catalog.records import NoteRows
from core.store.store import Store

PONDS = ("workspace", "main", "ponds")


@pytest.fixture
def store(store_settings):
    store = Store.open(store_settings)
    yield store
    store.close()


@pytest.fixture
def rows(store) -> NoteRows:
    return NoteRows(store, "local")


def test_a_note_is_kept_with_comment_tags_and_owner(rows):
    change = Change(
        comment=" All\nthat hold water ", tags=["#pii", "pii", " a  b ", ""], owner="Ana"
    )
    note = rows.change(PONDS, "name", change, actor="owner")
    assert note == Note("All\nthat hold water", ("pii", "a b"), "Ana")
    assert rows.all() == {PONDS: {"name": note}}
    assert rows.change(PONDS, "name", Change(owner="Ben"), actor="owner").tags == note.tags


def test_a_note_that_says_nothing_any_more_is_forgotten(rows):
    rows.change(PONDS, "", Change(tags=["a"]), actor="owner")
    rows.change(PONDS, "", Change(tags=[]), actor="owner")
    rows.change(PONDS, "", Change(comment=" "), actor="owner")
    assert rows.all() == {}


def test_notes_of_names_that_differ_in_case_only_are_two(rows):
    rows.change(("pg", "public", "Ponds"), "", Change(owner="Ana"), actor="owner")
    rows.change(("pg", "public", "ponds"), "", Change(owner="Ben"), actor="owner")
    assert {key[2]: notes[""].owner for key, notes in rows.all().items()} == {
        "Ponds": "Ana",
        "ponds": "Ben",
    }


def test_names_as_long_as_duckdb_takes_them_are_kept(rows):
    key = ("a.b", "c", "🦆" * 5000)
    rows.change(key, "d", Change(owner="Ana"), actor="owner")
    assert key in rows.all()


def test_another_workspaces_notes_do_not_exist(rows, store):
    NoteRows(store, "other").change(PONDS, "", Change(owner="Ana"), actor="owner")
    assert rows.all() == {}


def test_each_change_has_another_version(rows):
    versions = [rows.version()]
    for owner in ("Ana", "Ben", ""):
        rows.change(PONDS, "", Change(owner=owner), actor="owner")
        versions.append(rows.version())
    assert versions[0] == versions[-1]  # nothing is kept again
    assert len(set(versions)) == 3


def test_first_notes_made_at_once_lose_nothing(rows):
    changes = [Change(comment="c"), Change(tags=["t"]), Change(owner="o")]
    threads = [
        threading.Thread(target=rows.change, args=(PONDS, "", each), kwargs={"actor": "owner"})
        for each in changes
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert rows.all()[PONDS][""] == Note("c", ("t",), "o")
