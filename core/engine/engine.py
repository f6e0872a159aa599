"""The engine of one workspace: its worker, what the worker must know, and the runs under way."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.engine.extensions import extension_files
from core.engine.parameters import to_json
from core.engine.run import Run
from core.errors import InvalidInput, LimitExceeded, MillpondError, WorkerLost
from core.settings import Settings
from core.workers.protocol import Frame
from core.workers.supervisor import Supervisor
from core.workers.wall import Isolation, Wall, runtime_paths
from core.workers.worker import Worker

MODULE = "core.engine.worker.service"
WATCH = 0.05
"""Seconds between two interrupts: one that lands before a statement starts is lost."""


@dataclass(frozen=True)
class Attachment:
    """A source as the worker must know it: connector's name, its options as JSON, alias."""

    alias: str
    connector: str
    options: Mapping[str, Any]


@dataclass(frozen=True)
class Reach:
    """What the workspace's SQL may touch besides the workspace's own folder: absolute paths.

    `listed` are folders whose names may be listed although not all in them may be read.
    """

    read: tuple[str, ...] = ()
    write: tuple[str, ...] = ()
    listed: tuple[str, ...] = ()


class Engine:
    """Runs calls on the workspace's worker, whichever process that is at the time."""

    def __init__(
        self,
        supervisor: Supervisor,
        settings: Settings,
        folder: Path,
        *,
        reach: Callable[[], Reach],
        attachments: Callable[[], list[Attachment]],
    ) -> None:
        self.settings = settings
        self.folder = folder
        self.spools = folder / "spools"
        self.exports = folder / "exports"
        self._reach = reach
        self._attachments = attachments
        self.broken: dict[str, MillpondError] = {}
        self._runs: dict[str, Run] = {}
        self._watch = threading.Event()
        self._closed = False
        for each in ("spools", "exports", "temp", "uploads", "cache"):
            (folder / each).mkdir(parents=True, exist_ok=True, mode=0o700)
        self._slot = supervisor.slot(MODULE, self._spec, self._replay)
        threading.Thread(target=self._look_after, name="engine-watch", daemon=True).start()

    @property
    def isolation(self) -> Isolation | None:
        """What walls the present worker in; None when none runs."""
        worker = self._slot.current
        return worker.isolation if worker else None

    @property
    def pid(self) -> int | None:
        """The present worker's process id."""
        worker = self._slot.current
        return worker.pid if worker else None

    @property
    def starts(self) -> int:
        """How often a worker was started here."""
        return self._slot.starts

    def healthy(self, timeout: float = 5) -> bool:
        """Tell whether the worker answers; one that does not run is not ill."""
        worker = self._slot.current
        return worker is None or worker.ping(timeout)

    def call(self, op: str, timeout: float | None = None, *, body: Any = b"", **args: Any) -> Frame:
        """Make a call to the worker, and wait for its answer."""
        return self._begin(op, args, body=body).result(timeout)

    def run(
        self, sql: str, params: Mapping[str, Any], *, session: str, timeout: float | None
    ) -> Run:
        """Start a run, and return at once."""
        self._check_size(sql)
        run = Run(uuid.uuid4().hex, sql, self.spools, timeout or self.settings.query_timeout)
        self._runs[run.id] = run
        args: dict[str, Any] = {
            "run": run.id,
            "session": session,
            "sql": sql,
            "params": to_json(params),
        }
        args["statement_limit"] = self.settings.statement_limit
        args["spool_limit"] = self.settings.spool_limit
        try:
            self._begin("run", args, run=run)
        except MillpondError as error:
            self._runs.pop(run.id, None)
            run.end(error)
        else:
            self._watch.set()
        return run

    def _check_size(self, sql: str) -> None:
        try:
            size = len(sql.encode())
        except UnicodeEncodeError as error:
            raise InvalidInput("The SQL is not valid Unicode text.") from error
        if size > self.settings.sql_limit:
            raise LimitExceeded(
                f"The SQL is {size / 1e6:.1f} MB; one text may be "
                f"{self.settings.sql_limit / 1e6:.1f} MB.",
                hint="Put large data into a file and query that, or raise MILLPOND_SQL_LIMIT.",
                setting="MILLPOND_SQL_LIMIT",
            )

    def _begin(
        self, op: str, args: dict[str, Any], *, run: Run | None = None, body: Any = b""
    ) -> Future[Frame]:
        for attempt in (1, 2):
            worker = self._slot.worker()
            try:
                on_part = run.receive if run is not None else None
                call = worker.start(op, args, body=body, on_part=on_part)
            except WorkerLost:
                # It died while nobody used it: the next one has not seen this call.
                if attempt == 2:
                    raise
                continue
            if run is not None:
                run.worker, run.call = worker, call
                call.answer.add_done_callback(lambda answer: self._ended(run, answer))
            return call.answer
        raise AssertionError("not reached")

    def _ended(self, run: Run, answer: Future[Frame]) -> None:
        self._runs.pop(run.id, None)
        error = answer.exception()
        run.end(error)
        if isinstance(error, LimitExceeded) and error.setting == "MILLPOND_MEMORY_LIMIT":
            threading.Thread(target=self._check_worker, daemon=True).start()

    def _check_worker(self) -> None:
        """A worker that ran out of memory may be unable to answer: then it is replaced."""
        worker = self._slot.current
        if worker is not None:
            try:
                worker.call("functions", 5)
            except (MillpondError, FutureTimeout):
                worker.kill("it had run out of memory")

    def attach(self, attachment: Attachment) -> None:
        """Attach a source in the running worker; a worker that starts later asks for all."""
        self.broken.pop(attachment.alias, None)
        _attach(self._slot.worker(), attachment)

    def detach(self, attachment: Attachment) -> None:
        """Take a source away from the running worker."""
        self.broken.pop(attachment.alias, None)
        if (worker := self._slot.current) is not None:
            worker.call("detach", 30, alias=attachment.alias, connector=attachment.connector)

    def release(self, session: str) -> None:
        """End a session of the running worker."""
        if (worker := self._slot.current) is not None:
            worker.call("release", 30, session=session)

    def renew(self) -> None:
        """Start a worker with a new wall, now or as soon as the runs under way have ended."""
        self._slot.renew()

    def start(self) -> None:
        """Start the worker if none runs."""
        self._slot.worker()

    def close(self) -> None:
        """End the worker."""
        self._closed = True
        self._watch.set()
        self._slot.close()

    def _replay(self, worker: Worker) -> None:
        self.broken.clear()
        for attachment in self._attachments():
            try:
                _attach(worker, attachment)
            except MillpondError as error:  # one broken source must not take the others with it
                self.broken[attachment.alias] = error

    def _spec(self) -> dict[str, Any]:
        settings, reach = self.settings, self._reach()
        extensions = extension_files()
        wall = Wall(
            read=(*runtime_paths(), *extensions, *reach.read),
            write=(str(self.folder), *reach.write),
            listed=reach.listed,
            memory=2 * settings.memory_limit + 512 * 2**20,
            file_size=max(settings.spool_limit, settings.temp_limit),
        )
        places = ["connectors", *([str(settings.connectors)] if settings.connectors else [])]
        return {
            "wall": wall.to_json(),
            "cwd": str(settings.start_folder),
            "folder": str(self.folder),
            "memory_limit": settings.memory_limit,
            "temp_limit": settings.temp_limit,
            "threads": settings.threads,
            "sessions": settings.sessions,
            "extensions": extensions,
            "connectors": places,
        }

    def _look_after(self) -> None:
        """Repeat interrupts, stop what is late, kill what does not listen."""
        while not self._closed:
            self._watch.wait()
            if not self._runs:
                self._watch.clear()
                continue
            time.sleep(WATCH)
            for run in [*self._runs.values()]:
                with suppress(MillpondError):
                    self._look_at(run)

    def _look_at(self, run: Run) -> None:
        if run.cancelling_since is None:
            if run.is_late():
                run.cancel_late()
        elif time.monotonic() - run.cancelling_since > self.settings.cancel_grace:
            if run.worker is not None:
                run.worker.kill("a cancelled query did not stop")
        else:
            run.interrupt()


def _attach(worker: Worker, attachment: Attachment) -> None:
    try:
        worker.call(
            "attach",
            60,
            alias=attachment.alias,
            connector=attachment.connector,
            options=dict(attachment.options),
        )
    except FutureTimeout:
        raise WorkerLost(
            f"{attachment.alias} could not be attached within 60 s.",
            hint="Its files may lie on a slow disk; try again.",
        ) from None
