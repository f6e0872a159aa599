"""Snapshots of tables: local copies with the time they were taken, for who need not read live.

They are tables of the workspace's own database, in the schema `snapshots`: every type is kept as
it is, a copy is there whole or not at all, and it is read while its source is away. What was taken,
and when, is written in the same transaction, into `snapshots._taken`.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from core.access import Actor
from core.catalog.exact import let_go
from core.catalog.models import WORKSPACE, Table, identifier
from core.catalog.service import Catalogs
from core.connector import literal
from core.engine.engine import Engine
from core.engine.lexer import fold
from core.engine.results import PUSHED, Column
from core.engine.run import Run
from core.engine.session import PAGE_LIMIT, Session
from core.engine.translate import translate
from core.errors import Conflict, InvalidInput, NotFound, QueryError

SCHEMA = "snapshots"
_TAKEN = "_taken"
_PLACE = f"{WORKSPACE}.{SCHEMA}"
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

_ARRIVED = "temp.main.arrived"
_OTHER_COLUMNS = "What arrived has other columns than the snapshot."
_CONFLICT = re.compile(
    r"(Failed to commit: )?(Conflict on|Catalog write-write conflict|Transaction conflict)"
)
"""What DuckDB says where two transactions change one table."""

Follow = Callable[[Run], object]
"""Is told of each run that copies, and returns when it has ended."""


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


@dataclass(frozen=True)
class _Copy:
    """SQL that reads `rows` at a source, and what makes of a query of them SQL that keeps them."""

    rows: str
    keep: Callable[[str], str]


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
        of those it had of that value; where columns have changed, it reads all. Raises what keeps
        the source from being read, and Conflict where somebody else takes the same table.
        """
        self._actor.require("editor", "take snapshots")
        _refuse_local(table)
        if cursor:
            _check_cursor(table.column(cursor))
        now = datetime.now(UTC)
        wanted = TableSnapshot(".".join(table.parts), table.address, cursor, now, 0)
        with _alone(wanted.address):
            more = self._prepare(table, wanted)
            if more is None or not self._copy(table, wanted, more, timeout, follow):
                self._copy(table, wanted, _whole(table, wanted), timeout, follow)
        return self.get(wanted.name)

    def drop(self, name: str) -> None:
        """Delete a copy. Raises NotFound, and Conflict while it is taken."""
        self._actor.require("editor", "drop snapshots")
        address = self.get(name).address
        with _alone(address), self._session() as session:
            session.run(f"BEGIN; {_forget(name)}; DROP TABLE IF EXISTS {address}; COMMIT")

    def _prepare(self, table: Table, wanted: TableSnapshot) -> _Copy | None:
        """Check what there is, and return how what is new is copied, if only that is wanted."""
        with self._session() as session:
            session.run(_PREPARE)
            self._check_name(session, wanted)
            if table.dialect is None:
                # A file that was saved anew makes a new worker, which must not come in the midst.
                _columns(session, table.source)
            return _more(session, table, wanted) if wanted.cursor else None

    def _copy(
        self, table: Table, wanted: TableSnapshot, copy: _Copy, timeout: float, follow: Follow
    ) -> bool:
        """Copy rows, and return whether the copy has the columns for them."""
        with self._session() as session:
            run = _start(session, table, wanted, copy, timeout)
            follow(run)
            run.wait()
            let_go(run)
        if run.error is not None and run.error.message == _OTHER_COLUMNS:
            return False
        if run.error is not None:
            raise run.error
        return True

    def _check_name(self, session: Session, wanted: TableSnapshot) -> None:
        """Raise Conflict where the name is that of another table."""
        name = fold(wanted.name)
        known = next((each for each in _taken(session) if fold(each.name) == name), None)
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
        if "does not exist" in f"{error.message} {error.hint}":  # a name may have lines
            return ()
        raise
    return run.result.columns if run.result else ()


def _whole(table: Table, wanted: TableSnapshot) -> _Copy:
    def keep(rows: str) -> str:
        return f"CREATE OR REPLACE TABLE {wanted.address} AS {rows}"

    return _Copy(f"SELECT * FROM {table.source}", keep)


def _more(session: Session, table: Table, wanted: TableSnapshot) -> _Copy | None:
    """Return how what is new is copied; None where that cannot be known from what there is."""
    kinds = {each.name: each.type for each in _columns(session, wanted.address)}
    if wanted.cursor not in kinds:
        return None
    name = identifier(wanted.cursor)
    run = session.run(f"SELECT max({name})::VARCHAR FROM {wanted.address}")
    assert run.result is not None
    highest = session.page(run, run.result).frame.item(0, 0)
    if highest is None:
        return None
    # A constant, and not the query for it: that is what a source can filter by.
    since = f"{name} >= CAST({literal(highest)} AS {kinds[wanted.cursor]})"
    # A source may order texts otherwise: what it gave again goes too, wherever it stands here.
    again = f"{since} OR {name} IN (SELECT {name} FROM {_ARRIVED})"

    def keep(rows: str) -> str:
        return (
            f"CREATE TEMP TABLE {_ARRIVED} AS {rows}; {_same_columns(wanted)}; "
            f"DELETE FROM {wanted.address} WHERE {again}; "
            f"INSERT INTO {wanted.address} BY NAME FROM {_ARRIVED}"
        )

    return _Copy(f"SELECT * FROM {table.source} WHERE {since}", keep)


def _same_columns(wanted: TableSnapshot) -> str:
    """Return SQL that fails where what arrived has other columns than the copy, in any order.

    Else a value would be cast to what is there. A column without a value fits every type: a source
    whose types are told by its values has none for it.
    """
    return f"""
    SELECT CASE WHEN EXISTS (
        FROM (DESCRIBE {wanted.address}) AS had
        FULL JOIN (DESCRIBE {_ARRIVED}) AS came USING (column_name)
        LEFT JOIN (
            UNPIVOT (SELECT count(COLUMNS(*)) FROM {_ARRIVED}) ON COLUMNS(*)
            INTO NAME column_name VALUE filled
        ) AS counted USING (column_name)
        WHERE had.column_type IS NULL OR came.column_type IS NULL
           OR (had.column_type <> came.column_type AND filled > 0)
    ) THEN error({literal(_OTHER_COLUMNS)}) END
    """


def _start(
    session: Session, table: Table, wanted: TableSnapshot, copy: _Copy, timeout: float
) -> Run:
    """Start to read rows where the table is read, and to keep and note them, in one run.

    A session's transaction is lost with its worker, and a statement behind it would be on its own.
    """
    if table.dialect is None:
        return session.start(_transaction(wanted, copy.keep(copy.rows)), timeout=timeout)
    sql = translate(copy.rows, table.dialect, quote=True)
    into = _transaction(wanted, copy.keep(f"FROM {PUSHED}"))
    return session.start(sql, timeout=timeout, on=table.on, into=into)


def _transaction(wanted: TableSnapshot, keep: str) -> str:
    facts = ", ".join(map(literal, (wanted.name, wanted.source, wanted.cursor)))
    at = literal(wanted.taken_at.isoformat())
    # The old note goes first: who takes the same table meanwhile is refused before it is read.
    return (
        f"BEGIN; {_forget(wanted.name)}; {keep}; INSERT INTO {_PLACE}.{_TAKEN} "
        f"SELECT {facts}, {at}, count(*) FROM {wanted.address}; COMMIT"
    )


def _forget(name: str) -> str:
    return f"DELETE FROM {_PLACE}.{_TAKEN} WHERE name = {literal(name)}"


@contextmanager
def _alone(address: str) -> Iterator[None]:
    """Raise Conflict where somebody else changes the same copy."""
    try:
        yield
    except QueryError as error:
        if not _CONFLICT.match(error.message):
            raise
        raise Conflict(
            f"{address} is being taken or dropped by somebody else.",
            hint="Wait until that has ended, and try again.",
        ) from error
