"""A document is one text and a revision for every save; nobody overwrites another unseen."""

from __future__ import annotations

import pytest

from core.errors import Conflict, NotFound
from core.store.documents import Documents
from core.store.store import Store


@pytest.fixture
def store(store_settings):
    opened = Store.open(store_settings)
    yield opened
    opened.close()


@pytest.fixture
def documents(store):
    return Documents(store, "w", "query")


def test_every_save_is_a_revision(documents):
    first = documents.save("one", title="A", actor="ann")
    second = documents.save("two", title="B", actor="bob", id=first.id, revision=1)

    assert (first.revision, first.title, first.updated_by) == (1, "A", "ann")
    assert (second.revision, second.text, second.updated_by) == (2, "two", "bob")
    assert second.created_at == first.created_at == first.updated_at < second.updated_at
    assert documents.get(first.id) == second
    assert documents.revision(first.id, 1) == first
    saves = [(each.number, each.title, each.saved_by) for each in documents.revisions(first.id)]
    assert saves == [(2, "B", "bob"), (1, "A", "ann")]


def test_a_stale_save_is_a_conflict_and_changes_nothing(documents):
    first = documents.save("one", title="A", actor="ann")
    second = documents.save("two", title="A", actor="bob", id=first.id, revision=1)
    with pytest.raises(Conflict, match="revision 2 has replaced revision 1"):
        documents.save("three", title="A", actor="ann", id=first.id, revision=1)
    assert documents.get(first.id) == second


def test_without_a_revision_the_last_save_wins(documents):
    first = documents.save("one", title="A", actor="ann")
    documents.save("two", title="A", actor="bob", id=first.id)
    assert documents.save("three", title="A", actor="ann", id=first.id).revision == 3


def test_an_id_of_ones_own_is_taken(documents):
    assert documents.save("one", title="A", actor="ann", id="home").id == "home"
    assert documents.get("home").revision == 1


def test_a_save_of_what_was_deleted_meanwhile_does_not_bring_it_back(documents):
    saved = documents.save("one", title="A", actor="ann")
    documents.delete(saved.id)
    with pytest.raises(NotFound):
        documents.save("two", title="A", actor="ann", id=saved.id, revision=1)
    assert documents.list() == []


def test_the_list_has_the_last_saved_first(documents):
    ids = [documents.save(name, title=name, actor="ann").id for name in "abc"]
    documents.save("again", title="a", actor="ann", id=ids[0])
    assert [each.title for each in documents.list()] == ["a", "c", "b"]


@pytest.mark.parametrize(
    "ask",
    [
        lambda documents: documents.get("gone"),
        lambda documents: documents.delete("gone"),
        lambda documents: documents.revisions("gone"),
        lambda documents: documents.revision("gone", 1),
        lambda documents: documents.save("x", title="x", actor="x", id="gone", revision=1),
    ],
)
def test_what_is_not_there_is_not_found(documents, ask):
    with pytest.raises(NotFound, match="gone"):
        ask(documents)
    assert documents.find("gone") is None


def test_a_revision_that_never_was_is_not_found(documents):
    saved = documents.save("one", title="A", actor="ann")
    with pytest.raises(NotFound, match="revision 2"):
        documents.revision(saved.id, 2)


def test_deleting_takes_the_revisions_along(store, documents):
    saved = documents.save("one", title="A", actor="ann", id="x")
    documents.delete(saved.id)
    assert documents.save("new", title="A", actor="ann", id="x").revision == 1


@pytest.mark.parametrize(("workspace", "kind"), [("other", "query"), ("w", "notebook")])
def test_other_workspaces_and_kinds_see_and_touch_nothing(store, documents, workspace, kind):
    saved = documents.save("one", title="A", actor="ann")
    others = Documents(store, workspace, kind)
    assert others.find(saved.id) is None
    assert others.list() == []
    with pytest.raises(NotFound):
        others.delete(saved.id)
    with pytest.raises(NotFound):
        others.revisions(saved.id)
    with pytest.raises(Conflict):
        others.save("mine now", title="A", actor="eve", id=saved.id)
    assert documents.get(saved.id) == saved


def test_any_text_is_kept(documents):
    long = "SELECT 'é🦆' -- \n" * 200_000
    assert documents.get(documents.save(long, title="", actor="ann").id).text == long
    odd = documents.save("a\x00b\ud800", title="t\x00", actor="ann\x00")
    assert (odd.text, odd.title) == ("a\ufffdb\ufffd", "t\ufffd")
    assert documents.get(odd.id) == odd
