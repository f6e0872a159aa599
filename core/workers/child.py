"""The child's side: `python -m core.workers.child MODULE [PACKAGE ...]` becomes a worker.

It imports the packages and MODULE while it waits (that is what a warm spare is), walls itself in
as its first message says, lets `MODULE.open(spec, isolation)` build the service, and answers calls
until its channel closes. It never outlives the web process: the end of the channel ends it.
"""

from __future__ import annotations

import contextlib
import importlib
import logging
import os
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, Protocol

from core import redaction
from core.errors import LimitExceeded, MillpondError
from core.workers.protocol import Channel, Closed, Frame, error_to_json
from core.workers.wall import Isolation, Wall, enter

log = logging.getLogger(__name__)


class Call:
    """One request in the worker: what was asked, and the way to answer."""

    def __init__(self, channel: Channel, frame: Frame) -> None:
        self._channel = channel
        self.id: int = frame.head["id"]
        self.op: str = frame.head["op"]
        self.args: dict[str, Any] = frame.head["args"]
        self.body = frame.body

    def send(self, head: dict[str, Any], body: Any = b"") -> None:
        """Send a part of the answer; more follows."""
        self._channel.send({"id": self.id, "part": head}, body)

    def finish(self, head: dict[str, Any], body: Any = b"") -> None:
        """Send the end of the answer."""
        self._channel.send({"id": self.id, "end": head}, body)

    def fail(self, error: MillpondError) -> None:
        """End with an error instead of an answer."""
        self._channel.send({"id": self.id, "error": error_to_json(error)})


class Service(Protocol):
    """What a worker's own module builds in `open`."""

    def handle(self, call: Call) -> None:
        """Answer one call, in a thread of its own; an exception becomes its error."""

    def cancel(self, call_id: int) -> bool:
        """Interrupt a running call; called from the reading thread, so it must not wait."""


def main() -> None:
    """Run a worker on the socket that was standard input and output."""
    channel = _take_over_channel()
    redaction.install()
    for package in sys.argv[2:]:
        importlib.import_module(package)  # the folder it lies in cannot be listed later
    module = importlib.import_module(sys.argv[1])
    with contextlib.suppress(Closed):
        channel.send({"ready": os.getpid()})
        spec = channel.receive().head
        service = _open(channel, module.open, spec)
        if service is not None:
            _serve(channel, service)
    os._exit(0)  # threads may sit in native code: there is nothing to wait for


def _take_over_channel() -> Channel:
    """Keep the channel for frames only: a stray print must not break the protocol."""
    channel = Channel(os.dup(0), os.dup(1))
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 0)
    os.dup2(null, 1)  # DuckDB's profiler prints there, for anybody who asks it to
    os.close(null)
    return channel


def _open(
    channel: Channel, build: Callable[[dict[str, Any], Isolation], Service], spec: dict[str, Any]
) -> Service | None:
    try:
        if spec.get("cwd"):
            os.chdir(spec["cwd"])
        os.environ.clear()
        os.environ.update(spec.get("env", {}))
        wall = Wall.from_json(spec["wall"])
        if wall.hosts:
            os.environ["RES_OPTIONS"] = "use-vc"  # DNS over TCP: there is no UDP behind the wall
        isolation = enter(wall, partial(_hand_over, channel) if spec.get("brokered") else None)
        service = build(spec, isolation)
    except MillpondError as error:
        channel.send({"failed": error_to_json(error)})
    except Closed:
        raise
    except Exception as error:
        log.exception("the worker could not start")
        problem = MillpondError(f"The worker could not start: {type(error).__name__}: {error}")
        channel.send({"failed": error_to_json(problem)})
    else:
        channel.send({"opened": isolation.to_json()})
        return service
    return None


def _hand_over(channel: Channel, listener: int) -> None:
    """Let the web process take the descriptor, and keep none: it could answer for itself."""
    channel.send({"listener": listener})
    channel.receive()
    os.close(listener)


def _serve(channel: Channel, service: Service) -> None:
    # Calls of one session wait for each other in here, so there are more threads than sessions.
    pool = ThreadPoolExecutor(max_workers=256, thread_name_prefix="call")
    while True:
        frame = channel.receive()
        op = frame.head["op"]
        if op == "ping":
            channel.send({"id": frame.head["id"], "end": {"threads": threading.active_count()}})
        elif op == "cancel":
            service.cancel(frame.head["args"]["call"])
        else:
            call = Call(channel, frame)
            try:
                pool.submit(_answer, channel, service, call)
            except RuntimeError:  # no memory for one more thread
                call.fail(_full())


def _answer(channel: Channel, service: Service, call: Call) -> None:
    try:
        try:
            service.handle(call)
        except MillpondError as error:
            call.fail(error)
        except MemoryError:
            call.fail(_full())
        except Exception as error:
            log.exception("call %s failed", call.op)
            call.fail(MillpondError(f"{type(error).__name__}: {error}"))
    except Closed:
        os._exit(0)


def _full() -> LimitExceeded:
    return LimitExceeded(
        "The worker ran out of memory.",
        hint="Wait for other queries to end, or raise MILLPOND_MEMORY_LIMIT.",
        setting="MILLPOND_MEMORY_LIMIT",
    )


if __name__ == "__main__":
    main()
