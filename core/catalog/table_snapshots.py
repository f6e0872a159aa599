"""Snapshots of tables: local copies with the time they were taken, for who need not read live.

They are tables of the workspace's own database, in the schema `snapshots`: every type is kept as
it is, a copy is there whole or not at all, and it is read while its source is away. What was taken,
and when, is written in the same transaction, into `snapshots._taken`.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from core.access import Actor
from core.catalog.exact import let_go
from core.catalog.models import WORKSPACE, Table, identifier
from core.catalog.service import Catalogs
from core.connector import literal
from core.engine.engine import Engine
from core.engine.results import Column
from core.engine.run import Run
from core.engine.session import PAGE_LIMIT, Session
from core.engine.translate import translate
from core.errors import Conflict, InvalidInput, NotFound, QueryError

SCHEMA = "snapshots"
_TAKEN = "_taken"
_PLACE = f"{WORKSPACE}.{SCHEMA}"
_STAGE = "temp.main.millpond_stage"
_PREPARE = f"""
CREATE SCHEMA IF NOT EXISTS {_PLACE};
CREATE TABLE IF NOT EXISTS {_PLACE}.{_TAKEN} (
    name VARCHAR, source VARCHAR, "cursor" VARCHAR, taken_at TIMESTAMPTZ, "rows" BIGINT
)
"""
# Anybody who writes SQL here may have written into it.
_LIST = f"""
SELECT name, source, coalesce("cursor", ''), taken_at, "rows" FROM {_PLACE}.{_TAKEN}
WHERE name IS NOT NULL AND source IS NOT NULL AND isfinite(taken_at) AND "rows" IS NOT NULL
ORDER BY name
"""
_ORDERED: tuple[str, ...] = (
    "TINYINT",
    "SMALLINT",
    "INTEGER",
    "BIGINT",
    "HUGEINT",
    "UTINYINT",
    "USMALLINT",
)
_ORDERED += ("UINTEGER", "UBIGINT", "UHUGEINT", "DATE", "VARCHAR", "DECIMAL", "TIMESTAMP")
_ORDERED += ("TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS", "TIMESTAMP WITH TIME ZONE")

Follow = Callable[[Run], object]
"""Is told of the run that copies, and returns when it has ended."""


@dataclass(frozen=True)
class _Copying:
    """How long each reading may take, in seconds, and who is told of it."""

    timeout: float
    follow: Follow


@dataclass(frozen=True)
class TableSnapshot:
    """A copy: `name` in the schema of all copies, `source` the full name of what was copied.

    `cursor` is the column that a refresh goes on from, "" where each takes all rows anew.
    """

    name: str
    source: str
    cursor: str
    taken_at: datetime
    rows: int

    @property
    def address(self) -> str:
        """Its full name in SQL."""
        return f"{_PLACE}.{identifier(self.name)}"


class TableSnapshots:
    """The copies of a workspace for one actor. Everybody reads them, editors take them."""

    def __init__(self, engine: Engine, catalog: Catalogs, actor: Actor) -> None:
        self._engine, self._catalog, self._actor = engine, catalog, actor

    def list(self) -> Sequence[TableSnapshot]:
        """Return all, in the order of their names."""
        with self._session() as session:
            return _taken(session)

    def find(self, table: Table) -> TableSnapshot | None:
        """Return the copy of a table, if there is one."""
        return next((each for each in self.list() if each.source == table.address), None)

    def get(self, name: str) -> TableSnapshot:
        """Return a copy by its name. Raises NotFound."""
        for each in self.list():
            if each.name == name:
                return each
        raise NotFound(f"There is no snapshot {name}.")

    def table(self, name: str) -> Table:
        """Return the table of a source that a name means. Raises NotFound, InvalidInput."""
        found = self._catalog.find(name)
        if found is None:
            raise NotFound(f"There is no table {name}.")
        _refuse_local(found)
        return found

    def take(
        self, table: Table, cursor: str = "", *, timeout: float, follow: Follow = Run.wait
    ) -> TableSnapshot:
        """Copy a table, within `timeout` s; the copy before is used until the new one is whole.

        With a `cursor` a refresh reads only rows at and above the highest value there is, in place
        of those it had of that value. Raises what keeps the source from being read.
        """
        self._actor.require("editor", "take snapshots")
        _refuse_local(table)
        if cursor:
            _check_cursor(table.column(cursor))
        now, copying = datetime.now(UTC), _Copying(timeout, follow)
        wanted = TableSnapshot(".".join(table.parts), table.address, cursor, now, 0)
        with self._session() as session:
            session.run(_PREPARE)
            self._check_name(session, wanted)
            keep = _more(session, table, wanted, copying) or _whole(session, table, wanted, copying)
            _do(session, f"BEGIN; {keep}; {_noted(wanted)}; COMMIT", copying)
            return replace(wanted, rows=_noted_rows(session, wanted))

    def drop(self, name: str) -> None:
        """Delete a copy. Raises NotFound."""
        self._actor.require("editor", "drop snapshots")
        known = self.get(name)
        forget = f"DELETE FROM {_PLACE}.{_TAKEN} WHERE name = {literal(name)}"
        with self._session() as session:
            session.run(f"BEGIN; DROP TABLE IF EXISTS {known.address}; {forget}; COMMIT")

    def _check_name(self, session: Session, wanted: TableSnapshot) -> None:
        """Raise Conflict where the name is that of another table."""
        known = next((each for each in _taken(session) if each.name == wanted.name), None)
        if known is not None and known.source != wanted.source:
            raise Conflict(f"{wanted.address} is a snapshot of {known.source} already.")
        if wanted.name == _TAKEN or (known is None and _columns(session, wanted.address)):
            raise Conflict(
                f"{wanted.address} is a table that is no snapshot.", hint="Rename or drop it first."
            )

    @contextmanager
    def _session(self) -> Iterator[Session]:
        session = Session(self._engine, f"{self._actor.name}/snapshot-{uuid.uuid4().hex}")
        try:
            yield session
        finally:
            session.close()  # what was begun and not finished is undone


def can_follow(column: Column) -> bool:
    """Tell whether new rows of a table can be known by this column's values."""
    return column.type.partition("(")[0] in _ORDERED


def _check_cursor(column: Column) -> None:
    if not can_follow(column):
        raise InvalidInput(
            f"New rows cannot be known by {column.name}: it is {column.type}.",
            hint="Choose a column of numbers, dates, times or texts that only grow.",
        )


def _refuse_local(table: Table) -> None:
    if table.catalog == WORKSPACE:
        raise InvalidInput(
            f"{table.reference} is in the workspace already: it needs no snapshot.",
            hint="Choose a table of a source.",
        )


def _taken(session: Session) -> Sequence[TableSnapshot]:
    try:
        run = session.run(_LIST)
    except QueryError as error:
        if _TAKEN in error.message:  # none was ever taken
            return []
        raise
    assert run.result is not None
    return [
        TableSnapshot(*row) for row in session.page(run, run.result, 0, PAGE_LIMIT).frame.rows()
    ]


def _columns(session: Session, address: str) -> tuple[Column, ...]:
    """Return a table's columns as they are now, none where there is no such table."""
    try:
        run = session.run(f"SELECT * FROM {address} LIMIT 0")
    except QueryError as error:
        if "does not exist" in f"{error.message} {error.hint}":
            return ()
        raise
    return run.result.columns if run.result else ()


def _whole(session: Session, table: Table, wanted: TableSnapshot, copying: _Copying) -> str:
    """Return the SQL that keeps all rows in place of those there are."""
    rows = f"SELECT * FROM {table.source}"
    if table.dialect is not None:
        _stage(session, table, rows, copying)
        rows = f"FROM {_STAGE}"
    return f"CREATE OR REPLACE TABLE {wanted.address} AS {rows}"


def _more(session: Session, table: Table, wanted: TableSnapshot, copying: _Copying) -> str | None:
    """Read what is new, and return the SQL that keeps it in place of what it comes after.

    None where all must be read: there is no copy, or what comes has other columns than it.
    """
    columns = _columns(session, wanted.address)
    name, kind = identifier(wanted.cursor), _type_of(wanted.cursor, columns)
    if not kind:
        return None
    run = session.run(f"SELECT max({name})::VARCHAR FROM {wanted.address}")
    assert run.result is not None
    highest = session.page(run, run.result).frame.item(0, 0)
    if highest is None:
        return None
    # A constant, and not the query for it: that is what a source can filter by.
    since = f"WHERE {name} >= CAST({literal(highest)} AS {kind})"
    _stage(session, table, f"SELECT * FROM {table.source} {since}", copying)
    if _columns(session, _STAGE) != columns:
        return None
    # The source may order texts otherwise, and give some again that stand before the highest here.
    again = f"{since} OR {name} IN (SELECT {name} FROM {_STAGE})"
    return f"DELETE FROM {wanted.address} {again}; INSERT INTO {wanted.address} FROM {_STAGE}"


def _type_of(name: str, columns: tuple[Column, ...]) -> str:
    return next((each.type for each in columns if each.name == name), "")


def _stage(session: Session, table: Table, rows: str, copying: _Copying) -> None:
    """Read rows where the table is read, into a table that is gone with the session.

    So what keeps them is one text, which a worker that is replaced has done or has not.
    """
    into = f"CREATE OR REPLACE TEMP TABLE {_STAGE} AS"
    if table.dialect is None:
        _do(session, f"{into} {rows}", copying)
    else:
        sql = translate(rows, table.dialect, quote=True)
        _end(session.start(sql, timeout=copying.timeout, on=table.on, into=into), copying)


def _do(session: Session, sql: str, copying: _Copying) -> None:
    _end(session.start(sql, timeout=copying.timeout), copying)


def _end(run: Run, copying: _Copying) -> None:
    copying.follow(run)
    run.wait()
    let_go(run)
    if run.error is None:
        return
    if "write-write conflict" in run.error.message:
        raise Conflict(
            "This snapshot is being taken by somebody else.", hint="Try again in a moment."
        ) from run.error
    raise run.error


def _noted(wanted: TableSnapshot) -> str:
    facts = ", ".join(map(literal, (wanted.name, wanted.source, wanted.cursor)))
    at = literal(wanted.taken_at.isoformat())
    return (
        f"DELETE FROM {_PLACE}.{_TAKEN} WHERE name = {literal(wanted.name)}; "
        f"INSERT INTO {_PLACE}.{_TAKEN} SELECT {facts}, {at}, count(*) FROM {wanted.address}"
    )


def _noted_rows(session: Session, wanted: TableSnapshot) -> int:
    return next(each.rows for each in _taken(session) if each.name == wanted.name)
