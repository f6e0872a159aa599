"""The runs of a workspace that can still be looked at: those under way, and the last ones.

They live in this process, not in a browser's session: so a page that is loaded again, or opened
elsewhere, finds its run by actor and document. Results that are let go lose their spool files.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from core.engine.run import Run
from core.engine.session import Session
from core.errors import NotFound

KEPT_RUNS = 200


@dataclass(frozen=True)
class Entry:
    """A run, who started it, for which document, and the session it runs in.

    `text` is the whole text that the run was a part of, and `offset` where that part began.
    """

    run: Run
    session: Session
    actor: str
    document: str
    text: str = ""
    offset: int = 0
    params: Mapping[str, Any] = field(default_factory=dict)
    on: str = ""
    """The alias of the connection that it runs on; empty: DuckDB."""


class RunBook:
    """Keeps runs findable, and their spools within `limit` bytes: the oldest ended go first."""

    def __init__(self, spools: Path, limit: int) -> None:
        self._spools = spools
        self._limit = limit
        self._entries: OrderedDict[str, Entry] = OrderedDict()
        self._lock = threading.Lock()

    def add(self, entry: Entry) -> None:
        """Keep a run, and tidy up when it ends."""
        with self._lock:
            self._entries[entry.run.id] = entry
        entry.run.when_ended(lambda _: self._tidy())

    def get(self, run_id: str) -> Entry:
        """Return a run by its id, or by the id of one of its results. Raises NotFound."""
        with self._lock:
            entry = self._entries.get(run_id.partition("-")[0])
        if entry is None:
            raise NotFound("This query is no longer kept.", hint="Run it again.")
        return entry

    def find(self, actor: str, document: str) -> Entry | None:
        """Return the latest run of an actor for a document."""
        with self._lock:
            entries = [*self._entries.values()]
        fits = (each for each in reversed(entries) if each.document == document)
        return next((each for each in fits if each.actor == actor), None)

    def running(self) -> list[Entry]:
        """Return the runs under way, the oldest first."""
        with self._lock:
            return [each for each in self._entries.values() if not each.run.ended]

    def forget(self, run_id: str) -> None:
        """Let a run go, with its spools."""
        with self._lock:
            entry = self._entries.pop(run_id, None)
        if entry is not None:
            self._remove_spools(entry)

    def _tidy(self) -> None:
        with self._lock:
            ended = [each for each in self._entries.values() if each.run.ended]
            size = sum(self._size(each) for each in ended)
            # The newest stays, however large it is: somebody looks at it.
            for entry in ended[:-1]:
                if len(self._entries) <= KEPT_RUNS and size <= self._limit:
                    break
                size -= self._size(entry)
                del self._entries[entry.run.id]
                self._remove_spools(entry)

    def _files(self, entry: Entry) -> list[Path]:
        return [self._spools / f"{result.id}.arrow" for result in entry.run.results]

    def _size(self, entry: Entry) -> int:
        size = 0
        for file in self._files(entry):
            with suppress(OSError):
                size += file.stat().st_size
        return size

    def _remove_spools(self, entry: Entry) -> None:
        for file in self._files(entry):
            file.unlink(missing_ok=True)
