"""The tree of what can be queried, as last read; read again behind the pages that show it.

A server that is slow to list its tables keeps no page waiting: after a moment the page gets the
tree as it was, with its age, and the new one when it is there.
"""

from __future__ import annotations

import json
import threading
import time
from concurrent.futures import Future, wait
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from core.catalog.models import Catalog, catalogs
from core.catalog.note import Key
from core.catalog.remarks import Remarks, read_remarks
from core.engine.engine import Engine
from core.errors import MillpondError

_TICK = 0.02

LONGEST = 90.0
"""Seconds to wait where nothing but files and our own database is asked."""


@dataclass(frozen=True)
class Reading:
    """The tree as of a state of the engine, and when it was read."""

    changes: int = -1
    catalogs: tuple[Catalog, ...] = ()
    at: datetime | None = None
    remarks: Remarks = field(default_factory=Remarks)


@dataclass
class CatalogBook:
    """What all actors of a workspace share."""

    engine: Engine
    known: Reading = Reading()
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _reading: Future[Reading] | None = None
    _commented: int = 0

    @property
    def is_fresh(self) -> bool:
        """Tell whether the tree is whole and as new as the engine."""
        return self.known.changes == self.engine.changes and not self.engine.attaching

    def read(self, patience: float) -> Reading:
        """Return the tree; wait for a new one as long as `patience` s, and then go on behind.

        Raises what went wrong where there is none at all yet.
        """
        self.engine.start()
        self.engine.try_again()
        self._await_sources(patience)
        if self.known.changes == self.engine.changes:
            return self.known
        reading = self._begin()
        seconds = patience if self.engine.has_remote else max(patience, LONGEST)
        done, _ = wait([reading], seconds)
        if done and reading.exception() is not None and self.known.at is None:
            reading.result()
        return self.known

    def _await_sources(self, seconds: float) -> None:
        """Wait a while for those that are being attached: they would be missing in the tree."""
        deadline = time.monotonic() + seconds
        while self.engine.attaching and time.monotonic() < deadline:
            time.sleep(_TICK)

    def _begin(self) -> Future[Reading]:
        """Start to read, unless somebody does."""
        with self._lock:
            if self._reading is None or self._reading.done():
                self._reading = Future()
                threading.Thread(
                    target=self._read, args=[self._reading], name="catalog", daemon=True
                ).start()
            return self._reading

    def _read(self, reading: Future[Reading]) -> None:
        try:
            changes = self.engine.changes
            tree = tuple(catalogs(json.loads(self.engine.catalog())))
            remarks = self._remarks()
            found = Reading(changes, tree, datetime.now(UTC), remarks)
        except BaseException as error:
            reading.set_exception(error)
        else:
            self.known = found
            reading.set_result(found)

    def _remarks(self) -> Remarks:
        """Read comments and views; those that were known stay where a server has just gone away."""
        while True:
            commented = self._commented
            try:
                found = read_remarks(self.engine)
            except MillpondError:
                return self.known.remarks
            if commented == self._commented:
                return found

    def comment(self, key: Key, column: str, text: str) -> None:
        """Write a comment into the workspace's database. Raises what the engine says."""
        named = dict(zip(("catalog", "schema", "name"), key, strict=True))
        self.engine.call("comment", LONGEST, **named, column=column, text=text)
        with self._lock:
            self._commented += 1
            remarks = self.known.remarks.commented(key, column, text)
            self.known = replace(self.known, remarks=remarks)
