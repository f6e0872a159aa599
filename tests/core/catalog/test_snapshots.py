"""Snapshots of schemas in the store: kept when something changed, and read again, old ones too."""

from __future__ import annotations

import gzip
import json

import pytest
from sqlalchemy import text

from core.catalog.snapshots import SnapshotBook
from core.errors import ConfigError, Conflict, InvalidInput, NotFound
from core.store.store import Store
from core.structure import Constraint, Index, Structure, StructuredColumn, Target

PLACE = ("shop", "main", "duckdb")
TABLE = Structure(
    "main",
    'a "b" 🦆',
    columns=(StructuredColumn("id", "INTEGER", comment="x\ny", default="'z'"),),
    constraints=(
        Constraint("FOREIGN KEY", ("id",), "FOREIGN KEY (id) ...", Target("main", "p", ("id",))),
    ),
    indexes=(Index("i", True, "CREATE INDEX ...", ("id",)),),
)
OTHER = Structure("main", "other", "view", sql="CREATE VIEW other AS SELECT 1")


@pytest.fixture
def store(store_settings):
    opened = Store.open(store_settings)
    yield opened
    opened.close()


@pytest.fixture
def book(store):
    return SnapshotBook(store, "w")


def test_a_snapshot_is_what_was_declared(book):
    snapshot, kept = book.keep(PLACE, [TABLE, OTHER], name=" first ", actor="ann")
    assert kept
    assert book.structures(snapshot.id) == (TABLE, OTHER)
    assert (snapshot.name, snapshot.tables, snapshot.taken_by) == ("first", 2, "ann")
    assert book.get(snapshot.id) == book.latest("shop", "main") == snapshot
    assert book.list() == [snapshot]


@pytest.mark.parametrize(
    "again",
    [
        [TABLE, OTHER],
        [OTHER, TABLE],  # told in another order
        [Structure("main", OTHER.name, "view", sql=OTHER.sql, rows=7, bytes=9), TABLE],  # grown
    ],
)
def test_a_schema_that_has_not_changed_is_not_kept_twice(book, again):
    first, _ = book.keep(PLACE, [TABLE, OTHER], actor="ann")
    second, kept = book.keep(PLACE, again, name="now named", actor="ben")
    assert not kept
    assert (second.id, second.taken_by, second.name) == (first.id, "ann", "now named")
    assert second.seen_at >= second.taken_at == first.taken_at
    third, _ = book.keep(PLACE, again, name="another name", actor="ben")
    assert third.name == "now named"
    assert len(book.list()) == 1


def test_a_schema_that_went_back_is_kept_again(book):
    for tables in ([TABLE], [OTHER], [TABLE]):
        book.keep(PLACE, tables, actor="ann")
    digests = [each.digest for each in book.list()]
    assert digests[0] == digests[2] != digests[1]


def test_schemas_without_tables_and_those_of_other_places_are_their_own(book, store):
    empty, _ = book.keep(PLACE, [], actor="ann")
    assert book.structures(empty.id) == ()
    assert book.keep(("shop", "other", "duckdb"), [], actor="ann")[1]
    assert SnapshotBook(store, "v").list() == []
    with pytest.raises(NotFound):
        SnapshotBook(store, "v").structures(empty.id)


def test_a_snapshot_is_renamed_and_deleted(book):
    snapshot, _ = book.keep(PLACE, [TABLE], actor="ann")
    assert book.rename(snapshot.id, "before 2.0").name == "before 2.0"
    with pytest.raises(InvalidInput, match="201 characters"):
        book.rename(snapshot.id, "x" * 201)
    book.delete(snapshot.id)
    for call in (book.delete, book.get, book.structures, lambda each: book.rename(each, "")):
        with pytest.raises(NotFound):
            call(snapshot.id)


def rewritten(store, book, body: bytes) -> str:
    """Put another body into a new snapshot, and return its id."""
    snapshot, _ = book.keep(PLACE, [TABLE], actor="ann")
    with store.begin() as session:
        session.execute(text("UPDATE schema_snapshot SET body = :body"), {"body": body})
    return snapshot.id


def test_a_snapshot_that_knew_less_is_read(store, book):
    old = {
        "schema": "main",
        "name": "t",
        "kind": "table",
        "columns": [{"name": "a", "type": "INTEGER"}],
        "constraints": [{"kind": "PRIMARY KEY", "columns": ["a"], "sql": "PRIMARY KEY(a)"}],
        "indexes": [{"name": "i", "unique": False, "sql": ""}],
    }
    told = gzip.compress(json.dumps({"schema_version": 1, "structures": [old]}).encode())
    (table,) = book.structures(rewritten(store, book, told))
    assert table.columns == (StructuredColumn("a", "INTEGER"),)
    assert table.constraints == (Constraint("PRIMARY KEY", ("a",), "PRIMARY KEY(a)"),)
    assert table.indexes == (Index("i", False, ""),)


def test_a_snapshot_of_a_newer_version_is_refused(store, book):
    told = gzip.compress(json.dumps({"schema_version": 2, "tables": {}}).encode())
    with pytest.raises(Conflict, match="newer version"):
        book.structures(rewritten(store, book, told))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"no gzip",
        gzip.compress(b"{}")[:-5],
        gzip.compress(b"[1]"),
        gzip.compress(b'{"schema_version": "one", "structures": []}'),
        gzip.compress(b'{"schema_version": 1, "structures": [{"name": "t"}]}'),
        gzip.compress(b'{"schema_version": 1, "structures": [{"surprise": 1}]}'),
    ],
    ids=["empty", "no gzip", "cut", "no object", "no number", "no columns", "a surprise"],
)
def test_a_snapshot_that_is_damaged_says_so(store, book, body):
    with pytest.raises(ConfigError, match="cannot be read any more"):
        book.structures(rewritten(store, book, body))
