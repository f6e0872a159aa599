"""A process is told apart from all others: dead ones, those elsewhere, and one with its pid."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import psutil
import pytest

from core.store import owner
from core.store.owner import is_elsewhere, is_gone, this_process

SAY_AND_WAIT = """
import sys
from core.store.owner import this_process
print(this_process(), flush=True)
sys.stdin.readline()
"""


def test_this_process_is_here():
    assert this_process() == this_process()
    assert f":{os.getpid()}:" in this_process()
    assert not is_gone(this_process())
    assert not is_elsewhere(this_process())


def test_another_process_is_gone_when_it_is_dead_though_not_yet_buried():
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen([sys.executable, "-c", SAY_AND_WAIT], **pipes) as other:
        name = other.stdout.readline().strip()
        assert not is_gone(name)
        assert not is_gone(f"{name}#part")
        other.kill()
        while psutil.Process(other.pid).status() != psutil.STATUS_ZOMBIE:
            time.sleep(0.01)
        assert is_gone(name)
        assert is_gone(f"{name}#part")
    assert is_gone(name)


def test_a_process_that_has_the_pid_of_a_dead_one_is_another():
    assert is_gone(f"{this_process()}9")


@pytest.mark.parametrize("place", ["another host", "another/machine/4026531836"])
def test_nothing_is_known_of_another_machine(place):
    elsewhere = f"{place}:1:0"
    assert is_elsewhere(elsewhere)
    assert not is_gone(elsewhere)


def test_setting_the_clock_makes_nobody_another(monkeypatch):
    started = owner._started(os.getpid())
    monkeypatch.setattr(psutil, "boot_time", lambda: 0.0)
    monkeypatch.setattr(psutil.Process, "create_time", lambda self: 0.0)
    if sys.platform == "linux":
        assert owner._started(os.getpid()) == started
