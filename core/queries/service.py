"""Run queries for an actor, log each of them, and keep those that people save."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from core.access import Actor
from core.engine.analysis import analysis
from core.engine.engine import Engine
from core.engine.run import Run
from core.engine.session import Session
from core.engine.translate import translated
from core.errors import MillpondError, NotFound, QueryError
from core.queries.models import HistoryEntry, SavedQuery, State
from core.queries.records import QueryLog
from core.queries.runs import Entry, RunBook
from core.store.documents import Document, Documents
from core.store.store import Store

log = logging.getLogger(__name__)

_ANALYSIS = 10.0
"""Seconds that a connection's engine may take to analyse a statement."""

HISTORY_KEPT = 50_000
"""Runs that the history keeps; older ones are forgotten when the workspace opens."""


@dataclass(frozen=True)
class QueryBook:
    """What all actors of a workspace share."""

    runs: RunBook
    log: QueryLog
    saved: Documents

    @classmethod
    def open(cls, store: Store, workspace: str, engine: Engine) -> QueryBook:
        """Open the log and the documents; runs that a dead process left are marked so."""
        query_log = QueryLog(store, workspace)
        query_log.interrupt_running(longest=engine.settings.query_timeout)
        query_log.prune(HISTORY_KEPT)
        runs = RunBook(engine.spools, engine.settings.spool_total)
        return cls(runs, query_log, Documents(store, workspace, "query"))


@dataclass(frozen=True)
class Saved:
    """A saved query with the facts of its document."""

    document: Document
    query: SavedQuery


class Queries:
    """The queries of a workspace for one actor."""

    def __init__(self, book: QueryBook, engine: Engine, actor: Actor) -> None:
        self._book, self._engine, self._actor = book, engine, actor

    def session(self, document: str) -> Session:
        """Return the actor's session for a document: a page, a notebook, an API call."""
        return Session(self._engine, f"{self._actor.name}/{document}")

    def run(
        self,
        sql: str,
        params: Mapping[str, Any] | None = None,
        *,
        document: str = "",
        text: str = "",
        offset: int = 0,
        timeout: float | None = None,
        on: str = "",
        logged: bool = True,
    ) -> Entry:
        """Start a text of statements, and return at once. Its errors are in the run.

        With `on` the connection of that alias runs it, in its own dialect. It may be a part of the
        document's `text`, which begins there at `offset`. The history is of what people write: what
        a page asks for by itself is not `logged`.

        Raises LimitExceeded or InvalidInput for a text that cannot even be sent.
        """
        session = self.session(document)
        run = session.start(sql, params, timeout=timeout, on=on)
        whole = text or sql
        entry = Entry(run, session, self._actor.name, document, whole, offset, params or {}, on)
        if logged:
            self._book.log.started(run.id, self._actor.name, sql, on)
        self._book.runs.add(entry)
        if logged:
            run.when_ended(self._log_end)
        return entry

    def _log_end(self, run: Run) -> None:
        result = run.result
        try:
            self._book.log.finished(
                run.id,
                state=run.state,
                elapsed=run.elapsed,
                rows=None if result is None else result.rows or result.affected,
                error=run.error.message if run.error else "",
            )
        except MillpondError:  # the history must not take the result with it
            log.exception("the end of query %s could not be logged", run.id)

    def translate(self, sql: str, dialect: str) -> Sequence[str]:
        """Return the statements of a text in a connection's dialect.

        Raises QueryError, InvalidInput.
        """
        return translated(sql, dialect)

    def analyse(self, sql: str, on: str, dialect: str) -> bool:
        """Have a connection's own engine look through a statement of its dialect, and run nothing.

        False where it has no way to. Raises what it finds, ConnectError and LimitExceeded.
        """
        asked = analysis(sql, dialect)
        if not asked:
            return False
        session = self.session(f"analysis-{uuid.uuid4().hex}")
        try:
            session.run(asked, timeout=_ANALYSIS, on=on)
        except QueryError as error:
            error.line = max(0, error.line - 1)  # it begins in the second line of what was asked
            raise
        finally:
            session.close()
        return True

    def get(self, run_id: str) -> Entry:
        """Return one of the actor's runs, by its id or a result's. Raises NotFound."""
        entry = self._book.runs.get(run_id)
        if entry.actor != self._actor.name:
            raise NotFound("This query is no longer kept.", hint="Run it again.")
        return entry

    def find(self, document: str) -> Entry | None:
        """Return the actor's latest run for a document, under way or ended."""
        return self._book.runs.find(self._actor.name, document)

    def running(self) -> list[Entry]:
        """Return the actor's runs under way."""
        return [each for each in self._book.runs.running() if each.actor == self._actor.name]

    def forget(self, run_id: str) -> None:
        """Let a run's results go."""
        self._book.runs.forget(self.get(run_id).run.id)

    def history(
        self,
        text: str = "",
        *,
        state: State | None = None,
        limit: int = 100,
        before: str | None = None,
    ) -> Sequence[HistoryEntry]:
        """Return the log, newest first, filtered by a text in SQL or error."""
        return self._book.log.search(text, state=state, limit=limit, before=before)

    def save(
        self,
        query: SavedQuery,
        *,
        id: str | None = None,
        revision: int | None = None,
    ) -> Saved:
        """Save a new query, or a new revision of one. Raises Conflict for a stale revision."""
        self._actor.require("editor", "save queries")
        document = self._book.saved.save(
            query.to_text(), title=query.name, actor=self._actor.name, id=id, revision=revision
        )
        return Saved(document, query)

    def saved(self, query_id: str) -> Saved:
        """Return a saved query. Raises NotFound."""
        document = self._book.saved.get(query_id)
        return Saved(document, SavedQuery.from_text(document.text))

    def list_saved(self, text: str = "") -> list[Saved]:
        """Return saved queries, the last saved first, that hold a text in name, tags or SQL."""
        found = [Saved(each, SavedQuery.from_text(each.text)) for each in self._book.saved.list()]
        wanted = text.strip().lower()
        return [each for each in found if wanted in _searchable(each.query)]

    def delete_saved(self, query_id: str) -> None:
        """Delete a saved query. Raises NotFound."""
        self._actor.require("editor", "delete queries")
        self._book.saved.delete(query_id)


def _searchable(query: SavedQuery) -> str:
    return "\n".join([query.name, query.description, *query.tags, query.sql]).lower()
