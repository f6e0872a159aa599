"""Connections, grants and facts belong to one workspace and survive a restart."""

from __future__ import annotations

import os
import threading

import pytest

from core.connections.models import FolderGrant
from core.connections.records import Connections, FolderGrants, WorkspaceFacts
from core.errors import Conflict, InvalidInput, NotFound
from core.secrets.service import Secrets
from core.store.store import Store


@pytest.fixture
def store(store_settings):
    opened = Store.open(store_settings)
    yield opened
    opened.close()


@pytest.fixture
def opened(store_settings):
    """Open the connections of a workspace in a store."""
    return lambda store, workspace="w": Connections(
        store, workspace, Secrets.open(store, store_settings)
    )


@pytest.fixture
def connections(store, opened):
    return opened(store)


def test_a_connection_is_kept_as_it_was_added(store_settings, store, connections, opened):
    options = {"path": "/données/é.csv", "nested": {"null": None, "list": [1, 2.5, True]}}
    added = connections.add("Flights", "csv", options, actor="ann", sample=True)
    store.close()
    again = Store.open(store_settings)
    assert opened(again).get(added.id) == added
    again.close()
    assert (added.alias, added.connector, added.sample) == ("Flights", "csv", True)
    assert (added.options, added.created_by, added.workspace) == (options, "ann", "w")


@pytest.mark.parametrize("taken", ["Flights", "flights", "FLIGHTS"])
def test_an_alias_is_taken_in_any_case(connections, taken):
    first = connections.add("Flights", "csv", {}, actor="ann")
    second = connections.add("other", "csv", {}, actor="ann")
    with pytest.raises(Conflict, match=taken):
        connections.add(taken, "csv", {}, actor="ann")
    with pytest.raises(Conflict, match=taken):
        connections.rename(second.id, taken)
    assert connections.find_by_alias(taken) == first
    assert connections.get(second.id) == second
    assert connections.rename(first.id, taken).alias == taken


@pytest.mark.parametrize("alias", ["", "  ", "a\x00b", "a\ud800", "x" * 64])
def test_an_alias_that_cannot_be_a_name_is_refused(connections, alias):
    kept = connections.add("é 🦆" + "x" * 60, "csv", {}, actor="ann")
    with pytest.raises(InvalidInput):
        connections.add(alias, "csv", {}, actor="ann")
    with pytest.raises(InvalidInput):
        connections.rename(kept.id, alias)
    assert connections.list() == [kept]


def test_connections_are_listed_by_alias(connections):
    for alias in ("b", "C", "A"):
        connections.add(alias, "csv", {}, actor="ann")
    assert [each.alias for each in connections.list()] == ["A", "b", "C"]


def test_options_are_replaced(connections):
    added = connections.add("a", "csv", {"path": "/x", "header": True}, actor="ann")
    updated = connections.change(added.id, options={"path": "/y"}, actor="ann")
    assert connections.get(added.id) == updated
    assert updated.options == {"path": "/y"}


def test_a_removed_connection_is_gone_and_its_alias_free(connections):
    added = connections.add("a", "csv", {}, actor="ann")
    connections.remove(added.id)
    for ask in (connections.get, connections.remove):
        with pytest.raises(NotFound):
            ask(added.id)
    with pytest.raises(NotFound):
        connections.rename(added.id, "b")
    with pytest.raises(NotFound):
        connections.change(added.id, options={}, actor="ann")
    assert connections.find_by_alias("a") is None
    connections.add("a", "csv", {}, actor="ann")


def test_other_workspaces_see_and_touch_nothing(store, connections, opened):
    added = connections.add("a", "csv", {}, actor="ann")
    other = opened(store, "other")
    assert other.list() == []
    assert other.find_by_alias("a") is None
    for ask in (other.get, other.remove):
        with pytest.raises(NotFound):
            ask(added.id)
    other.add("a", "csv", {}, actor="eve")
    assert connections.list() == [added]


def test_folders_are_granted_and_taken_back(store, tmp_path):
    grants = FolderGrants(store, "w")
    path = str(tmp_path / "données")
    grants.add(path + os.sep)
    assert grants.list() == [FolderGrant(path, "read")]
    grants.add(path, "write")
    assert grants.list() == [FolderGrant(path, "write")]
    assert FolderGrants(store, "other").list() == []
    with pytest.raises(NotFound):
        FolderGrants(store, "other").remove(path)
    grants.remove(path)
    assert grants.list() == []


@pytest.mark.parametrize("path", ["", "folder", "~/folder", "/a/../etc", "/a\x00b", "/a\udcff"])
def test_a_path_that_is_not_plain_is_refused(store, path):
    grants = FolderGrants(store, "w")
    with pytest.raises(InvalidInput):
        grants.add(path)
    assert grants.list() == []


@pytest.mark.parametrize("value", [True, 0, "", None, [1], {"at": "2024-01-01"}])
def test_a_fact_is_kept_per_workspace(store, value):
    facts = WorkspaceFacts(store, "w")
    assert facts.get("samples_attached", "unknown") == "unknown"
    facts.set("samples_attached", "old")
    facts.set("samples_attached", value)
    assert facts.get("samples_attached", "unknown") == value
    assert WorkspaceFacts(store, "other").get("samples_attached") is None


def test_one_of_many_claims_a_fact(store):
    won = []

    def claim(number: int) -> None:
        if WorkspaceFacts(store, "w").claim("samples_attached", number):
            won.append(number)

    threads = [threading.Thread(target=claim, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) == 1
    assert WorkspaceFacts(store, "w").get("samples_attached") == won[0]
