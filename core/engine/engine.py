"""The engine of one workspace: its worker, what the worker must know, and the runs under way."""

from __future__ import annotations

import os
import secrets
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, wait
from concurrent.futures import TimeoutError as FutureTimeout
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from core.engine.parameters import to_json
from core.engine.reach import Reach, inside
from core.engine.run import Run, late
from core.engine.watch import WATCH, Watch
from core.errors import (
    ConnectError,
    Forbidden,
    InvalidInput,
    LimitExceeded,
    MillpondError,
    WorkerLost,
)
from core.settings import Settings
from core.workers.protocol import Frame, error_from_json, error_to_json
from core.workers.supervisor import Supervisor
from core.workers.wall import Isolation, Wall, runtime_paths
from core.workers.worker import Pending, Worker

MODULE = "core.engine.worker.service"
LEAN = "core.engine.worker.lean"
"""Imported before it, this keeps out what it does not need."""
_CHECK_SECONDS = 30
_TRY_AGAIN = 15.0
"""Seconds between two tries to reach a source that is away."""
_READS = ("over", "catalog", "structures", "schemas", "macros", "remarks", "release")


@dataclass(frozen=True)
class Attachment:
    """A source as the worker must know it: connector's name, alias, and its options as JSON.

    Those hold its secrets. What is `remote` may be away, and nobody waits for it. With a `problem`
    it is not attached, and whoever names it is told.
    """

    alias: str
    connector: str
    options: Mapping[str, Any] = field(repr=False)
    remote: bool = False
    problem: MillpondError | None = None


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
        self.attaching: set[str] = set()
        """Aliases of the sources that are being attached in the background."""
        self.has_remote = False
        """Whether a source lies across a network, as of the worker's start."""
        self._seen = Reach()
        self._tried = time.monotonic()
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
        self,
        sql: str,
        params: Mapping[str, Any],
        *,
        session: str,
        timeout: float | None,
        on: str = "",
        into: str = "",
        composed: bool = False,
    ) -> Run:
        """Start a run, and return at once; `on` is the alias of a source that shall run it.

        `into` is SQL of core's, to keep what the source gives, as PUSHED; `composed`: so is `sql`.
        """
        self._check_size(sql)
        if on and params:
            raise InvalidInput(
                "A query that runs on a connection takes no $parameters.",
                hint="Write the value into it, or run it on DuckDB.",
            )
        values = to_json(params)
        run = Run(secrets.token_hex(16), sql, self.spools, timeout or self.settings.query_timeout)
        args: dict[str, Any] = {"run": run.id, "session": session, "sql": sql, "params": values}
        args |= {"on": on, "into": into, "composed": composed}
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
        changed = any(result.kind not in ("SELECT", "EXPLAIN") for result in run.results)
        if changed or isinstance(error, ConnectError):
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
        self.has_remote |= attachment.remote
        worker = self._slot.worker()
        try:
            worker.call("attach", 60, **_described(attachment))
        except FutureTimeout:
            raise WorkerLost(
                f"{attachment.alias} could not be attached within 60 s.",
                hint="Its files may lie on a slow disk; try again.",
            ) from None

    def reattach(self, attachments: Sequence[Attachment]) -> None:
        """Try once more, in the background, to attach sources that were away."""
        if (worker := self._slot.current) is not None:
            for each in attachments:
                self._attach_aside(worker, each)

    def _attach_aside(self, worker: Worker, attachment: Attachment) -> None:
        self.has_remote = True
        self.attaching.add(attachment.alias)
        call = worker.start("attach", _described(attachment))
        call.answer.add_done_callback(partial(self._attached, attachment.alias))

    def _attached(self, alias: str, answer: Future[Frame]) -> None:
        error = answer.exception()
        self.attaching.discard(alias)
        if error is None:
            self.broken.pop(alias, None)
        elif isinstance(error, MillpondError) and not isinstance(error, WorkerLost):
            self.broken[alias] = error  # a lost worker says nothing of the source
        self.changes += 1

    def catalog(self) -> bytes:
        """Return what can be queried, one row a column, as JSON; what is away becomes broken."""
        answer = self.call("catalog", 60)
        away = answer.head["away"]
        for each in self._attachments() if away else ():
            if described := away.get(each.alias.lower()):
                self.broken[each.alias] = error_from_json(described)
        return bytes(answer.body)

    def try_again(self) -> None:
        """Attach in the background what is away across a network, once in a while."""
        now = time.monotonic()
        if self.broken and now - self._tried >= _TRY_AGAIN:
            self._tried = now
            attachments = self._attachments()
            self.reattach(
                [each for each in attachments if each.remote and each.alias in self.broken]
            )

    def detach(self, alias: str, connector: str) -> None:
        """Take a source away from the running worker."""
        self.broken.pop(alias, None)
        self.changes += 1
        if (worker := self._slot.current) is not None:
            worker.call("detach", 30, alias=alias, connector=connector)

    def release(self, session: str) -> None:
        """End a session of the running worker."""
        if (worker := self._slot.current) is not None:
            worker.call("release", 30, session=session)

    def ensure_sees(self, paths: Sequence[str]) -> None:
        """Renew the worker unless its wall lets these absolute paths through already."""
        seen = (*self._seen.readable, str(self.folder))
        if self.pid is not None and not all(inside(path, seen) for path in paths):
            self.renew()

    def sees(self, hosts: Sequence[str]) -> bool:
        """Tell whether the running worker's wall lets these hosts through."""
        return self.pid is not None and {*hosts} <= {*self._seen.hosts}

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
        self.attaching.clear()
        self.has_remote = False
        # First those that keep nobody waiting: they are on their way while files are attached.
        for attachment in sorted(self._attachments(), key=lambda each: not each.remote):
            if attachment.remote:
                self._attach_aside(worker, attachment)
                continue
            try:
                worker.call("attach", 60, **_described(attachment))
            except FutureTimeout:
                self.broken[attachment.alias] = WorkerLost("It could not be attached within 60 s.")
            except MillpondError as error:  # one broken source must not take the others with it
                self.broken[attachment.alias] = error

    def _make_folders(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for each in ("spools", "exports", "temp", "uploads", "cache"):
            (self.folder / each).mkdir(exist_ok=True, mode=0o700)

    def _spec(self) -> dict[str, Any]:
        self._make_folders()  # somebody may have deleted them since
        settings, reach = self.settings, self._reach()
        self._seen = reach
        wall = Wall(
            read=(*runtime_paths(), *reach.read),
            write=(str(self.folder), *reach.write),
            listed=reach.listed,
            hosts=reach.hosts,
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
            "hosts": list(reach.hosts),
            "extensions": list(reach.extensions),
            "coming": [each.alias for each in self._attachments() if each.remote],
        }


def _described(attachment: Attachment) -> dict[str, Any]:
    return {
        "alias": attachment.alias,
        "connector": attachment.connector,
        "options": dict(attachment.options),
        "problem": None if attachment.problem is None else error_to_json(attachment.problem),
    }
