"""Sources that tell their tables themselves: asked at once, and not waited for one by one."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import pytest

from core.engine.worker import listings as module
from core.engine.worker.activity import Activity
from core.engine.worker.listings import Listings
from core.errors import ConnectError, QueryCancelled
from core.structure import Structure

ITEMS = [Structure("main", "items")]


@pytest.fixture
def activity() -> Activity:
    return Activity(None)  # no call: nothing is reported


def test_all_are_asked_before_any_is_waited_for(activity):
    together = threading.Barrier(6)

    def ask() -> Sequence[Structure]:
        together.wait(10)
        return ITEMS

    told = Listings().told(dict.fromkeys("abcdef", ask), activity)
    assert told == dict.fromkeys("abcdef", (ITEMS, None))


def test_what_is_late_is_said_and_told_later(activity, monkeypatch):
    monkeypatch.setattr(module, "PATIENCE", 0.1)
    monkeypatch.setattr(module, "ANOTHER", 30.0)
    goes_on = threading.Event()

    def late() -> Sequence[Structure]:
        goes_on.wait(10)
        return ITEMS

    known = Listings()
    asks = {"late": late, "good": lambda: ITEMS}
    told = known.told(asks, activity)
    assert told["good"] == (ITEMS, None)
    assert told["late"][0] == ()
    assert "within 0.1 s" in told["late"][1].message
    goes_on.set()
    assert known.told(asks, activity)["late"] == (ITEMS, None)


def test_what_failed_is_not_waited_for_as_long_again(activity, monkeypatch):
    monkeypatch.setattr(module, "ANOTHER", 0.1)
    goes_on, answers = threading.Event(), iter([ConnectError("It is down."), ITEMS])

    def ask() -> Sequence[Structure]:
        answer = next(answers)
        if isinstance(answer, ConnectError):
            raise answer
        goes_on.wait(5)
        return answer

    known = Listings()
    for _ in range(2):  # with the time of PATIENCE the second would have been told the tables
        assert known.told({"shop": ask}, activity)["shop"][1].message == "It is down."
    goes_on.set()


def test_a_cancelled_call_stops_waiting(activity):
    goes_on = threading.Event()

    def ask() -> Sequence[Structure]:
        activity.cancel()
        goes_on.wait(10)
        return ITEMS

    with pytest.raises(QueryCancelled):
        Listings().told({"shop": ask}, activity)
    goes_on.set()
