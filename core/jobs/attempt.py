"""One attempt of a run in a thread of its own: what its kind makes of it becomes an `Ending`."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Any

from pydantic import ValidationError

from core.errors import MillpondError
from core.job import JobKind, Progress, StopReason, Task
from core.jobs.leases import Ending
from core.jobs.models import JobRun
from core.jobs.outcome import plain_outcome
from core.store.rows import new_id

log = logging.getLogger(__name__)


class Attempt:
    """A run that this process holds. `settle` is called at its end, from its thread."""

    def __init__(
        self, run: JobRun, kind: JobKind[Any], settle: Callable[[Attempt, Ending], None]
    ) -> None:
        self.run = run
        self.task = Task[Any](
            None, workspace=run.workspace, run=run.id, attempt=run.attempt, log=run.log
        )
        self.settled = False
        self._kind = kind
        self._settle = settle
        self._deadline = time.monotonic() + run.timeout
        self._told_to_stop: float | None = None
        self._changes = 0
        self.thread = threading.Thread(target=self._go, name=f"job {run.id}", daemon=True)

    def news(self) -> tuple[Progress, str] | None:
        """Return what the run has told of itself if that is new since the last time."""
        changes, progress, told = self.task.told()
        if changes == self._changes:
            return None
        self._changes = changes
        return progress, told

    def overdue(self, grace: float) -> bool:
        """Tell whether it was told to end `grace` s ago; tell it to when its time is up."""
        now = time.monotonic()
        if self.task.stopped is None and now > self._deadline:
            self.task.stop("timeout")
        if self.task.stopped is None:
            return False
        self._told_to_stop = self._told_to_stop or now
        return now - self._told_to_stop > grace

    def given_up(self) -> Ending:
        """Return the ending of an attempt that does not listen."""
        return self._stopped(self.task.stopped or "lost")

    def _go(self) -> None:
        if self.run.attempt > 1:
            self.task.log(f"Attempt {self.run.attempt}.")
        self._settle(self, self._outcome())

    def _outcome(self) -> Ending:
        try:
            ending = self._done()
        except BaseException as error:  # SystemExit, too, ends this run and not the thread only
            # What was told to end may say so in its own way: an engine's QueryCancelled, for one.
            ending = self._stopped(self.task.stopped) if self.task.stopped else self._failed(error)
        if ending.error:
            self.task.log(ending.error)
        return ending

    def _done(self) -> Ending:
        try:
            self.task.options = self._kind.Options.model_validate(self.run.options)
        except ValidationError as error:
            return Ending("failed", error=f"Its options do not fit: {first_problem(error)}.")
        return Ending("succeeded", outcome=plain_outcome(self._kind.run(self.task)))

    def _stopped(self, reason: StopReason) -> Ending:
        match reason:
            case "cancelled":
                return Ending("cancelled")
            case "timeout":
                return Ending(
                    "failed",
                    error=f"It took longer than {self.run.timeout:g} s, and was stopped.",
                    hint="Give the job a longer timeout, or less to do.",
                )
        return Ending("waiting")

    def _failed(self, error: BaseException) -> Ending:
        if isinstance(error, MillpondError):
            return Ending("failed", error=error.message, hint=error.hint)
        number = new_id()
        log.error("run %s failed, error %s", self.run.id, number, exc_info=error)
        return Ending(
            "failed",
            error=f"Something unexpected went wrong: {type(error).__name__}.",
            hint=f"The log of the program has it as error {number}.",
        )


def first_problem(error: ValidationError) -> str:
    """Return which field is wrong, and why."""
    first = error.errors()[0]
    field = ".".join(str(part) for part in first["loc"]) or "options"
    return f"{field}: {first['msg']}"
