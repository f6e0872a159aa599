"""The kept profiles: the last of each table, in the store."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from core.catalog import records
from core.catalog.records import ProfileLog
from core.catalog.table_profile import TableProfile
from core.engine.profile import read
from core.engine.results import Column
from core.store.store import Store

COLUMN = read(
    Column("größe\x00", "DOUBLE"),
    '{"rows": 4, "nulls": 1, "distinct": 2, "nans": 0, "min": "1.5", "max": "inf", "low": 1.5, '
    '"high": 2.5, "sane": 2, "sum": 0, "squares": 0.5, "quantiles": [1.5, 2.5, 1.5, 2.5, 1.5, 2.5,'
    '1.5, 2.5, 1.5, 2.5], "bins": [[0, 1], [19, 1]], "top": [{"item": "1.5", "times": 2}]}',
)


@pytest.fixture
def log(store_settings):
    store = Store.open(store_settings)
    yield ProfileLog(store, "local")
    store.close()


def profile(day: int) -> TableProfile:
    taken_at = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=day)
    return TableProfile(taken_at, day, day, True, (COLUMN,))


def test_a_profile_is_kept_whole(log):
    log.keep("files.main.x", profile(3), actor="ann")
    assert log.list("files.main.x") == [profile(3)]
    assert log.list("files.main.y") == []


def test_the_last_of_each_table_are_kept_newest_first(log, monkeypatch):
    monkeypatch.setattr(records, "KEPT", 3)
    log.keep("other", profile(0), actor="ann")
    for day in range(5):
        log.keep("x", profile(day), actor="ann")
    assert [each.rows for each in log.list("x")] == [4, 3, 2]
    assert [each.rows for each in log.list("other")] == [0]


def test_housekeeping_lets_the_oldest_of_all_go(log):
    for day in range(5):
        log.keep(f"t{day}", profile(day), actor="ann")
    assert log.prune(2) == 3
    assert log.prune(2) == 0
    assert [len(log.list(f"t{day}")) for day in range(5)] == [0, 0, 0, 1, 1]
