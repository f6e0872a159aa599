"""What a run is given: it tells how far it is, and hears when it shall end."""

from __future__ import annotations

import pytest

from core.job import LOG_LINES, LOG_WIDTH, Options, Progress, Stopped, Task


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
