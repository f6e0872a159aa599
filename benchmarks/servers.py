"""Servers to measure: Millpond, the bare app and a peer, each in a process of its own."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from benchmarks.inputs import FOLDER

ROOT = Path(__file__).resolve().parent.parent

BARE = Path(__file__).with_name("bare.py")
MILLPOND = ROOT / "app.py"
MARIMO = Path(__file__).with_name("peer.py")

_BYTECODE = ("PYTHONDONTWRITEBYTECODE", "PYTHONPYCACHEPREFIX")
"""What would have each server compile every module again, which no user's does."""

QUIET = 0.3
"""Seconds without CPU time after which a server is said to idle."""


@dataclass(frozen=True)
class Server:
    """A running server; `started` is `time.perf_counter` before its process was."""

    url: str
    port: int
    process: psutil.Process
    started: float

    def answers(self) -> bool:
        """Tell whether it accepts connections."""
        with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=1):
            return True
        return False

    def wait(self) -> None:
        """Wait until it accepts connections. Raises RuntimeError when it ends instead."""
        while not self.answers():
            if not self.process.is_running() or self.process.status() == psutil.STATUS_ZOMBIE:
                raise RuntimeError(f"The server on port {self.port} ended at its start.")
            time.sleep(0.005)

    def tree(self) -> list[psutil.Process]:
        """Return its process and all below it."""
        return [self.process, *self.process.children(recursive=True)]

    def memory(self) -> int:
        """Return the bytes of all its processes; what they share counts once."""
        return sum(each.memory_full_info().pss for each in self.tree())

    def settle(self, *, workers_only: bool = False) -> float:
        """Wait until it idles, and return `time.perf_counter` of the last moment it did not."""
        last, used = time.perf_counter(), self._cpu(workers_only)
        while time.perf_counter() - last < QUIET:
            time.sleep(0.02)
            now = self._cpu(workers_only)
            if now - used > 0.01:  # the clock of CPU time ticks every 10 ms
                last, used = time.perf_counter(), now
        return last

    def _cpu(self, workers_only: bool) -> float:
        used = 0.0
        for each in self.tree()[1 if workers_only else 0 :]:
            with suppress(psutil.NoSuchProcess):
                times = each.cpu_times()
                used += times.user + times.system
        return used


@contextmanager
def serving(script: Path, home: Path | None = None, *, compiled: bool = True) -> Iterator[Server]:
    """Start a script with the inputs' folder granted, in a new home or one used before; end it.

    Not `compiled`: as right after an installation, when Python has kept no module's bytecode yet.
    """
    FOLDER.mkdir(parents=True, exist_ok=True)
    port = _free_port()
    with tempfile.TemporaryDirectory(prefix="millpond-") as new:
        environment = {
            **{name: value for name, value in os.environ.items() if name not in _BYTECODE},
            "MILLPOND_HOME": str(home or new),
            "MILLPOND_START_FOLDER": str(FOLDER),
        }
        if not compiled:
            environment["PYTHONPYCACHEPREFIX"] = str(Path(new) / "bytecode")
        started = time.perf_counter()
        process = subprocess.Popen(
            [sys.executable, "-m", *_command(script, port, Path(new))],
            cwd=ROOT,
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            url = f"http://127.0.0.1:{port}"
            yield Server(url, port, psutil.Process(process.pid), started)
        finally:
            process.terminate()
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _command(script: Path, port: int, folder: Path) -> list[str]:
    if script == MARIMO:
        asked = ["--headless", "--no-token", "--skip-update-check", "--port", str(port)]
        notebook = shutil.copy(script, folder)  # marimo writes beside its notebooks
        return ["marimo", "edit", *asked, notebook]
    asked = ["--server.port", str(port), "--server.headless", "true"]
    return ["streamlit", "run", *asked, str(script)]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
