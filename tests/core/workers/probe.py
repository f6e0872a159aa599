"""A worker's own module for tests: it answers what it is asked, and misbehaves on demand."""

from __future__ import annotations

import os
import textwrap
import threading
import time
from typing import Any

from core.errors import InvalidInput, QueryCancelled
from core.workers.child import Call
from core.workers.wall import Isolation


class Probe:
    """Answers `echo`, sleeps until cancelled, fails, or breaks the protocol."""

    def __init__(self, spec: dict[str, Any]) -> None:
        self._spec = spec
        self._cancelled: dict[int, threading.Event] = {}

    def handle(self, call: Call) -> None:
        match call.op:
            case "echo":
                call.send({"n": 1}, call.body)
                call.finish(
                    {"args": call.args, "env": dict(os.environ), "spec": self._spec["note"]}
                )
            case "sleep":
                event = self._cancelled[call.id] = threading.Event()
                if event.wait(call.args["seconds"]):
                    raise QueryCancelled("The query was cancelled.")
                call.finish({})
            case "fail":
                raise InvalidInput("This cannot be.", hint="Stop.")
            case "crash":
                raise RuntimeError("a mistake")
            case "memory":
                raise MemoryError
            case "python":
                call.finish({"outcome": _outcome(call.args["code"])})
            case "exit":
                os._exit(call.args["code"])
            case "say":
                print("a stray word")  # noqa: T201
                call.finish({})
            case "unknown_answer":
                call._channel.send({"neither": "id nor part"})
                time.sleep(60)
            case "opened_again":
                call._channel.send({"opened": {}})
                time.sleep(60)
            case "bad_error":
                call._channel.send({"id": call.id, "error": 7})
                time.sleep(60)

    def cancel(self, call_id: int) -> bool:
        event = self._cancelled.get(call_id)
        if event is not None:
            event.set()
        return event is not None


def _outcome(code: str) -> str:
    """Run code, and tell its `value` or its exception."""
    scope: dict[str, Any] = {}
    try:
        exec(textwrap.dedent(code), scope)
    except BaseException as error:
        return f"{type(error).__name__}: {error}"
    return f"value: {scope.get('value')!r}"


def open(spec: dict[str, Any], isolation: Isolation) -> Probe:  # noqa: A001
    if spec["note"] == "refuse":
        raise InvalidInput("It may not open.")
    if spec["note"] == "break":
        raise RuntimeError("It cannot open.")
    return Probe(spec)
