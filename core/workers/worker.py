"""The web process's side of one worker: start it, call it, stop it, learn how it ended.

A worker is a plain subprocess that speaks frames over a socket pair. Restarting, spares and idle
time are the supervisor's business.
"""

from __future__ import annotations

import itertools
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from core.errors import LimitExceeded, MillpondError, WorkerLost
from core.settings import APP_FOLDER
from core.workers import grip
from core.workers.broker import Broker
from core.workers.protocol import Channel, Closed, Frame, error_from_json
from core.workers.wall import Isolation

log = logging.getLogger(__name__)

START_TIMEOUT = 60.0
"""Seconds a worker has to come up on a machine that is very busy."""


@dataclass
class Pending:
    """A call under way: `on_part` receives each part, `answer` its end or its error.

    One that does not count as work leaves the worker idle.
    """

    id: int
    on_part: Callable[[Frame], None] | None
    counts: bool = True
    answer: Future[Frame] = field(default_factory=Future)


class Worker:
    """One worker process. Safe to call from any thread."""

    def __init__(self, module: str, *packages: str) -> None:
        """Start one that runs `module`; `packages` are imported before its wall goes up."""
        self.isolation: Isolation | None = None
        self.last_used = time.monotonic()
        self._ids = itertools.count(1)
        self._pending: dict[int, Pending] = {}
        self._lock = threading.Lock()
        self._ready: Future[Frame] = Future()
        self._opened: Future[Frame] = Future()
        self._lost: WorkerLost | None = None
        self._hosts: tuple[str, ...] = ()
        self._broker: Broker | None = None
        self._blame = ""
        self._doomed = False
        self._process, self._channel = _spawn(module, *packages)
        threading.Thread(target=self._listen, name=f"worker-{self.pid}", daemon=True).start()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def alive(self) -> bool:
        return self._lost is None and not self._doomed and self._process.poll() is None

    @property
    def busy(self) -> bool:
        return bool(self._pending)

    def wait_ready(self, timeout: float = START_TIMEOUT) -> None:
        """Wait until its imports are done."""
        self._await(self._ready, timeout)

    def open(self, spec: dict[str, Any]) -> Isolation:
        """Send the spec, and wait until the worker is walled in and serves."""
        self.wait_ready()
        self._hosts = tuple(spec["wall"].get("hosts", ()))
        try:
            self._channel.send(spec | {"brokered": grip.offered(self.pid)})
        except Closed as error:
            raise self._lost or WorkerLost("The worker stopped before it could start.") from error
        frame = self._await(self._opened, START_TIMEOUT)
        if "failed" in frame.head:
            self.kill("it could not start")
            raise error_from_json(frame.head["failed"])
        self.isolation = Isolation.from_json(frame.head["opened"])
        return self.isolation

    def start(
        self,
        op: str,
        args: dict[str, Any],
        *,
        body: Any = b"",
        on_part: Callable[[Frame], None] | None = None,
    ) -> Pending:
        """Begin a call. Parts arrive on the listening thread, so `on_part` must not wait."""
        call = Pending(next(self._ids), on_part, counts=op != "ping")
        with self._lock:
            if self._lost is not None or self._doomed:
                raise self._lost or WorkerLost("The worker is being stopped.")
            self._pending[call.id] = call
            if call.counts:
                self.last_used = time.monotonic()
        try:
            self._channel.send({"id": call.id, "op": op, "args": args}, body)
        except Closed as error:
            with self._lock:
                self._pending.pop(call.id, None)
                self._doomed = True  # the listener has yet to notice: who asks again gets another
            raise self._lost or WorkerLost("The worker is not running any more.") from error
        except LimitExceeded:
            self._pending.pop(call.id, None)
            raise
        return call

    def call(self, op: str, timeout: float | None = None, **args: Any) -> Frame:
        """Make a call and wait for its end. Raises what the worker raised, or WorkerLost."""
        return self.start(op, args).answer.result(timeout)

    def cancel(self, call: Pending) -> None:
        """Ask the worker to interrupt a call; harmless when it has ended."""
        with suppress(Closed):
            self._channel.send_soon({"id": 0, "op": "cancel", "args": {"call": call.id}})

    def ping(self, timeout: float) -> bool:
        """Tell whether the worker answers."""
        try:
            call = self.start("ping", {})
        except MillpondError:
            return False
        try:
            call.answer.result(timeout)
        except (MillpondError, FutureTimeout):
            self._pending.pop(call.id, None)
            return False
        return True

    def refused_since(self, moment: float) -> tuple[str, ...]:
        """Return hosts that it was kept from, `address:port` or a name, since a monotonic time."""
        refused = [] if self._broker is None else [*self._broker.refused]
        return tuple(dict.fromkeys(what for when, what in refused if when >= moment))

    def retire(self, idle: float = 0) -> bool:
        """Take no more calls, if none is under way and the last one is `idle` seconds ago."""
        with self._lock:
            if self._pending or time.monotonic() - self.last_used < idle:
                return False
            self._doomed = True
            return True

    def kill(self, why: str) -> None:
        """End it at once; calls under way fail with WorkerLost, which says why."""
        with self._lock:
            self._doomed = True
            self._blame = self._blame or why
        self._process.kill()

    def close(self, timeout: float = 5.0) -> None:
        """Let it end by closing its pipe; kill it when it does not."""
        with self._lock:
            self._doomed = True
            self._blame = self._blame or "it was stopped"
        self._channel.close()
        try:
            self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _await(self, answer: Future[Frame], timeout: float) -> Frame:
        try:
            return answer.result(timeout)
        except FutureTimeout:
            self.kill(f"it did not start within {timeout:.0f} s")
            raise WorkerLost(
                f"The worker did not start within {timeout:.0f} s.",
                hint="The machine may be overloaded; try again.",
            ) from None

    def _listen(self) -> None:
        try:
            while True:
                self._dispatch(self._channel.receive())
        except Closed:
            pass
        except Exception:  # a worker that was taken over may send anything
            log.exception("worker %s sent what no worker sends", self.pid)
            self.kill("it broke the protocol")
        self._bury()

    def _dispatch(self, frame: Frame) -> None:
        head = frame.head
        if "ready" in head:
            self._ready.set_result(frame)
        elif "listener" in head:
            self._mediate(head["listener"])
        elif "opened" in head or "failed" in head:
            self._opened.set_result(frame)
        elif (call := self._pending.get(head["id"])) is not None:
            self._deliver(call, frame)

    def _mediate(self, listener: int) -> None:
        """Answer its connects from now on. Only asked for before users' code can run in it."""
        if self._opened.done() or self._broker is not None:
            raise ValueError("its connections are watched already")
        try:
            self._broker = Broker(self.pid, listener, self._hosts)
        except OSError as error:
            self.kill(f"its connections could not be watched: {error.strerror}")
            return
        if self._process.poll() is None:  # else the number may be another process's by now
            self._channel.send({"heard": True})

    def _deliver(self, call: Pending, frame: Frame) -> None:
        head = frame.head
        if "part" in head:
            if call.on_part is not None:
                try:
                    call.on_part(Frame(head["part"], frame.body))
                except Exception:  # the listener must survive its callers
                    log.exception("a part of call %s could not be delivered", call.id)
            return
        # Read before it is taken off the list: who sends nonsense is buried, with all on the list.
        error = error_from_json(head["error"]) if "error" in head else None
        end = Frame(head["end"], frame.body) if error is None else None
        self._pending.pop(call.id, None)
        if call.counts:
            self.last_used = time.monotonic()
        if error is not None:
            call.answer.set_exception(error)
        elif end is not None:
            call.answer.set_result(end)

    def _bury(self) -> None:
        """Learn how the process ended, and tell all who wait."""
        try:
            code = self._process.wait(2)
        except subprocess.TimeoutExpired:
            self._process.kill()
            code = self._process.wait()
        reason = self._blame or _describe_exit(code)
        with self._lock:
            self._lost = WorkerLost(
                f"The engine stopped while it worked: {reason}.",
                hint="It is started again by the next query; nothing that was saved is lost.",
            )
            calls = [*self._pending.values()]
            self._pending.clear()
        self._channel.release()
        for answer in (self._ready, self._opened, *(call.answer for call in calls)):
            if not answer.done():
                answer.set_exception(self._lost)


def _spawn(module: str, *packages: str) -> tuple[subprocess.Popen[bytes], Channel]:
    # The environment is cleared: nothing secret may reach a worker. -P: no import from the cwd.
    keep = ("LANG", "LC_ALL", "TZ", "SYSTEMROOT", "TMPDIR")
    environment = {name: os.environ[name] for name in keep if name in os.environ}
    environment["PYTHONPATH"] = str(APP_FOLDER)
    # A wall binds one thread, so a worker must have no other when it enters.
    environment["OPENBLAS_NUM_THREADS"] = "1"
    environment["JE_ARROW_MALLOC_CONF"] = "background_thread:false"
    # Arrow's default takes 1 GiB of address space at its start, which counts against the wall's
    # limit on memory as if it were used.
    environment["ARROW_DEFAULT_MEMORY_POOL"] = "system"
    # A socket pair and no pipes: SQL could open a pipe as /dev/fd/N and speak for the worker.
    ours, theirs = socket.socketpair()
    with ours, theirs:
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "core.workers.child", module, *packages],
            stdin=theirs.fileno(),
            stdout=theirs.fileno(),
            env=environment,
            start_new_session=True,  # Ctrl-C in the terminal is the app's to handle
        )
        return process, Channel(os.dup(ours.fileno()), os.dup(ours.fileno()))


def _describe_exit(code: int) -> str:
    if code == -signal.SIGKILL:
        return "it was killed, most likely because the machine ran out of memory"
    if code < 0:
        return f"it crashed ({signal.strsignal(-code) or -code})"
    return f"it ended with exit code {code}"
