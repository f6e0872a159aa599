"""What a run is given: it tells how far it is, and hears when it shall end."""

from __future__ import annotations

import pytest

from core.job import LOG_LINES, LOG_WIDTH, PHASE_WIDTH, Options, Progress, Stopped, Task


@pytest.fixture
def task() -> Task[Options]:
    return Task(Options(), workspace="w", run="r")


@pytest.mark.parametrize(
    ("progress", "fraction", "eta"),
    [
        (Progress("rows", 25, 100, 5.0), 0.25, 15.0),
        (Progress("rows", 120, 100, 5.0), 1.0, 0.0),
        (Progress("rows", 25, 100, None), 0.25, None),
        (Progress("rows", 25, None, 5.0), None, None),
        (Progress("rows", 0, 0, None), None, None),
        (Progress(), None, None),
    ],
)
def test_how_far_and_how_long(progress, fraction, eta):
    assert (progress.fraction, progress.eta) == (fraction, eta)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (("rows", "3", None, 0), ("rows", 3.0, None, 0.0)),
        (("two\nlines", None, "many"), ("two lines", 0.0, None, None)),
        (("x" * 1000, -1, -1, -1), ("x" * PHASE_WIDTH, 0.0, None, None)),
        ((7, float("nan"), float("inf"), float("-inf")), ("7", 0.0, None, None)),
        (("rows", 10**400, 1e300, 1e300), ("rows", 0.0, None, None)),
        (("rows", True, False), ("rows", 1.0, 0.0, None)),
    ],
)
def test_what_no_store_takes_is_not_known(given, kept):
    told = Progress(*given)
    assert (told.phase, told.done, told.total, told.rate) == kept
    assert told == Progress(*kept)


def test_an_end_that_is_too_far_is_not_known():
    assert Progress("rows", 0, 1e15, 1e-300).eta is None


def test_a_phase_that_begins_in_the_midst_is_as_fast_as_from_there_on(task, monkeypatch):
    moment = [100.0]
    monkeypatch.setattr("core.job.time.monotonic", lambda: moment[0])
    task.progress("copy", 500, 1000)
    moment[0] += 10
    task.progress("copy", 550, 1000)
    assert task.told()[1] == Progress("copy", 550, 1000, 5.0)
    task.progress("copy", 400, 1000)
    assert task.told()[1].rate is None


def test_a_line_of_any_kind_is_logged(task):
    task.log(7)
    task.log(None)
    assert [line[20:] for line in task.told()[2].splitlines()] == ["7", "None"]


def test_the_rate_counts_from_the_beginning_of_a_phase(task, monkeypatch):
    moment = [100.0]
    monkeypatch.setattr("core.job.time.monotonic", lambda: moment[0])
    task.progress("read", 0, 50)
    assert task.told()[1].rate is None
    moment[0] += 4
    task.progress("read", 20, 50)
    assert task.told()[1] == Progress("read", 20, 50, 5.0)
    moment[0] += 4
    task.progress("write", 0, 10)
    moment[0] += 2
    task.progress("write", 1, 10)
    assert task.told()[1] == Progress("write", 1, 10, 0.5)


def test_the_end_of_the_log_is_kept_in_lines_that_fit(task):
    for number in range(LOG_LINES + 10):
        task.log(f"line {number}")
    task.log("two\nlines")
    task.log("x" * 10_000)
    lines = task.told()[2].splitlines()
    assert len(lines) == LOG_LINES
    assert [line[20:] for line in lines[-3:-1]] == ["two", "lines"]
    assert len(lines[-1]) == LOG_WIDTH


def test_the_first_reason_to_end_counts(task):
    task.check()
    assert not task.cancelled.is_set()
    task.stop("timeout")
    task.stop("cancelled")
    assert (task.stopped, task.cancelled.is_set()) == ("timeout", True)
    with pytest.raises(Stopped, match="timeout"):
        task.check()
