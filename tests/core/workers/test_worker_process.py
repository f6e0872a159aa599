"""One worker process, from its start to every way in which it may end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from concurrent.futures import TimeoutError as FutureTimeout

import psutil
import pytest

from core.errors import InvalidInput, LimitExceeded, MillpondError, QueryCancelled, WorkerLost
from core.settings import APP_FOLDER
from core.workers.protocol import Frame
from core.workers.wall import Wall, runtime_paths
from core.workers.worker import Worker

PROBE = "tests.core.workers.probe"


def spec(note: str = "hello") -> dict:
    wall = Wall(read=(*runtime_paths(), str(APP_FOLDER / "tests")))
    return {"wall": wall.to_json(), "note": note, "env": {"GIVEN": "yes"}}


def until(condition, seconds: float = 20) -> bool:
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.02)
    return condition()


def gone(pid: int) -> bool:
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


@pytest.fixture(scope="module")
def shared():
    worker = Worker(PROBE)
    worker.open(spec())
    yield worker
    worker.close()


@pytest.fixture
def worker():
    """A worker that may be broken."""
    worker = Worker(PROBE)
    worker.open(spec())
    yield worker
    worker.close(0.5)


def test_a_call_is_answered_in_parts_and_an_end(shared: Worker) -> None:
    parts: list[Frame] = []
    call = shared.start("echo", {"a": [1, None, "ä"]}, body=b"bytes", on_part=parts.append)
    end = call.answer.result(10)
    assert end.head["args"] == {"a": [1, None, "ä"]}
    assert parts == [Frame({"n": 1}, b"bytes")]
    assert not shared.busy


def test_a_part_that_cannot_be_taken_does_not_stop_the_answer(shared: Worker) -> None:
    call = shared.start("echo", {}, on_part=lambda _: 1 / 0)
    assert call.answer.result(10).head["args"] == {}


def test_a_worker_sees_no_environment_but_what_it_is_given(shared: Worker) -> None:
    assert shared.call("echo", 10).head["env"] == {"GIVEN": "yes"}


@pytest.mark.parametrize(
    ("op", "kind", "words"),
    [
        ("fail", InvalidInput, "This cannot be"),
        ("crash", MillpondError, "RuntimeError: a mistake"),
        ("memory", LimitExceeded, "out of memory"),
    ],
)
def test_what_a_service_raises_is_raised_here(
    shared: Worker, op: str, kind: type[MillpondError], words: str
) -> None:
    with pytest.raises(kind, match=words):
        shared.call(op, 10)
    assert shared.ping(10)


def test_a_stray_print_does_not_break_the_protocol(shared: Worker) -> None:
    shared.call("say", 10)
    assert shared.ping(10)


def test_a_call_is_cancelled_and_others_are_not(shared: Worker) -> None:
    first, second = (shared.start("sleep", {"seconds": 60}) for _ in range(2))
    while not first.answer.done():  # one that comes before the call is known is lost
        shared.cancel(first)
        time.sleep(0.02)
    assert isinstance(first.answer.exception(), QueryCancelled)
    assert not second.answer.done()
    while not second.answer.done():
        shared.cancel(second)
        time.sleep(0.02)


def test_being_asked_for_its_health_is_not_work(shared: Worker) -> None:
    shared.call("echo", 10)
    used = shared.last_used
    assert shared.ping(10)
    assert shared.last_used == used


@pytest.mark.parametrize(
    ("op", "args", "words"),
    [
        ("exit", {"code": 3}, "exit code 3"),
        ("unknown_answer", {}, "it broke the protocol"),
        ("opened_again", {}, "it broke the protocol"),
        ("bad_error", {}, "it broke the protocol"),
    ],
)
def test_however_a_worker_ends_its_callers_hear_of_it(
    worker: Worker, op: str, args: dict, words: str
) -> None:
    waiting = worker.start("sleep", {"seconds": 60})
    with pytest.raises(WorkerLost, match=words):
        worker.call(op, 20, **args)
    assert isinstance(waiting.answer.exception(20), WorkerLost)
    assert not worker.alive
    with pytest.raises(WorkerLost):
        worker.start("echo", {})
    assert until(lambda: gone(worker.pid))


def test_a_worker_that_is_killed_takes_no_more_calls(worker: Worker) -> None:
    call = worker.start("sleep", {"seconds": 60})
    worker.kill("it was in the way")
    assert not worker.alive  # at once, before the process is gone
    with pytest.raises(WorkerLost):
        worker.start("echo", {})
    assert "it was in the way" in str(call.answer.exception(20))


def test_a_worker_that_could_not_be_told_something_is_not_asked_again(worker: Worker) -> None:
    os.kill(worker.pid, signal.SIGKILL)
    with pytest.raises(WorkerLost):
        _ask_until_it_fails(worker)
    assert not worker.alive


def _ask_until_it_fails(worker: Worker) -> None:
    while True:
        worker.start("echo", {})


def test_a_stopped_worker_does_not_answer_and_can_be_closed(worker: Worker) -> None:
    os.kill(worker.pid, signal.SIGSTOP)
    assert not worker.ping(0.2)
    with pytest.raises(FutureTimeout):
        worker.call("echo", 0.2)
    worker.close(0.2)
    assert gone(worker.pid)


def test_an_idle_worker_retires_and_a_busy_one_does_not(worker: Worker) -> None:
    call = worker.start("sleep", {"seconds": 60})
    assert not worker.retire()
    while not call.answer.done():
        worker.cancel(call)
        time.sleep(0.02)
    assert not worker.retire(idle=60)
    assert worker.retire()
    with pytest.raises(WorkerLost):
        worker.start("echo", {})


@pytest.mark.parametrize(
    ("note", "kind", "words"),
    [
        ("refuse", InvalidInput, "It may not open"),
        ("break", MillpondError, "could not start: RuntimeError: It cannot open"),
    ],
)
def test_a_worker_that_cannot_open_says_why_and_ends(
    note: str, kind: type[MillpondError], words: str
) -> None:
    worker = Worker(PROBE)
    with pytest.raises(kind, match=words):
        worker.open(spec(note))
    worker.close()
    assert gone(worker.pid)


def test_a_module_that_there_is_not_is_an_error_and_no_wait() -> None:
    worker = Worker("tests.core.workers.no_such_module")
    with pytest.raises(WorkerLost, match="exit code 1"):
        worker.open(spec())


PARENT = """
import json, sys
from pathlib import Path
from core.engine.engine import Engine
from core.engine.reach import Reach
from core.engine.session import Session
from core.settings import Settings
from core.workers.supervisor import Supervisor
home = Path(sys.argv[1])
settings = Settings(home=home, start_folder=home, memory_limit=300_000_000)
supervisor = Supervisor(idle_stop=900)
engine = Engine(supervisor, settings, home / "w", reach=Reach, attachments=list)
session = Session(engine, "s")
session.run("select 1")
supervisor.warm("core.engine.worker.service")
session.start("select count(*) from range(1000000) a(i), range(1000000) b(j) where i * j % 7 = 3")
import psutil
print(json.dumps([child.pid for child in psutil.Process().children()]), flush=True)
sys.stdin.read()
"""


def test_workers_do_not_outlive_an_app_that_is_killed(tmp_path) -> None:
    app = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(PARENT), str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=APP_FOLDER,
    )
    with app:
        assert app.stdout is not None
        pids = [int(pid) for pid in app.stdout.readline().strip("[]\n").split(",")]
        assert len(pids) == 2  # one at work, one spare
        app.kill()
    assert until(lambda: all(gone(pid) for pid in pids))
