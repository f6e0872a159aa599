"""How soon an engine answers: a small query, a new workspace, a worker that was killed."""

from __future__ import annotations

import os
import signal
import tempfile
import time
from pathlib import Path
from statistics import median

from benchmarks import inputs
from benchmarks.figures import Figure
from benchmarks.opened import opened
from benchmarks.rounds import percentile, seconds, spoken, wait_for_quiet
from core.engine.engine import Engine
from core.engine.session import Session
from core.workbench import Workbench


def measure(small: int, starts: int) -> list[Figure]:
    """Take `small` small queries, and `starts` new and killed workers."""
    with opened() as workbench:
        return [
            _small_query(workbench, small),
            _new_workspace(workbench, starts),
            _killed_worker(workbench, starts),
        ]


def _small_query(workbench: Workbench, times: int) -> Figure:
    session = workbench.workspace().queries.session("answers")
    with inputs.floor(workbench.settings) as floor:
        _answer(session)
        ours, inside = [], []
        for at in range(times):
            if at % 50 == 0:
                wait_for_quiet()
            ours.append(seconds(lambda: _answer(session)))
            inside.append(seconds(lambda: floor.execute("SELECT 1").to_arrow_table()))
    how = f"median of {times}, p95 {spoken(percentile(ours, 95))}"
    how += f"; in-process {spoken(median(inside))}"
    return Figure("SELECT 1 through a session", median(ours) * 1e3, "ms", 1.0, how)


def _new_workspace(workbench: Workbench, times: int) -> Figure:
    taken = []
    for _ in range(times):
        time.sleep(2.5)  # the spare has come up: that is what is measured
        wait_for_quiet()
        with tempfile.TemporaryDirectory(prefix="millpond-") as folder:
            engine = workbench.engine(Path(folder))
            try:
                taken.append(seconds(lambda engine=engine: _answer(Session(engine, "first"))))
            finally:
                engine.close()
    how = f"median of {times}, slowest {spoken(max(taken))}"
    return Figure("First answer of a new workspace", median(taken) * 1e3, "ms", 100, how)


def _killed_worker(workbench: Workbench, times: int) -> Figure:
    engine = workbench.workspace().engine
    session = Session(engine, "killed")
    taken = []
    for _ in range(times):
        _answer(session)
        time.sleep(2.5)
        wait_for_quiet()
        taken.append(seconds(lambda: _kill_and_answer(engine, session)))
    how = f"from the kill -9, median of {times}, slowest {spoken(max(taken))}"
    return Figure("A killed worker answers again", median(taken) * 1e3, "ms", 500, how)


def _kill_and_answer(engine: Engine, session: Session) -> None:
    pid = engine.pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    while engine.pid == pid:
        time.sleep(0.0005)
    _answer(session)


def _answer(session: Session) -> None:
    run = session.run("SELECT 1")
    assert run.result is not None
    assert session.page(run, run.result).frame.item() == 1
