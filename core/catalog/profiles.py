"""The profiles of tables for an actor: a first one at once, the exact one behind it, the kept ones.

The first is of a sample, and bounded in time whatever the table is. Values that are likely personal
leave neither of them.
"""

from __future__ import annotations

import threading
import uuid
from collections import OrderedDict
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from core.access import Actor
from core.catalog.drift import Change, drift
from core.catalog.exact import ExactPass, answers, let_go
from core.catalog.models import Table
from core.catalog.personal import masked
from core.catalog.reading import SAMPLE, Placed, Reading, parquet_call
from core.catalog.records import ProfileLog
from core.catalog.service import Catalogs
from core.catalog.table_profile import TableProfile
from core.engine.engine import Engine
from core.engine.profile import ColumnProfile, read
from core.engine.session import Session
from core.errors import InvalidInput, LimitExceeded

FIRST_SECONDS = 8.0
"""How long a sample may take before it is asked for the first rows only: 0.3 s is usual."""
_FEW, _FEW_SECONDS = 200, 7.0
_REMEMBERED = 100
_CHUNK = 50
_MANY = 1_000_000
"""Rows from which on it counts that a column has about as many values as rows."""


@dataclass
class ProfileBook:
    """What all actors of a workspace share: first profiles, and the last exact pass of a table."""

    engine: Engine
    log: ProfileLog
    first: OrderedDict[tuple[object, ...], TableProfile] = field(default_factory=OrderedDict)
    passes: OrderedDict[str, ExactPass] = field(default_factory=OrderedDict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def close(self) -> None:
        """Stop what is under way."""
        for each in [*self.passes.values()]:
            each.cancel()


class Profiles:
    """The profiles of a workspace's tables for one actor."""

    def __init__(self, book: ProfileBook, catalog: Catalogs, actor: Actor) -> None:
        self._book, self._engine, self._catalog, self._actor = book, book.engine, catalog, actor

    def first(
        self, table: Table, columns: slice | None = None, *, again: bool = False
    ) -> TableProfile:
        """Return the profile of a sample of a table, of all columns or some.

        It is remembered until the catalog changes; `again` takes another look. Raises NotFound,
        QueryError for a view that cannot be read, LimitExceeded for one that gives no row in time.
        """
        chosen = [*enumerate(table.columns)][columns or slice(None)]
        places = tuple(at for at, _ in chosen)
        key = (self._engine.changes, table.address, table.columns, places)
        with self._book.lock:
            known = self._book.first.get(key)
        if known is None or again:
            known = self._sampled(self._reading(table), chosen)
            with self._book.lock:
                self._book.first[key] = known
                while len(self._book.first) > _REMEMBERED:
                    self._book.first.popitem(last=False)
        return _shown(known)

    def start_exact(self, table: Table) -> ExactPass:
        """Start the exact profile of a table, or return the pass that is under way."""
        with self._book.lock:
            known = self._book.passes.get(table.address)
            if known is not None and not known.ended:
                return known
            begun = self._book.passes[table.address] = self._pass(table)
            self._book.passes.move_to_end(table.address)
            for old in [*self._book.passes.values()][:-_REMEMBERED]:
                if old.ended:
                    del self._book.passes[old.table.address]
        begun.start()
        return begun

    def under_way(self, table: Table) -> ExactPass | None:
        """Return a table's latest exact pass in this process, under way or ended."""
        return self._book.passes.get(table.address)

    def so_far(self, exact: ExactPass) -> dict[int, ColumnProfile]:
        """Return the columns that a pass has answered, by position."""
        return {at: masked(each) for at, each in exact.seen().items()}

    def kept(self, table: Table) -> Sequence[TableProfile]:
        """Return the exact profiles that are kept of a table, the last one first."""
        return self._book.log.list(table.address)

    def drift(self, kept: Sequence[TableProfile]) -> list[Change]:
        """Return what changed between the last two of a table's kept profiles."""
        return drift(kept[1], kept[0]) if len(kept) > 1 else []

    def _pass(self, table: Table) -> ExactPass:
        def prepare(exact: ExactPass) -> tuple[list[str], frozenset[int]]:
            longest = self._engine.settings.sql_limit
            reading = self._reading(table)
            try:
                sample = self._sampled(reading, [*enumerate(table.columns)], exact.check)
            except LimitExceeded:  # it takes long to begin; all of it may come all the same
                everything = frozenset(range(len(table.columns)))
                return reading.exact(everything, longest), everything
            exact.looks = dict(enumerate(sample.columns))
            large = reading.rows is None or reading.rows > _MANY
            many = (
                at for at, each in exact.looks.items() if large and _is_various(each, reading.rows)
            )
            various = frozenset(many)
            return reading.exact(various, longest), various

        def complete(profile: TableProfile) -> None:
            columns = tuple(masked(each) for each in profile.columns)
            kept = replace(profile, columns=columns)
            self._book.log.keep(table.address, kept, actor=self._actor.name)

        return ExactPass(table, self._session(), prepare, complete)

    def _session(self) -> Session:
        return Session(self._engine, f"{self._actor.name}/profile-{uuid.uuid4().hex}")

    def _reading(self, table: Table) -> Reading:
        """Find out how a table is read.

        Raises NotFound for one that is gone, InvalidInput for one that DuckDB does not read.
        """
        if table.on:
            raise InvalidInput(
                f"{table.reference} is not in reach of DuckDB, which takes profiles.",
                hint="Take a snapshot of it, and the profile of that.",
            )
        if table.kind == "table":
            return Reading(table, table.rows)
        file = parquet_call(self._catalog.describe(table).sql)
        if not file:
            return Reading(table, None)
        with closing(self._session()) as session:
            run = session.run(f"SELECT count(*) FROM {file}", timeout=FIRST_SECONDS)
            assert run.result is not None
            rows = int(session.page(run, run.result).frame.item(0, 0))
        return Reading(table, rows, file)

    def _sampled(
        self, reading: Reading, chosen: list[Placed], check: Callable[[], None] | None = None
    ) -> TableProfile:
        columns: list[ColumnProfile] = []
        most = SAMPLE
        with closing(self._session()) as session:
            for start in range(0, len(chosen), _CHUNK):
                if check is not None:
                    check()
                some = chosen[start : start + _CHUNK]
                found, most = self._look(session, reading, some, most)
                columns += found
        looked_at = columns[0].rows if columns else 0
        now = datetime.now(UTC)
        if looked_at < most and (not reading.rows or reading.rows <= most or not reading.even):
            return TableProfile(now, looked_at, looked_at, True, tuple(columns))
        first = not reading.even or most < SAMPLE
        return TableProfile(now, reading.rows, looked_at, False, tuple(columns), first)

    def _look(
        self, session: Session, reading: Reading, some: list[Placed], most: int
    ) -> tuple[list[ColumnProfile], int]:
        """Profile a sample of some columns; return also how many rows were asked for at most."""
        try:
            found = _asked(session, reading.sample(some, most), some, FIRST_SECONDS)
        except LimitExceeded as error:
            if error.setting != "MILLPOND_QUERY_TIMEOUT":
                raise
            most, reading = _FEW, replace(reading, rows=None)
            found = self._few(session, reading, some)
        if found and not found[0].rows and reading.rows:
            # A sample of whole vectors can miss all of them.
            found = _asked(session, replace(reading, rows=None).sample(some), some, FIRST_SECONDS)
        return found, most

    def _few(self, session: Session, reading: Reading, some: list[Placed]) -> list[ColumnProfile]:
        try:
            return _asked(session, reading.sample(some, _FEW), some, _FEW_SECONDS)
        except LimitExceeded as error:
            if error.setting != "MILLPOND_QUERY_TIMEOUT":
                raise
            seconds = FIRST_SECONDS + _FEW_SECONDS
            raise LimitExceeded(
                f"{reading.table.name} gave no rows within {seconds:g} s, so there is no first "
                "profile of it.",
                hint="Count all rows, in the background, or make the view smaller.",
                setting=error.setting,
            ) from error


def _asked(
    session: Session, sql: str, columns: list[Placed], timeout: float
) -> list[ColumnProfile]:
    run = session.run(sql, timeout=timeout, composed=True)
    try:
        facts = dict(answers(session, run))
    finally:
        let_go(run)
    return [read(column, facts[at]) for at, column in columns]


def _is_various(look: ColumnProfile, rows: int | None) -> bool:
    """Tell whether a column has about as many values as rows, from how few of a look repeat.

    Of n values drawn from d equally frequent ones n * n / 2d repeat (the birthday problem).
    """
    drawn = look.rows - look.nulls
    repeated = drawn - look.distinct
    if rows is None or not repeated:
        return not repeated
    return drawn * drawn / (2 * repeated) > rows / 2


def _shown(profile: TableProfile) -> TableProfile:
    return replace(profile, columns=tuple(masked(each) for each in profile.columns))
