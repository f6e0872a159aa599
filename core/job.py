"""The contract of a kind of job: what runs later or long, and what it is given while it runs.

A kind knows nothing of schedules, tables or threads: it has options and a `run`. Who brings one
registers it with the scheduler; nothing here starts, stores or repeats anything.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, ClassVar, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict

from core.redaction import redact

StopReason = Literal["cancelled", "timeout", "lost", "shutdown"]

PHASE_WIDTH = 200
"""Characters of a phase's name that are kept."""

LOG_LINES = 200
LOG_WIDTH = 500
"""What is kept of a run's log: its last lines, each cut to this many characters."""


_MOST = 1e15  # what is done or left; a larger number is a mistake, and its ETA not JSON


class Options(BaseModel):
    """What a person chooses for a job of a kind; kinds add their own fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")


O = TypeVar("O", bound=Options)  # noqa: E741 - the usual letter of the type it stands for


class Stopped(Exception):
    """Raised in a run that shall end: cancelled, out of time, taken over, or shut down."""

    def __init__(self, reason: StopReason) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class Progress:
    """How far a run is: `done` of `total` in whatever the phase counts, `rate` of them per s.

    `total` and `rate` are None where nobody knows them. Kinds give what they have, of any library's
    types: what no store would take, such as NaN, counts as not known.
    """

    phase: str = ""
    done: float = 0
    total: float | None = None
    rate: float | None = None

    def __post_init__(self) -> None:
        counted = {name: _number(getattr(self, name)) for name in ("done", "total", "rate")}
        known = {**counted, "done": counted["done"] or 0.0, "phase": _line(self.phase)}
        for name, value in known.items():
            object.__setattr__(self, name, value)

    @property
    def fraction(self) -> float | None:
        """Return how much is done, from 0 to 1, or None."""
        return min(1.0, self.done / self.total) if self.total else None

    @property
    def eta(self) -> float | None:
        """Return the seconds that are left at this rate, or None."""
        if not self.rate or self.total is None:
            return None
        return _number(max(0.0, self.total - self.done) / self.rate)


class Task(Generic[O]):
    """One attempt of a run, as its kind sees it. All of it may be called from any thread."""

    def __init__(
        self, options: O, *, workspace: str, run: str, attempt: int = 1, log: str = ""
    ) -> None:
        self.options = options
        self.workspace = workspace
        self.run = run
        self.attempt = attempt
        self.cancelled = threading.Event()
        """Set when the run shall end, for whatever reason: something to wait on."""
        self._reason: StopReason | None = None
        self._progress = Progress()
        self._phase_began, self._phase_from = time.monotonic(), 0.0
        self._lines = deque(log.splitlines(), maxlen=LOG_LINES)
        self._changes = 0
        self._lock = threading.Lock()

    def progress(self, phase: str, done: float = 0, total: float | None = None) -> None:
        """Say how far the run is. Cheap: it is written to the store twice a second at most.

        A phase that begins in the midst of its work is as fast as it is from there on.
        """
        told = Progress(redact(_text(phase)), done, total)
        with self._lock:
            now = time.monotonic()
            if told.phase != self._progress.phase:
                self._phase_began, self._phase_from = now, told.done
            elapsed, more = now - self._phase_began, told.done - self._phase_from
            rate = more / elapsed if more > 0 and elapsed > 0 else None
            self._progress = replace(told, rate=rate)
            self._changes += 1

    def log(self, line: str) -> None:
        """Add a line to the run's log, with the time in front and known secrets masked."""
        stamp = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S")
        with self._lock:
            for each in redact(_text(line)).splitlines() or [""]:
                self._lines.append(f"{stamp} {each}"[:LOG_WIDTH])
            self._changes += 1

    def check(self) -> None:
        """Raise Stopped if the run shall end. Call it often: at least once a second."""
        if self._reason is not None:
            raise Stopped(self._reason)

    def stop(self, reason: StopReason) -> None:
        """Tell the run to end; the first reason counts."""
        with self._lock:
            self._reason = self._reason or reason
        self.cancelled.set()

    @property
    def stopped(self) -> StopReason | None:
        """Return why the run shall end, or None."""
        return self._reason

    def told(self) -> tuple[int, Progress, str]:
        """Return how often something was told so far, the progress, and the log's text."""
        with self._lock:
            return self._changes, self._progress, "\n".join(self._lines)


class JobKind(Generic[O]):
    """A kind of job. Stateless between runs: one instance serves them all, from many threads."""

    name: ClassVar[str]
    label: ClassVar[str]
    Options: ClassVar[type[Options]] = Options
    own: ClassVar[bool] = False
    """The program's own: people see its runs, and neither add nor delete a job of it."""
    timeout: ClassVar[float] = 3600
    """Seconds an attempt may take, unless the job says otherwise."""
    retries: ClassVar[int] = 0
    """How often a failed attempt is repeated; a killed one is once at least."""
    back_off: ClassVar[float] = 30
    """Seconds before the first repetition; doubled with each, up to an hour."""
    limit: ClassVar[int] = 1
    """Runs that may be under way at once for one `key`."""

    def key(self, options: O) -> str:
        """Return what runs must not do too often at once, a database's id say; "" is no limit."""
        return ""

    def run(self, task: Task[O]) -> Mapping[str, Any] | None:
        """Do the work, and return its outcome as JSON values; what is none is kept as text.

        Raises Stopped from `task.check`; MillpondError that says what went wrong.
        """
        raise NotImplementedError


def _number(value: Any) -> float | None:
    """Return a number that a store and JSON take, or None: for NaN, a text, less than nothing."""
    try:
        number = float(value)
    except Exception:  # any library's type may raise anything
        return None
    return number if 0 <= number <= _MOST else None


def _line(value: Any) -> str:
    return " ".join(_text(value).split())[:PHASE_WIDTH]


def _text(value: Any) -> str:
    try:
        return str(value)
    except Exception:
        return type(value).__name__
