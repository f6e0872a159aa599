"""The catalog of a workspace for an actor: what can be queried, and what is known of it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from functools import partial

from core.access import Actor
from core.catalog.book import LONGEST, CatalogBook
from core.catalog.models import Catalog, Table
from core.errors import Forbidden
from core.structure import Structure

_PATIENCE = 1.0
"""Seconds that a page waits for servers to list their tables, before it shows what was known."""


class Catalogs:
    """The catalogs of a workspace for one actor."""

    def __init__(self, book: CatalogBook, actor: Actor) -> None:
        self._book, self._engine, self._actor = book, book.engine, actor

    def list(self) -> Sequence[Catalog]:
        """Return every catalog with its tables and columns, read again when it may have changed.

        Where servers take long, what was known is returned, and `is_fresh` says so.
        """
        return self._read(_PATIENCE)

    def whole(self) -> Sequence[Catalog]:
        """Return the same, and wait for the slowest server."""
        return self._read(LONGEST)

    def _read(self, patience: float) -> Sequence[Catalog]:
        """Return the tree, by a new engine where a file in it was replaced.

        The wall grants files, not names.
        """
        before = self._book.known.catalogs
        found = self._book.read(patience).catalogs
        if not any(self._was_replaced(each) for each in before):
            return found
        self._engine.renew()
        return self._book.read(patience).catalogs

    def _was_replaced(self, catalog: Catalog) -> bool:
        """Tell whether a source was read before, is refused now, and would not be once more."""
        problem = self._engine.broken.get(catalog.name)
        return isinstance(problem, Forbidden) and self._engine.within_reach(problem.path)

    @property
    def is_fresh(self) -> bool:
        """Tell whether the last answer of `list` was whole, and nothing has changed since."""
        return self._book.is_fresh

    @property
    def read_at(self) -> datetime | None:
        """When what `list` answers was read."""
        return self._book.known.at

    def find(self, name: str) -> Table | None:
        """Find a table by its full name, or the one that SQL means by a shorter one."""
        tables = [table for catalog in self.list() for table in catalog.tables]
        named = {table.reference: table for table in reversed(tables)}
        return (named | {table.address: table for table in tables}).get(name)

    def describe(self, table: Table) -> Structure:
        """Return all that is declared of a table. Raises NotFound for one that is gone."""
        found = self._structures(table.catalog, table.schema, table.name)
        # To a server `Items` and `items` may be the same name: it tells of both.
        return next((each for each in found if each.name == table.name), found[0])

    def structures(self, catalog: str, schema: str | None = None) -> Sequence[Structure]:
        """Return all that is declared of the tables of a catalog, or of one of its schemas."""
        return self._structures(catalog, schema, None)

    def _structures(
        self, catalog: str, schema: str | None, name: str | None
    ) -> Sequence[Structure]:
        ask = partial(
            self._engine.call, "structures", 60, catalog=catalog, schema=schema, name=name
        )
        try:
            answer = ask()
        except Forbidden as error:
            if not self._engine.within_reach(error.path):
                raise
            self._engine.renew()
            answer = ask()
        return [Structure.from_json(each) for each in json.loads(answer.body)]

    def macros(self) -> Sequence[str]:
        """Return the functions that SQL made and can call unquoted, as `name(parameters)`."""
        rows = json.loads(self._engine.call("macros", 60).body)
        return [f"{each['name']}({', '.join(each['parameters'])})" for each in rows]
