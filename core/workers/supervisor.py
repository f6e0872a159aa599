"""Keep workers at hand: a warm spare per kind, one live worker per slot, idle ones stopped.

A slot is the place of one worker, of a workspace's engine say: it starts one on first use, starts
another when that one died, and replaces it when its wall must change.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from core.errors import WorkerLost
from core.workers.worker import Worker

log = logging.getLogger(__name__)

TICK = 1.0
"""Seconds between two looks for idle workers."""

BREATH = 1.0
"""Seconds that a worker just started has the cores for itself before the next spare starts."""


class Supervisor:
    """Owns every worker of this process. `close` ends them all."""

    def __init__(
        self, *, idle_stop: float, packages: tuple[str, ...] = (), spares: bool = True
    ) -> None:
        """`packages` are imported by every worker first, before its wall goes up.

        Without `spares` none is kept warm: for who needs a worker once.
        """
        self._spares_kept = spares
        self._idle_stop = idle_stop
        self._packages = packages
        self._lock = threading.Lock()
        self._spares: dict[str, Worker] = {}
        self._slots: list[Slot] = []
        self._closed = threading.Event()
        threading.Thread(target=self._tick, name="supervisor", daemon=True).start()

    def slot(
        self, module: str, spec: Callable[[], dict[str, Any]], started: Callable[[Worker], None]
    ) -> Slot:
        """Open a place for a worker of `module`.

        `spec` is asked for at each start; `started` runs before the new worker is handed out, and
        replays into it what the old one knew.
        """
        slot = Slot(self, module, spec, started)
        with self._lock:
            self._slots.append(slot)
        return slot

    def warm(self, module: str) -> None:
        """Start a spare of this kind unless one waits."""
        with self._lock:
            spare = self._spares.get(module)
            if self._closed.is_set() or (spare is not None and spare.alive):
                return
            self._spares[module] = Worker(module, *self._packages)

    def take(self, module: str) -> Worker:
        """Hand out the spare, or a fresh worker, and start the next spare behind it."""
        with self._lock:
            if self._closed.is_set():
                raise WorkerLost("Millpond is shutting down.")
            spare = self._spares.pop(module, None)
        try:
            worker = spare if spare is not None and spare.alive else Worker(module, *self._packages)
        except OSError as error:
            raise WorkerLost(
                f"A worker process could not be started: {error.strerror}.",
                hint="The machine may be out of memory or processes; try again.",
            ) from error
        self.warm_soon(module)
        return worker

    def warm_soon(self, module: str, seconds: float = BREATH) -> None:
        """Start a spare a moment later: whoever takes a worker before that gets a fresh one."""
        if not self._spares_kept:
            return
        timer = threading.Timer(seconds, self._warm_quietly, [module])
        timer.daemon = True
        timer.start()

    def _warm_quietly(self, module: str) -> None:
        with suppress(OSError):
            self.warm(module)

    def forget(self, slot: Slot) -> None:
        """Let go of a closed slot."""
        with self._lock:
            if slot in self._slots:
                self._slots.remove(slot)

    def close(self) -> None:
        """End every worker and spare."""
        self._closed.set()
        with self._lock:
            slots, self._slots = self._slots, []
            spares, self._spares = [*self._spares.values()], {}
        for slot in slots:
            slot.close()
        for spare in spares:
            spare.close(timeout=0.5)

    def _tick(self) -> None:
        while not self._closed.wait(TICK):
            with self._lock:
                slots = [*self._slots]
            for slot in slots:
                slot.stop_if_idle(self._idle_stop)


class Slot:
    """The place of one worker."""

    def __init__(
        self,
        supervisor: Supervisor,
        module: str,
        spec: Callable[[], dict[str, Any]],
        started: Callable[[Worker], None],
    ) -> None:
        self._supervisor = supervisor
        self._module = module
        self._spec = spec
        self._started = started
        self._lock = threading.RLock()
        self._worker: Worker | None = None
        self._stale = False
        self._closed = False
        self.starts = 0

    @property
    def current(self) -> Worker | None:
        """The live worker, or None when none runs now."""
        worker = self._worker
        return worker if worker is not None and worker.alive else None

    def worker(self) -> Worker:
        """Return the live worker; start one where there is none. Raises why it cannot."""
        worker = self._worker
        if worker is not None and worker.alive and not self._stale:
            return worker
        with self._lock:
            worker = self._worker
            if worker is not None and worker.alive and not (self._stale and worker.retire()):
                return worker
            self.stop()
            if self._closed:
                raise WorkerLost("The engine of this workspace was closed.")
            self._worker = self._start()
            return self._worker

    def renew(self) -> None:
        """Replace the worker by one with a new spec, as soon as the present one has no call."""
        self._stale = True
        if (worker := self.current) is not None and not worker.busy:
            self.worker()

    def stop(self) -> None:
        """End the worker if one runs, and wait until its files are free."""
        with self._lock:
            worker, self._worker, self._stale = self._worker, None, False
            if worker is not None:
                worker.close()

    def close(self) -> None:
        """End the worker and give up the place: none is started here again."""
        self._closed = True
        self.stop()
        self._supervisor.forget(self)

    def stop_if_idle(self, seconds: float) -> None:
        """End a worker that nobody has used for so long."""
        if not self._lock.acquire(blocking=False):
            return  # one is being started
        try:
            worker = self.current
            if worker is not None and worker.retire(seconds):
                log.info("worker %s of %s was idle and is stopped", worker.pid, self._module)
                self.stop()
        finally:
            self._lock.release()

    def _start(self) -> Worker:
        worker = self._supervisor.take(self._module)
        try:
            worker.open(self._spec())
            self._started(worker)
        except BaseException:
            worker.close(timeout=0.5)
            raise
        self.starts += 1
        return worker
