"""A query that is run for one answer: a session of its own, a cap on its rows, nothing kept.

It stops as soon as it has one row more than it may answer, so that a cap spares the engine the
rest and the caller knows that there was more.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import uuid
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from starlette.requests import Request

from core.engine.lexer import statements
from core.engine.results import ResultSet
from core.engine.run import Run
from core.errors import MillpondError, QueryCancelled
from core.queries.runs import Entry
from core.workbench import Workspace

log = logging.getLogger(__name__)

_FIRST_PAUSE, _LONGEST_PAUSE = 0.005, 0.1


class OneShot:
    """Runs a text of statements at once, to answer at most `limit` rows of its last result.

    Raises LimitExceeded or InvalidInput for a text that cannot be sent.
    """

    def __init__(
        self,
        workspace: Workspace,
        sql: str,
        params: dict[str, Any],
        *,
        limit: int,
        timeout: float | None = None,
        on: str = "",
    ) -> None:
        self._queries = workspace.queries
        self._entry = start(workspace, sql, params, timeout, on)
        self.session = self._entry.session
        self.run = self._entry.run
        self.limit = limit
        self._last = 0 if on else len(statements(sql)) - 1

    @property
    def result(self) -> ResultSet | None:
        """What is answered: the last result that has rows, or the last."""
        return self.run.result

    @property
    def rows(self) -> int:
        """How many rows are answered."""
        return min(self.limit, self.result.rows) if self.result else 0

    @property
    def truncated(self) -> bool:
        """Tell whether there were more."""
        return self.result is not None and self.result.rows > self.limit

    async def arrive(self, request: Request) -> bool:
        """Wait for the rows; False when the caller has gone away. Raises what went wrong."""
        ended, loop = asyncio.Event(), asyncio.get_running_loop()

        def wake(_: Run) -> None:
            with suppress(RuntimeError):  # the server may have stopped meanwhile
                loop.call_soon_threadsafe(ended.set)

        self.run.when_ended(wake)
        pause = _FIRST_PAUSE
        while not (self._has_enough() or self.run.ended):
            with suppress(TimeoutError):
                await asyncio.wait_for(ended.wait(), pause)
            if await request.is_disconnected():
                return False
            pause = min(2 * pause, _LONGEST_PAUSE)
        if self._has_enough():
            self.run.cancel(QueryCancelled(f"The caller wanted the first {self.limit:,} rows."))
        elif self.run.error is not None:
            raise self.run.error
        return True

    def _has_enough(self) -> bool:
        """Tell whether the rest can be spared: only of a SELECT, and only where nothing follows."""
        result = self.run.results[-1] if self.run.results else None
        if result is None or result.kind != "SELECT" or result.statement != self._last:
            return False
        return result.rows > self.limit

    def end(self) -> None:
        """Stop it if it runs, and let its rows and its session go as soon as it has stopped."""
        self.run.cancel()
        self.run.when_ended(lambda _: _aside(self._forget))

    def _forget(self) -> None:
        _quietly(lambda: self._queries.forget(self.run.id))
        _quietly(self.session.close)


def start(
    workspace: Workspace, sql: str, params: dict[str, Any], timeout: float | None, on: str = ""
) -> Entry:
    """Start a text of statements in a session of its own, within the workspace's own timeout."""
    longest = workspace.engine.settings.query_timeout
    document = f"api-{uuid.uuid4().hex}"
    return workspace.queries.run(
        sql, params, document=document, timeout=min(timeout or longest, longest), on=on
    )


def close_when_ended(entry: Entry) -> None:
    """Close the session of a run at its end; the results stay."""
    entry.run.when_ended(lambda _: _aside(lambda: _quietly(entry.session.close)))


def _aside(act: Callable[[], None]) -> None:
    # The end of a run is told by the thread that listens to the worker: it must not wait for it.
    threading.Thread(target=act, name="api-tidy", daemon=True).start()


def _quietly(act: Callable[[], None]) -> None:
    try:
        act()
    except (MillpondError, TimeoutError) as error:  # the answer is out: nobody to tell
        log.info("an API call could not be tidied up: %s", error)
