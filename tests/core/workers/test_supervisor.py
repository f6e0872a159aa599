"""Spares, slots, renewal and idle time, with real processes."""

from __future__ import annotations

import os
import signal
import threading
import time

import psutil
import pytest

from core.errors import InvalidInput, WorkerLost
from core.settings import APP_FOLDER
from core.workers.supervisor import BREATH, Supervisor
from core.workers.wall import Wall, runtime_paths
from core.workers.worker import Worker

SPARES = True

PROBE = "tests.core.workers.probe"


def spec(note: str = "hello") -> dict:
    wall = Wall(read=(*runtime_paths(), str(APP_FOLDER / "tests")))
    return {"wall": wall.to_json(), "note": note}


def until(condition, seconds: float = 20) -> bool:
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.02)
    return condition()


def children() -> set[int]:
    return {child.pid for child in psutil.Process().children() if lives(child)}


def lives(process: psutil.Process) -> bool:
    try:
        return process.status() != "zombie"
    except psutil.NoSuchProcess:  # it was reaped since it was listed
        return False


@pytest.fixture
def supervisor():
    before = children()
    supervisor = Supervisor(idle_stop=900)
    yield supervisor
    supervisor.close()
    assert until(lambda: children() <= before)


def nothing(worker: Worker) -> None:
    """Replay nothing."""


def test_the_spare_is_what_the_next_slot_gets(supervisor: Supervisor) -> None:
    supervisor.warm(PROBE)
    supervisor.warm(PROBE)
    (spare,) = children()
    assert supervisor.slot(PROBE, spec, nothing).worker().pid == spare
    assert until(lambda: len(children()) == 2)  # the next spare comes behind it


def test_a_spare_that_died_is_not_handed_out(supervisor: Supervisor) -> None:
    supervisor.warm(PROBE)
    (spare,) = children()
    os.kill(spare, signal.SIGKILL)
    assert until(lambda: not children())
    worker = supervisor.slot(PROBE, spec, nothing).worker()
    assert worker.pid != spare
    assert worker.ping(10)


def test_a_slot_keeps_its_worker_and_replays_into_each_new_one(supervisor: Supervisor) -> None:
    replayed: list[int] = []
    slot = supervisor.slot(PROBE, spec, lambda worker: replayed.append(worker.pid))
    first = slot.worker()
    assert slot.worker() is first
    first.kill("of a test")
    second = slot.worker()
    assert replayed == [first.pid, second.pid]
    assert slot.starts == 2
    assert not psutil.pid_exists(first.pid)  # gone before the next one began


def test_many_callers_at_once_get_one_worker(supervisor: Supervisor) -> None:
    slot = supervisor.slot(PROBE, spec, nothing)
    pids: list[int] = []
    callers = [threading.Thread(target=lambda: pids.append(slot.worker().pid)) for _ in range(8)]
    for each in callers:
        each.start()
    for each in callers:
        each.join()
    assert len(pids) == 8
    assert len(set(pids)) == slot.starts == 1


def test_a_worker_that_cannot_start_leaves_nothing_and_may_be_tried_again(
    supervisor: Supervisor,
) -> None:
    notes = iter(["refuse", "hello"])
    slot = supervisor.slot(PROBE, lambda: spec(next(notes)), nothing)
    with pytest.raises(InvalidInput):
        slot.worker()
    assert slot.current is None
    assert slot.worker().ping(10)
    assert slot.starts == 1


def test_a_new_wall_means_a_new_worker(supervisor: Supervisor) -> None:
    notes = iter(["first", "second"])
    slot = supervisor.slot(PROBE, lambda: spec(next(notes)), nothing)
    assert slot.worker().call("echo", 10).head["spec"] == "first"
    slot.renew()
    assert slot.worker().call("echo", 10).head["spec"] == "second"
    assert slot.starts == 2


def test_a_busy_worker_is_renewed_when_it_is_free(supervisor: Supervisor) -> None:
    slot = supervisor.slot(PROBE, spec, nothing)
    worker = slot.worker()
    call = worker.start("sleep", {"seconds": 60})
    slot.renew()
    assert slot.worker() is worker
    assert not call.answer.done()
    while not call.answer.done():
        worker.cancel(call)
        time.sleep(0.02)
    assert slot.worker() is not worker


def test_a_renewal_before_the_first_use_starts_nothing(supervisor: Supervisor) -> None:
    slot = supervisor.slot(PROBE, spec, nothing)
    slot.renew()
    assert slot.current is None
    assert slot.starts == 0


def test_an_idle_worker_is_stopped_and_a_busy_one_is_not(supervisor: Supervisor) -> None:
    slot = supervisor.slot(PROBE, spec, nothing)
    worker = slot.worker()
    call = worker.start("sleep", {"seconds": 60})
    slot.stop_if_idle(0)
    assert slot.current is worker
    while not call.answer.done():
        worker.cancel(call)
        time.sleep(0.02)
    slot.stop_if_idle(60)
    assert slot.current is worker
    slot.stop_if_idle(0)
    assert slot.current is None
    assert not psutil.pid_exists(worker.pid)
    assert slot.worker().ping(10)


def test_idle_workers_are_found_without_being_asked() -> None:
    supervisor = Supervisor(idle_stop=0.1)
    slot = supervisor.slot(PROBE, spec, nothing)
    slot.worker()
    assert until(lambda: slot.current is None)
    supervisor.close()


def test_after_the_close_nothing_runs_and_nothing_starts() -> None:
    before = children()
    supervisor = Supervisor(idle_stop=900)
    slots = [supervisor.slot(PROBE, spec, nothing) for _ in range(2)]
    workers = [slot.worker() for slot in slots]
    call = workers[0].start("sleep", {"seconds": 60})
    supervisor.close()
    assert isinstance(call.answer.exception(10), WorkerLost)
    assert until(lambda: children() <= before)
    for slot in slots:
        with pytest.raises(WorkerLost):
            slot.worker()
    supervisor.warm(PROBE)
    time.sleep(BREATH + 0.1)  # longer than a spare waits behind the one that was taken
    assert children() <= before


def test_descriptors_and_threads_do_not_pile_up(supervisor: Supervisor) -> None:
    slot = supervisor.slot(PROBE, spec, nothing)
    slot.worker()
    app = psutil.Process()
    assert until(lambda: len(children()) == 2)
    before = app.num_fds(), threading.active_count()
    for _ in range(4):
        slot.worker().kill("of a test")
        slot.worker()
    assert until(lambda: len(children()) == 2)
    assert until(lambda: app.num_fds() <= before[0] + 2)
    assert until(lambda: threading.active_count() <= before[1] + 2)
