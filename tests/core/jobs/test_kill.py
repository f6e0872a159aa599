"""Three processes on one store, one of them killed again and again: nothing lost, nothing twice."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from core.jobs.models import Plan
from core.jobs.records import JobBook
from core.jobs.scheduler import Scheduler
from core.jobs.service import Jobs
from core.store.store import Store
from tests.core.jobs.kinds import EDITOR, Note, until

ROUNDS = int(os.environ.get("KILL_ROUNDS", "15"))
"""Kills of the long form; 200 take ten minutes."""

PROCESS = """
import sys, threading
from core.jobs.scheduler import Pace, Scheduler
from core.settings import Settings
from core.store.store import Store
from tests.core.jobs.kinds import Note

pace = Pace(poll=0.2, tell=0.1, beat=1, lease=20)
scheduler = Scheduler(Store.open(Settings()), pace=pace)
scheduler.register(Note(sys.argv[1]))
scheduler.start()
print("ready", flush=True)
threading.Event().wait()
"""


class Crowd:
    """Three processes that run jobs; who is killed is replaced."""

    def __init__(self, notes: Path, environment: dict[str, str]) -> None:
        self._command = [sys.executable, "-c", PROCESS, str(notes)]
        self._environment = environment | {"PYTHONPATH": os.getcwd()}
        self._processes = [self._process() for _ in range(3)]
        self.killed: set[int] = set()

    def _process(self) -> subprocess.Popen:
        process = subprocess.Popen(
            self._command, env=self._environment, stdout=subprocess.PIPE, text=True
        )
        assert process.stdout.readline() == "ready\n"
        return process

    def kill_one(self) -> None:
        chosen = random.choice(self._processes)
        time.sleep(random.uniform(0, 0.4))
        self._end(chosen)
        self.killed.add(chosen.pid)
        self._processes[self._processes.index(chosen)] = self._process()

    def end(self) -> None:
        for each in self._processes:
            self._end(each)

    def _end(self, process: subprocess.Popen) -> None:
        process.kill()
        process.wait()
        process.stdout.close()


def kill_and_count(settings, environment: dict[str, str], notes: Path, rounds: int) -> None:
    store = Store.open(settings)
    scheduler = Scheduler(store)  # not started: it knows the kind
    scheduler.register(Note(notes))
    jobs = Jobs(JobBook(store, "w"), scheduler, EDITOR)
    crowd = Crowd(notes, environment)
    try:
        # Each second some are due, and each job every five: time enough for one dead process.
        plans = [
            Plan(kind="note", title=f"T{n}", cron=f"{n % 5}-59/5 * * * * *") for n in range(10)
        ]
        scheduled = [jobs.add(plan) for plan in plans]
        for _ in range(rounds):
            for _ in range(random.randrange(3)):
                jobs.submit("note")
            crowd.kill_one()
        for job in scheduled:
            jobs.enable(job.id, False)
        until(lambda: not jobs.runs(state="waiting") and not jobs.runs(state="running"), 60)
    finally:
        crowd.end()
    runs = jobs.runs(limit=100_000)
    store.close()
    assert {run.state for run in runs} == {"succeeded"}
    for job in scheduled:
        dues = sorted(run.due for run in runs if run.job == job.id)
        assert dues == job.schedule.upcoming(len(dues), after=job.created_at)
    check_attempts(notes, runs, crowd.killed)


def check_attempts(notes: Path, runs: list, killed: set[int]) -> None:
    """Each attempt began once, and all but the last of a run died with its process."""
    lines = [line.split() for line in notes.read_text().splitlines()]
    began = Counter((run, int(attempt)) for what, run, attempt, _ in lines if what == "began")
    assert not [each for each, count in began.items() if count > 1]
    last = {run.id: run.attempt for run in runs}
    pids = {(run, int(attempt)): int(pid) for _, run, attempt, pid in lines}
    assert {run for run, _ in pids} == set(last)
    for (run, attempt), pid in pids.items():
        assert attempt <= last[run]
        # An attempt that was killed before it could note anything is not among them.
        assert attempt == last[run] or pid in killed
    for run in runs:
        assert began[run.id, run.attempt] == 1
        assert run.failures == run.attempt - 1


def test_every_time_runs_once_while_processes_are_killed(
    store_settings, store_environment, tmp_path
):
    kill_and_count(store_settings, store_environment, tmp_path / "notes", 3)


@pytest.mark.soak
@pytest.mark.timeout(1800)
def test_every_time_runs_once_through_many_kills(store_settings, store_environment, tmp_path):
    kill_and_count(store_settings, store_environment, tmp_path / "notes", ROUNDS)
