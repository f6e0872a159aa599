"""The tables of sources that DuckDB cannot attach, as their connectors tell of them.

A server may have thousands and take long, or not answer at all: it is asked beside the calls that
want to know, and these get what it told before until it has.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, wait
from dataclasses import dataclass, field

from core.engine.worker.activity import WAIT, Activity
from core.errors import ConnectError, MillpondError
from core.structure import Structure

FRESH = 60.0
"""Seconds for which what a source told is not asked for again."""

PATIENCE = 10.0
"""Seconds that a call waits for sources to tell, all of them together."""

ANOTHER = 1.0
"""Seconds that it waits for one that failed to tell the last time."""

_Ask = Callable[[], Sequence[Structure]]
Told = tuple[Sequence[Structure], MillpondError | None]


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

    def told(self, asks: Mapping[str, _Ask], activity: Activity) -> dict[str, Told]:
        """Return each source's tables, and why they are not those of now, where that is so.

        All are asked at once, and waited for as long as PATIENCE; a cancelled call stops waiting.
        """
        began = time.monotonic()
        listings = {key: self._known.setdefault(key, _Listing()) for key in asks}
        asked = {key: self._begin(each, asks[key]) for key, each in listings.items()}
        for key, asking in asked.items():
            if asking is not None:
                patience = PATIENCE if listings[key].problem is None else ANOTHER
                _await(listings[key], asking, began + patience, activity)
        return {key: (each.tables, each.problem) for key, each in listings.items()}

    def forget(self, key: str) -> None:
        """Ask the source anew when it is next wanted."""
        self._known.pop(key, None)

    def _begin(self, listing: _Listing, ask: _Ask) -> Future[Sequence[Structure]] | None:
        """Start to ask unless somebody does; None where what is known is fresh."""
        with listing.lock:
            if listing.asking is None and time.monotonic() - listing.asked_at >= FRESH:
                listing.asking = Future()
                threading.Thread(
                    target=_ask, args=[listing, listing.asking, ask], name="listing", daemon=True
                ).start()
            return listing.asking


def _await(
    listing: _Listing, asking: Future[Sequence[Structure]], deadline: float, activity: Activity
) -> None:
    """Wait until a source has told, or note that it is late."""
    while not wait([asking], WAIT).done:
        activity.check()
        if time.monotonic() > deadline:
            with listing.lock:
                if listing.asking is asking and listing.problem is None:
                    listing.problem = ConnectError(
                        f"It did not tell its tables within {PATIENCE:g} s.",
                        hint="They are listed as soon as it does.",
                    )
            return


def _ask(listing: _Listing, asking: Future[Sequence[Structure]], ask: _Ask) -> None:
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
