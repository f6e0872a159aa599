"""The loop that starts what is due: one thread that decides, and one for each run.

Any number of schedulers on one store help each other. One look at the store a second is all that
an idle one does; `wake` makes it look at once.
"""

from __future__ import annotations

import logging
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from core.errors import MillpondError
from core.job import JobKind
from core.jobs.attempt import Attempt
from core.jobs.leases import Ending, Leases, Sight, Watch
from core.jobs.models import JobRun
from core.jobs.records import Clock, database_now
from core.store.owner import this_process
from core.store.rows import new_id
from core.store.store import Store

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Pace:
    """The times of a scheduler, in s."""

    poll: float = 1.0
    """Between two looks at the store, when nothing is due before."""
    tell: float = 0.5
    """Between two writes of what runs have told of themselves."""
    beat: float = 5.0
    """Between two beats of what this scheduler holds."""
    lease: float = 30.0
    """Without a beat for so long, a run is taken from its owner."""
    grace: float = 20.0
    """From telling a run to end until it is given up on."""


_OWN_PACE = Pace()


class Scheduler:
    """Starts runs, at most `threads` at once, and keeps those of the processes that died."""

    def __init__(
        self,
        store: Store,
        *,
        threads: int = 4,
        pace: Pace = _OWN_PACE,
        clock: Clock = database_now,
    ) -> None:
        self.kinds: dict[str, JobKind[Any]] = {}
        self._leases = Leases(store, f"{this_process()}#{new_id()}", clock=clock)
        self._watch = Watch(pace.lease)
        self._threads = threads
        self._pace = pace
        self._attempts: dict[str, Attempt] = {}
        self._lock = threading.Lock()
        self._awake = threading.Event()
        self._ending = threading.Event()
        self._loop: threading.Thread | None = None
        self._beaten = time.monotonic()

    def register(self, kind: JobKind[Any]) -> None:
        """Let runs of a kind be started here. Those of kinds not registered wait for others."""
        self.kinds[kind.name] = kind

    def start(self) -> None:
        """Begin, in the background. Nothing to do the second time."""
        with self._lock:
            if self._loop is None:
                self._loop = threading.Thread(target=self._go, name="scheduler", daemon=True)
                self._loop.start()

    def stop(self, grace: float | None = None) -> None:
        """Tell what runs to end, wait up to `grace` s for it, and leave the rest to others."""
        self._ending.set()
        self._awake.set()
        if self._loop is not None:
            self._loop.join()
        attempts = self._under_way()
        for attempt in attempts:
            attempt.task.stop("shutdown")
        deadline = time.monotonic() + (self._pace.grace if grace is None else grace)
        while attempts and time.monotonic() < deadline:
            attempts[0].thread.join(min(self._pace.beat, deadline - time.monotonic()))
            with suppress(Exception):
                self._beat_if_time(attempts)
            attempts = self._under_way()
        for attempt in attempts:
            self._settle(attempt, attempt.given_up())

    def wake(self) -> None:
        """Look at the store now."""
        self._awake.set()

    def cancel(self, run: str) -> None:
        """Tell a run to end if it runs here; elsewhere it is told within a second."""
        with self._lock:
            attempt = self._attempts.get(run)
        if attempt is not None:
            attempt.task.stop("cancelled")

    def _go(self) -> None:
        failing = False
        while not self._ending.is_set():
            pause = self._pace.poll
            try:
                pause = self._step()
                failing = False
            except Exception as error:
                # The store is away, or something nobody thought of: the next look may do better.
                if not failing:
                    log.exception("the scheduler could not do its work: %s", error)
                failing = True
                self._let_go_if_unheard()
            self._awake.wait(pause)
            self._awake.clear()

    def _step(self) -> float:
        """Do all that there is to do now, and return how long nothing else will be, in s."""
        kinds = tuple(self.kinds)  # others may be registered meanwhile
        sight = self._leases.look(kinds)
        self._mind(sight)
        if sight.due and self._leases.start_due():
            return 0.0
        free = self._threads - len(self._under_way())
        if sight.ready and free > 0:
            for run in self._leases.claim(kinds, free):
                self._begin(run)
        pause = self._pace.tell if self._under_way() else self._pace.poll
        if sight.next_at is not None:
            pause = min(pause, max(0.0, (sight.next_at - sight.now).total_seconds()))
        return pause

    def _mind(self, sight: Sight) -> None:
        """Look after what runs here, and take what ran where nobody is any more."""
        attempts = self._under_way()
        held = {(attempt.run.id, attempt.run.attempt): attempt for attempt in attempts}
        others = [each for each in sight.running if (each.id, each.attempt) not in held]
        # First: what goes wrong below must cost nothing here its lease.
        self._beat_if_time(attempts)
        for each in sight.running:
            if each.cancel_requested and (mine := held.get((each.id, each.attempt))):
                mine.task.stop("cancelled")
        for attempt in attempts:
            if attempt.overdue(self._pace.grace):
                self._settle(attempt, attempt.given_up())
        for dead in self._watch.dead(others):
            if not self._is_ours(dead.id) and self._leases.take_from_dead(dead):
                log.warning("run %s was left by %s", dead.id, dead.owner)
        for attempt in attempts:
            self._tell(attempt)

    def _tell(self, attempt: Attempt) -> None:
        """Write what a run says of itself. If that cannot be, it is no reason to end anything."""
        told = attempt.news()
        if told is None:
            return
        try:
            self._leases.tell(attempt.run.id, attempt.run.attempt, *told)
        except Exception:
            log.exception("how far run %s is could not be written", attempt.run.id)

    def _beat_if_time(self, attempts: list[Attempt]) -> None:
        now = time.monotonic()
        if now - self._beaten < self._pace.beat:
            return
        kept = self._leases.beat([(each.run.id, each.run.attempt) for each in attempts])
        self._beaten = now
        for attempt in attempts:
            if (attempt.run.id, attempt.run.attempt) not in kept and not attempt.settled:
                attempt.task.stop("lost")

    def _let_go_if_unheard(self) -> None:
        """Without a beat for as long as a lease, others have every right to what runs here."""
        if time.monotonic() - self._beaten > self._pace.lease:
            for attempt in self._under_way():
                attempt.task.stop("lost")

    def _begin(self, run: JobRun) -> None:
        attempt = Attempt(run, self.kinds[run.kind], self._settle)
        with self._lock:
            self._attempts[run.id] = attempt
        try:
            attempt.thread.start()
        except RuntimeError:  # there are no more threads here; others may have some
            log.exception("run %s could not be begun", run.id)
            self._settle(attempt, Ending("waiting"))

    def _settle(self, attempt: Attempt, ending: Ending) -> None:
        """Write how an attempt ended, once, and make room for the next."""
        with self._lock:
            if attempt.settled:
                return
            attempt.settled = True
        try:
            if not self._write_end(attempt, ending):
                log.warning("run %s had been taken over when it ended", attempt.run.id)
        except Exception:
            # It still says "running" there, and stops beating: it will be taken for dead.
            log.exception("the end of run %s could not be written", attempt.run.id)
        finally:
            with self._lock:
                if self._attempts.get(attempt.run.id) is attempt:
                    del self._attempts[attempt.run.id]
            self._awake.set()

    def _write_end(self, attempt: Attempt, ending: Ending) -> bool:
        """Write an end; while the store is away the run's own thread tries it for a lease long.

        Until then the run is still held: what was done would otherwise be done again.
        """
        deadline = time.monotonic() + self._pace.lease
        while attempt.task.stopped != "lost":
            _, progress, told = attempt.task.told()
            try:
                return self._leases.end(attempt.run, ending, progress, told)
            except MillpondError:
                in_its_thread = threading.current_thread() is attempt.thread
                if not in_its_thread or time.monotonic() > deadline:
                    raise
            time.sleep(self._pace.poll)
        return False

    def _under_way(self) -> list[Attempt]:
        with self._lock:
            return list(self._attempts.values())

    def _is_ours(self, run: str) -> bool:
        with self._lock:
            return run in self._attempts
