"""Kinds of jobs for the tests, a clock to set, and ways to wait for what threads do."""

from __future__ import annotations

import os
import random
import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from core.access import Actor
from core.job import JobKind, Options, Task
from core.jobs.models import JobRun
from core.jobs.records import database_now
from core.jobs.scheduler import Pace
from core.jobs.service import Jobs

QUICK = Pace(poll=0.05, tell=0.02, beat=0.05, lease=0.6, grace=0.5)
EDITOR = Actor("ann", "editor")


class Chosen(Options):
    """What a run is to do: nothing, fail, wait for `gate`, listen or not."""

    fail: int = 0
    """Attempts that fail before one succeeds."""
    wait: bool = False
    deaf: bool = False
    key: str = ""
    say: str = "It waits."


class Work(JobKind[Chosen]):
    """A kind whose runs do what their options say, and are counted."""

    name = "work"
    label = "Work"
    Options = Chosen
    timeout = 60
    back_off = 0.01

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.began: list[tuple[str, int]] = []
        self.most_at_once = 0
        self.now = 0
        self._lock = threading.Lock()

    def key(self, options: Chosen) -> str:
        return options.key

    def run(self, task: Task[Chosen]) -> dict[str, Any]:
        with self._lock:
            self.began.append((task.run, task.attempt))
            self.now += 1
            self.most_at_once = max(self.most_at_once, self.now)
        try:
            if task.options.wait:
                self._wait(task)
            if task.attempt <= task.options.fail:
                raise KeyError("secret detail")
            return {"attempt": task.attempt}
        finally:
            with self._lock:
                self.now -= 1

    def _wait(self, task: Task[Chosen]) -> None:
        task.log(task.options.say)
        task.progress("waiting", 0, 4)
        time.sleep(0.001)
        task.progress("waiting", 1, 4)
        while not self.gate.wait(0.005):
            if not task.options.deaf:
                task.check()


class Note(JobKind[Options]):
    """A kind that takes a moment, and notes in a file which process began and ended which run."""

    name = "note"
    label = "Note"
    retries = 20  # a run may be killed again and again
    back_off = 0.1

    def __init__(self, file: Path | str) -> None:
        self._file = Path(file)

    def run(self, task: Task[Options]) -> None:
        self._note("began", task)
        time.sleep(random.uniform(0, 0.5))
        task.check()
        self._note("ended", task)

    def _note(self, what: str, task: Task[Options]) -> None:
        # One write to a file opened for appending: lines of several processes do not mix.
        with self._file.open("ab", buffering=0) as file:
            file.write(f"{what} {task.run} {task.attempt} {os.getpid()}\n".encode())


class Clock:
    """The database's clock, set forward or back by `shift`."""

    def __init__(self) -> None:
        self.shift = timedelta()

    def __call__(self, session: Any) -> datetime:
        return database_now(session) + self.shift


def until(ask: Callable[[], Any], seconds: float = 30) -> Any:
    """Return the first true answer; fail after so long."""
    deadline = time.monotonic() + seconds
    while not (answer := ask()):
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.01)
    return answer


def ended(jobs: Jobs, run: JobRun) -> JobRun:
    """Wait for the end of a run."""
    until(lambda: jobs.run(run.id).ended)
    return jobs.run(run.id)
