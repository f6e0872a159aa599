"""The relations of a workspace for an actor: declared at once, inferred as they are measured."""

from __future__ import annotations

import threading
import uuid
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from core.access import Actor
from core.catalog.document import document
from core.catalog.erd.diagram import Diagram, Wish, compose
from core.catalog.measuring import Measuring
from core.catalog.relations import Described, Relation, candidates, declared
from core.catalog.service import Catalogs
from core.engine.engine import Engine
from core.engine.session import Session
from core.errors import MillpondError, NotFound

GUESSES = 500
"""Guesses for one question, the likeliest: each is a query, 5 ms to 50 ms for files and SQLite."""

KEPT = 8
"""Measurings that are kept, the last asked for: each is a few kB."""


@dataclass(frozen=True)
class Scope:
    """What relations are wanted of: a catalog, one of its schemas, or one table."""

    catalog: str
    schema: str | None = None
    table: str | None = None

    def holds(self, place: tuple[str, str, str]) -> bool:
        """Tell whether a table is within."""
        wanted = (self.catalog, self.schema, self.table)
        return all(want in (None, has) for want, has in zip(wanted, place, strict=True))


@dataclass
class RelationBook:
    """What all actors of a workspace share: descriptions as of `changes`, and measurings."""

    changes: int = -1
    told: dict[str, Sequence[Described]] = field(default_factory=dict)
    broken: dict[str, MillpondError] = field(default_factory=dict)
    measured: OrderedDict[tuple[str, Scope], Measuring] = field(default_factory=OrderedDict)
    lock: threading.Lock = field(default_factory=threading.Lock)


class Relations:
    """The relations of a workspace for one actor."""

    def __init__(
        self, book: RelationBook, catalogs: Catalogs, engine: Engine, actor: Actor
    ) -> None:
        self._book, self._catalogs, self._engine, self._actor = book, catalogs, engine, actor

    @property
    def broken(self) -> dict[str, MillpondError]:
        """The catalogs that could not be described, and why."""
        return dict(self._book.broken)

    def tables(self, scope: Scope | None = None) -> list[Described]:
        """Describe all tables within a scope, or all that there are but those of broken sources.

        Raises NotFound for a scope without any.
        """
        self._engine.start()
        book, changes = self._book, self._engine.changes
        with book.lock:
            if book.changes != changes:
                book.told.clear()
                book.broken.clear()
                book.measured.clear()
                book.changes = changes
            for catalog in self._catalogs.list():
                if catalog.name not in book.told:
                    book.told[catalog.name] = self._describe(catalog.name)
            known = [each for told in book.told.values() for each in told]
        if scope is None:
            return known
        found = [each for each in known if scope.holds((each[0], each[1].schema, each[1].name))]
        if not found:
            raise self._nothing(scope)
        return found

    def declared(self, scope: Scope) -> list[Relation]:
        """Return the foreign keys from and to the tables of a scope. Raises NotFound."""
        self.tables(scope)
        return [
            each
            for each in declared(self.tables())
            if scope.holds(each.child.place) or scope.holds(each.parent.place)
        ]

    def inferred(self, scope: Scope, *, again: bool = False) -> Measuring:
        """Return the measuring of what may be related, begun now unless it was.

        `again` measures anew, and describes the catalog anew before. Raises NotFound.
        """
        if again:
            with self._book.lock:
                self._book.told.pop(scope.catalog, None)
        wanted = {(catalog, each.schema, each.name) for catalog, each in self.tables(scope)}
        apart = self._apart()
        guesses = [
            each
            for each in candidates(self.tables(), wanted)
            if apart.isdisjoint((each.child.catalog, each.parent.catalog))
        ]
        with self._book.lock:
            key, measured = (self._actor.name, scope), self._book.measured
            if again or key not in measured:
                session = Session(self._engine, f"{self._actor.name}/{uuid.uuid4().hex}")
                left_out = len(guesses[GUESSES:])
                measured[key] = Measuring(session, guesses[:GUESSES], left_out=left_out)
                measured[key].start()
            measured.move_to_end(key)
            while len(measured) > KEPT:
                measured.popitem(last=False)[1].cancel()
            return measured[key]

    def _apart(self) -> set[str]:
        """Return the catalogs whose tables DuckDB does not read: guesses cannot be measured."""
        return {each.name for each in self._catalogs.list() for table in each.tables if table.on}

    def diagram(self, scope: Scope, wish: Wish, *, inferred: bool = False) -> Diagram:
        """Return a diagram of tables of a scope, with what was inferred of it so far if asked.

        Without `wish.home` it is of all tables of the scope. Raises NotFound.
        """
        within = self.tables(scope)
        home = wish.home or {(catalog, each.schema, each.name) for catalog, each in within}
        tables = self.tables()
        relations = declared(tables) + (self.inferred(scope).likely if inferred else [])
        return compose(tables, relations, replace(wish, home=home))

    def document(self, scope: Scope, title: str, *, inferred: bool = False) -> str:
        """Write the documentation of a scope's tables as one HTML file. Raises NotFound."""
        found = self.declared(scope) + (self.inferred(scope).likely if inferred else [])
        diagram = self.diagram(scope, Wish(title), inferred=inferred)
        return document(self.tables(scope), found, diagram)

    def _describe(self, catalog: str) -> Sequence[Described]:
        try:
            return [(catalog, each) for each in self._catalogs.structures(catalog)]
        except MillpondError as error:  # one broken source must not take the others with it
            self._book.broken[catalog] = error
            return []

    def _nothing(self, scope: Scope) -> MillpondError:
        if (error := self._book.broken.get(scope.catalog)) is not None:
            return error
        names = [scope.catalog, scope.schema, scope.table]
        name = ".".join(each for each in names if each is not None)
        there = ", ".join(sorted(each.name for each in self._catalogs.list()))
        return NotFound(
            f"There is no table in {name}."
            if scope.table is None
            else f"There is no table {name}.",
            hint=f"Catalogs with tables are {there}." if there else "There are no tables yet.",
        )
