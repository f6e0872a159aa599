"""The query log: a row for each query that ran, in the order in which they were started.

Every query writes here twice, 0.12 ms each on SQLite: cheap enough to be written as it happens,
so that what was running when a process died is known afterwards.
"""

from __future__ import annotations

from dataclasses import fields
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Double,
    Index,
    Integer,
    Select,
    String,
    bindparam,
    delete,
    insert,
    or_,
    select,
    update,
)
from sqlalchemy import text as literal_sql
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, mapped_column

from core.errors import Conflict, InvalidInput, NotFound
from core.queries.models import HistoryEntry, State
from core.store.owner import is_elsewhere, is_gone, this_process
from core.store.rows import CleanText, Row, UtcTime, clean
from core.store.store import Store

_LONGEST_SEARCH = 10_000  # characters; SQLite's LIKE takes 50,000 bytes
_IS_RUNNING = literal_sql("state = 'running'")


class _QueryRow(Row):
    __tablename__ = "query_log"
    __table_args__ = (
        Index(None, "workspace", "number"),
        # Partial on PostgreSQL too, as its migration says: to name that dialect here would import
        # it, 0.07 s at each start.
        Index("ix_query_log_running", "workspace", sqlite_where=_IS_RUNNING),
    )

    number: Mapped[int] = mapped_column(Integer, primary_key=True)
    id: Mapped[str] = mapped_column(String(64), unique=True)
    workspace: Mapped[str] = mapped_column(String(64))
    actor: Mapped[str] = mapped_column(CleanText)
    connection: Mapped[str] = mapped_column(CleanText)
    state: Mapped[str] = mapped_column(String(16))
    owner: Mapped[str] = mapped_column(CleanText)
    started_at: Mapped[datetime] = mapped_column(UtcTime)
    elapsed: Mapped[float] = mapped_column(Double)
    rows: Mapped[int | None] = mapped_column(BigInteger)
    error: Mapped[str] = mapped_column(CleanText)
    sql: Mapped[str] = mapped_column(CleanText)


_LOG = Row.metadata.tables["query_log"]  # its columns, without the ORM: half the time
_ENTRY = [_LOG.c[each.name] for each in fields(HistoryEntry)]
_START = insert(_LOG)
_FINISH = update(_LOG).where(_LOG.c.id == bindparam("run"), _LOG.c.workspace == bindparam("place"))


class QueryLog:
    """The runs of one workspace. Any process may write its own and read all."""

    def __init__(self, store: Store, workspace: str) -> None:
        self._store = store
        self._workspace = workspace

    def started(self, id: str, actor: str, sql: str, connection: str = "") -> None:
        """Write that a query has begun, now, in this process. Raises Conflict for a used id."""
        row = {
            "id": id,
            "workspace": self._workspace,
            "actor": actor,
            "connection": connection,
            "state": "running",
            "owner": this_process(),
            "started_at": datetime.now(UTC),
            "elapsed": 0.0,
            "error": "",
            "sql": sql,
        }
        try:
            with self._store.begin() as session:
                session.execute(_START, row)
        except IntegrityError as error:
            raise Conflict(f"There is a query {id} in the history already.") from error

    def finished(
        self, id: str, *, state: State, elapsed: float, rows: int | None = None, error: str = ""
    ) -> None:
        """Write how a query ended, `elapsed` in s. Nothing to do if it has been pruned."""
        end = {"state": state, "elapsed": elapsed, "rows": rows, "error": error}
        with self._store.begin() as session:
            session.execute(_FINISH, {"run": id, "place": self._workspace, **end})

    def get(self, id: str) -> HistoryEntry:
        """Return one run, or raise NotFound."""
        with self._store.read() as session:
            row = session.execute(self._entries(_LOG.c.id == id)).one_or_none()
        if row is None:
            raise NotFound(f"There is no query {id} in the history.", hint="It may be too old.")
        return HistoryEntry(*row)

    def search(
        self,
        text: str = "",
        *,
        actor: str | None = None,
        state: State | None = None,
        limit: int = 100,
        before: str | None = None,
    ) -> list[HistoryEntry]:
        """Return runs, the last started first, whose SQL or error has the text, in any case.

        `before` is the id of the last entry of the page above. Raises InvalidInput for a text of
        more than 10,000 characters.
        """
        if len(text) > _LONGEST_SEARCH:
            raise InvalidInput(f"Search for less: at most {_LONGEST_SEARCH:,} characters.")
        conditions: list[ColumnElement[bool]] = []
        if text:
            part = clean(text)
            found = [each.icontains(part, autoescape=True) for each in (_LOG.c.sql, _LOG.c.error)]
            conditions.append(or_(*found))
        if actor is not None:
            conditions.append(_LOG.c.actor == actor)
        if state is not None:
            conditions.append(_LOG.c.state == state)
        if before is not None:
            above = select(_LOG.c.number).where(_LOG.c.id == before).scalar_subquery()
            conditions.append(_LOG.c.number < above)
        newest = self._entries(*conditions).order_by(_LOG.c.number.desc()).limit(limit)
        with self._store.read() as session:
            return [HistoryEntry(*row) for row in session.execute(newest)]

    def interrupt_running(self, *, longest: float | None = None) -> int:
        """Mark what dead processes left running as interrupted; return how many.

        A process of another machine cannot be looked at: its rows are left alone until they have
        run for `longest` s, the time after which no query can still be running.
        """
        running = (_LOG.c.workspace == self._workspace, _LOG.c.state == "running")
        with self._store.read() as session:
            owners = set(session.scalars(select(_LOG.c.owner).where(*running)))
        gone: ColumnElement[bool] = _LOG.c.owner.in_([each for each in owners if is_gone(each)])
        if longest is not None:
            elsewhere = _LOG.c.owner.in_([each for each in owners if is_elsewhere(each)])
            gone |= elsewhere & (_LOG.c.started_at < datetime.now(UTC) - timedelta(seconds=longest))
        with self._store.begin() as session:
            marked = session.execute(
                update(_LOG).where(*running, gone).values(state="interrupted").returning(_LOG.c.id)
            )
            return len(marked.all())

    def prune(self, keep: int) -> int:
        """Delete all but the newest `keep` runs and those still running; return how many."""
        ours = _LOG.c.workspace == self._workspace
        newest = select(_LOG.c.number).where(ours).order_by(_LOG.c.number.desc())
        with self._store.begin() as session:
            first_old = session.scalar(newest.offset(keep).limit(1))
            if first_old is None:
                return 0
            old = (ours, _LOG.c.number <= first_old, _LOG.c.state != "running")
            return len(session.execute(delete(_LOG).where(*old).returning(_LOG.c.number)).all())

    def _entries(self, *conditions: ColumnElement[bool]) -> Select[*tuple[Any, ...]]:
        return select(*_ENTRY).where(_LOG.c.workspace == self._workspace, *conditions)
