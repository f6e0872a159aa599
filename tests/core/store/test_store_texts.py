"""Whatever texts go to the store, and in whatever way, are stored, found, or nobody's."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy import insert, select, text

from core.store.documents import _DocumentRow
from core.store.store import Store

NOW = datetime(2026, 1, 2, tzinfo=UTC)


@pytest.fixture
def store(store_settings):
    opened = Store.open(store_settings)
    yield opened
    opened.close()


def row(number: int) -> dict:
    facts = {"workspace": "w", "revision": 0, "created_at": NOW}
    return {"id": f"id {number}", "kind": "quer\0y" if number % 2 else "query", **facts}


def kinds(store) -> list[str]:
    with store.read() as session:
        found = session.scalars(select(_DocumentRow.kind).order_by(_DocumentRow.id))
        return [each.replace("\0", "\N{REPLACEMENT CHARACTER}") for each in found]


def test_rows_are_added_in_all_ways(store):
    with store.begin() as session:
        session.add_all([_DocumentRow(**row(number)) for number in range(3)])
    with store.begin() as session:
        rows = [row(number) for number in range(3, 6)]
        told = session.execute(insert(_DocumentRow).returning(_DocumentRow.id), rows)
        assert len(told.all()) == 3
    with store.begin() as session:
        rows = [row(number) for number in range(6, 8)]
        session.connection().execute(insert(_DocumentRow.__table__), rows)
        session.execute(insert(_DocumentRow), row(8))
    odd = "quer\N{REPLACEMENT CHARACTER}y"
    assert kinds(store) == [odd if number % 2 else "query" for number in range(9)]


def test_what_cannot_be_stored_is_nobodys_id(store):
    with store.read() as session:
        assert session.get(_DocumentRow, "a\0b") is None
        named = {"id": "a\0b"}
        assert session.execute(text("SELECT 1 FROM document WHERE id = :id"), named).all() == []
        assert session.scalar(select(_DocumentRow.id).where(_DocumentRow.id.in_(["\0"]))) is None
