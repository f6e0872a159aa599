"""The engine of one workspace: its worker, what the worker must know, and the runs under way."""

from __future__ import annotations

import os
import threading
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, wait
from concurrent.futures import TimeoutError as FutureTimeout
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from core.engine.parameters import to_json
from core.engine.reach import Reach, inside
from core.engine.run import Run, late
from core.engine.watch import WATCH, Watch
from core.errors import Forbidden, InvalidInput, LimitExceeded, MillpondError, WorkerLost
from core.settings import Settings
from core.workers.protocol import Frame
from core.workers.supervisor import Supervisor
from core.workers.wall import Isolation, Wall, runtime_paths
from core.workers.worker import Pending, Worker

MODULE = "core.engine.worker.service"
_CHECK_SECONDS = 30
_READS = ("over", "catalog", "describe", "macros", "release")


@dataclass(frozen=True)
class Attachment:
    """A source as the worker must know it: connector's name, its options as JSON, alias."""

    alias: str
    connector: str
    options: Mapping[str, Any]


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
        self.changes = 0
        """Grows whenever the catalog may have changed; a new worker counts as well."""
        self._seen: tuple[str, ...] = ()
        self._closed = False
        self._make_folders()
        self._slot = supervisor.slot(MODULE, self._spec, self._replay)
        self._watch = Watch(settings.cancel_grace)

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
        """Make a call to the worker, and wait for its answer.

        One that takes longer than `timeout` s, by default the time of a query, is interrupted.
        Raises LimitExceeded or WorkerLost then.
        """
        try:
            return self._call(op, timeout, args, body)
        except WorkerLost:
            # A process that was killed is noticed a moment later; asking again changes nothing.
            if op not in _READS or self._closed:
                raise
            return self._call(op, timeout, args, body)

    def _call(self, op: str, timeout: float | None, args: dict[str, Any], body: Any) -> Frame:
        worker, call = self._begin(op, args, body=body)
        seconds = timeout or self.settings.query_timeout
        with suppress(FutureTimeout):
            return call.answer.result(seconds)
        if not self._stop(worker, call):
            worker.kill(f"it did not answer within {seconds:g} s, nor to the interrupt")
        if timeout is None:
            raise late(seconds)
        raise WorkerLost(
            f"The engine did not answer within {seconds:g} s.",
            hint="The machine may be overloaded; try again.",
        )

    def _stop(self, worker: Worker, call: Pending) -> bool:
        """Interrupt a call until it has ended; False when it does not listen."""
        deadline = time.monotonic() + self.settings.cancel_grace
        while time.monotonic() < deadline and not call.answer.done():
            worker.cancel(call)
            wait([call.answer], WATCH)
        return call.answer.done()

    def run(
        self, sql: str, params: Mapping[str, Any], *, session: str, timeout: float | None
    ) -> Run:
        """Start a run, and return at once."""
        self._check_size(sql)
        values = to_json(params)
        run = Run(uuid.uuid4().hex, sql, self.spools, timeout or self.settings.query_timeout)
        args: dict[str, Any] = {"run": run.id, "session": session, "sql": sql, "params": values}
        args["statement_limit"] = self.settings.statement_limit
        args["spool_limit"] = self.settings.spool_limit
        self._watch.add(run)
        try:
            self._begin("run", args, run=run)
        except Exception as error:
            self._watch.drop(run)
            run.end(error)
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
    ) -> tuple[Worker, Pending]:
        for attempt in (1, 2):
            worker = self._slot.worker()
            on_part = None
            if run is not None:
                # Before the call is sent: a worker that does not read could not be killed else.
                run.worker, on_part = worker, run.receive
            try:
                call = worker.start(op, args, body=body, on_part=on_part)
            except WorkerLost:
                # It died while nobody used it: the next one has not seen this call.
                if attempt == 2:
                    raise
                continue
            if run is not None:
                run.call = call
                call.answer.add_done_callback(partial(self._ended, run, args))
            call.answer.add_done_callback(partial(self._look_after_error, worker))
            return worker, call
        raise AssertionError("not reached")

    def _ended(self, run: Run, args: dict[str, Any], answer: Future[Frame]) -> None:
        error = answer.exception()
        untouched = not (run.again or run.results or run.cancelling_since)
        if isinstance(error, Forbidden) and untouched and self.within_reach(error.path):
            run.again = True
            # Not here: this is the thread that the present worker's end is told by.
            threading.Thread(target=self._run_again, args=[run, args], daemon=True).start()
            return
        self._watch.drop(run)
        if any(result.kind not in ("SELECT", "EXPLAIN") for result in run.results):
            self.changes += 1
        run.end(error)

    def _run_again(self, run: Run, args: dict[str, Any]) -> None:
        """Run once more behind a new wall, for a file that the old one did not know."""
        try:
            self.renew()
            self._begin("run", args, run=run)
        except MillpondError as error:
            self._watch.drop(run)
            run.end(error)

    def _look_after_error(self, worker: Worker, answer: Future[Frame]) -> None:
        """Replace a worker that says itself that it is lost, and check one short of memory."""
        error = answer.exception()
        if isinstance(error, WorkerLost) and worker.alive:
            worker.kill("a query had left it unusable")
        elif isinstance(error, LimitExceeded) and error.setting == "MILLPOND_MEMORY_LIMIT":
            threading.Thread(target=self._check_worker, args=[worker], daemon=True).start()

    def within_reach(self, path: str) -> bool:
        """Tell whether a worker that starts now may read a path that the present one may not.

        The kernel grants files, not names: one that is new, or was saved anew, is another file.
        """
        places = (*self._reach().readable, str(self.folder))
        # A link that leads out stays refused: a new worker would be one for each try.
        real = [os.path.realpath(each) for each in places]
        covered = inside(path, places) and inside(os.path.realpath(path), real)
        return bool(path) and covered and os.access(path, os.R_OK)

    def _check_worker(self, worker: Worker) -> None:
        """A worker that ran out of memory may be unable to answer: then it is replaced."""
        try:
            worker.call("macros", _CHECK_SECONDS)
        except (MillpondError, FutureTimeout):
            worker.kill("it had run out of memory")

    def attach(self, attachment: Attachment) -> None:
        """Attach a source in the running worker; a worker that starts later asks for all."""
        self.broken.pop(attachment.alias, None)
        self.changes += 1
        _attach(self._slot.worker(), attachment)

    def detach(self, attachment: Attachment) -> None:
        """Take a source away from the running worker."""
        self.broken.pop(attachment.alias, None)
        self.changes += 1
        if (worker := self._slot.current) is not None:
            worker.call("detach", 30, alias=attachment.alias, connector=attachment.connector)

    def release(self, session: str) -> None:
        """End a session of the running worker."""
        if (worker := self._slot.current) is not None:
            worker.call("release", 30, session=session)

    def ensure_sees(self, paths: Sequence[str]) -> None:
        """Renew the worker unless its wall lets these absolute paths through already."""
        if self.pid is not None and not all(inside(path, self._seen) for path in paths):
            self.renew()

    def renew(self) -> None:
        """Start a worker with a new wall, now or as soon as the runs under way have ended."""
        self._slot.renew()

    def start(self) -> None:
        """Start the worker if none runs."""
        self._slot.worker()

    def close(self) -> None:
        """End the worker."""
        self._closed = True
        self._watch.close()
        self._slot.close()

    def _replay(self, worker: Worker) -> None:
        self.changes += 1
        self.broken.clear()
        for attachment in self._attachments():
            try:
                _attach(worker, attachment)
            except MillpondError as error:  # one broken source must not take the others with it
                self.broken[attachment.alias] = error

    def _make_folders(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for each in ("spools", "exports", "temp", "uploads", "cache"):
            (self.folder / each).mkdir(exist_ok=True, mode=0o700)

    def _spec(self) -> dict[str, Any]:
        self._make_folders()  # somebody may have deleted them since
        settings, reach = self.settings, self._reach()
        self._seen = (*reach.readable, str(self.folder))
        wall = Wall(
            read=(*runtime_paths(), *reach.read),
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
            "tidy": self.starts == 0,
            "memory_limit": settings.memory_limit,
            "temp_limit": settings.temp_limit,
            "threads": settings.threads,
            "sessions": settings.sessions,
            "connectors": places,
        }


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
