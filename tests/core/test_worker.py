"""`millpond worker` runs jobs alone, beside others, and ends when it is told to."""

from __future__ import annotations

import signal
import subprocess
import sys
import time

import pytest

from core.access import LOCAL_OWNER
from core.jobs.records import JobBook
from core.jobs.scheduler import Scheduler
from core.jobs.service import Jobs
from core.store.store import Store

WORKER = [sys.executable, "-m", "core.cli", "worker"]


@pytest.fixture
def store(store_settings):
    opened = Store.open(store_settings)
    yield opened
    opened.close()


def test_a_worker_runs_what_others_ask_for_and_ends_on_a_signal(store, store_environment):
    jobs = Jobs(JobBook(store, "local"), Scheduler(store), LOCAL_OWNER)
    with subprocess.Popen(
        WORKER, env=store_environment, stderr=subprocess.PIPE, text=True
    ) as worker:
        assert worker.stderr.readline() == "Jobs run here now. Ctrl-C ends it.\n"
        (housekeeping,) = jobs.list()
        run = jobs.run_now(housekeeping.job.id)
        while not jobs.run(run.id).ended:
            assert worker.poll() is None
            time.sleep(0.05)
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(30) == 0
        assert worker.stderr.read() == ""
    ended = jobs.run(run.id)
    assert ended.state == "succeeded"
    assert {"queries": 0, "runs": 0}.items() <= ended.outcome.items()
    assert f":{worker.pid}:" in ended.owner
