"""The tables of sources that DuckDB cannot attach, as their connectors tell of them.

A server may have thousands and take long, or not answer at all: it is asked beside the calls that
want to know, and these get what it told before until it has.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, wait
from dataclasses import dataclass, field

from core.engine.worker.activity import WAIT, Activity
from core.errors import ConnectError, MillpondError
from core.structure import Structure

FRESH = 60.0
"""Seconds for which what a source told is not asked for again."""

PATIENCE = 10.0
"""Seconds that a call waits for a source to tell."""

Ask = Callable[[], Sequence[Structure]]


@dataclass
class _Listing:
    """What a source told last, and what it is being asked now."""

    tables: Sequence[Structure] = ()
    problem: MillpondError | None = None
    asked_at: float = -FRESH
    asking: Future[Sequence[Structure]] | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)


class Listings:
    """What each source told, by its alias in lower case."""

    def __init__(self) -> None:
        self._known: dict[str, _Listing] = {}

    def tables(
        self, key: str, ask: Ask, activity: Activity
    ) -> tuple[Sequence[Structure], MillpondError | None]:
        """Return a source's tables, and why they are not those of now, where that is so.

        It is waited for as long as PATIENCE; a cancelled call stops waiting.
        """
        listing = self._known.setdefault(key, _Listing())
        asking = self._begin(listing, ask)
        deadline = time.monotonic() + PATIENCE
        while asking is not None and not wait([asking], WAIT).done:
            activity.check()
            if time.monotonic() > deadline:
                return listing.tables, ConnectError(
                    f"It did not tell its tables within {PATIENCE:g} s.",
                    hint="They are listed as soon as it does.",
                )
        return listing.tables, listing.problem

    def forget(self, key: str) -> None:
        """Ask the source anew when it is next wanted."""
        self._known.pop(key, None)

    def _begin(self, listing: _Listing, ask: Ask) -> Future[Sequence[Structure]] | None:
        """Start to ask unless somebody does; None where what is known is fresh."""
        with listing.lock:
            if listing.asking is None and time.monotonic() - listing.asked_at >= FRESH:
                listing.asking = Future()
                threading.Thread(
                    target=_ask, args=[listing, listing.asking, ask], name="listing", daemon=True
                ).start()
            return listing.asking


def _ask(listing: _Listing, asking: Future[Sequence[Structure]], ask: Ask) -> None:
    try:
        found, problem = ask(), None
    except MillpondError as error:
        found, problem = listing.tables, error
    with listing.lock:
        listing.tables, listing.problem = found, problem
        # After a failure the next call asks again.
        listing.asked_at = time.monotonic() if problem is None else -FRESH
        listing.asking = None
    asking.set_result(found)
