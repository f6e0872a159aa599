"""Which tables lead to which: keys that were declared, and candidates for those that were not.

Candidates come from names alone, a few for each column, in an order that does not change. They are
guesses until `core/catalog/measuring.py` has put them to the data; nothing here asks an engine.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from core.catalog.models import Table
from core.catalog.naming import Names
from core.structure import Constraint, Structure

PARENTS = 3
"""Guesses for one column at most."""


@dataclass(frozen=True)
class End:
    """One end of a relation: columns of a table."""

    catalog: str
    schema: str
    table: str
    columns: tuple[str, ...]

    @property
    def place(self) -> tuple[str, str, str]:
        """Which table it is, without its columns."""
        return self.catalog, self.schema, self.table

    @property
    def address(self) -> str:
        """The table's full name in SQL."""
        return self._named.address

    @property
    def reference(self) -> str:
        """The shortest name that SQL finds the table by."""
        return self._named.reference

    @property
    def _named(self) -> Table:
        return Table(*self.place, kind="table", rows=None, columns=())


@dataclass(frozen=True)
class Overlap:
    """How many distinct values of the child were looked at, and how many the parent has."""

    looked: int
    found: int

    @property
    def confidence(self) -> float:
        """The share that was found, from 0 to 1; 0 where there was no value."""
        return self.found / self.looked if self.looked else 0.0


@dataclass(frozen=True)
class Relation:
    """Rows of `child` lead to one row of `parent` each; to one row lead several unless `single`.

    `optional`: a child's row may lead nowhere. `measured` is None where nobody has looked, and of
    keys of several columns.
    """

    child: End
    parent: End
    declared: bool
    single: bool = False
    optional: bool = True
    measured: Overlap | None = None


Described = tuple[str, Structure]
"""A table, and the catalog that it is in."""


def declared(tables: Iterable[Described]) -> list[Relation]:
    """Return the foreign keys of tables, in their order."""
    return [
        _relation(catalog, table, key.columns, _parent(catalog, key), declared=True)
        for catalog, table in tables
        for key in table.foreign_keys
    ]


def candidates(tables: Sequence[Described], wanted: set[tuple[str, str, str]]) -> list[Relation]:
    """Guess relations of which an end is one of the `wanted` tables, the likeliest first.

    `tables` are all that there are. Views take part where a source has nothing else: those of a
    database say again what its tables say.
    """
    solid = {catalog for catalog, table in tables if table.kind == "table"}
    tables = [each for each in tables if each[1].kind == "table" or each[0] not in solid]
    names = Names(tables, [(each.child, each.parent) for each in declared(tables)])
    guesses = [
        (guess.strength, at, relation)
        for at, (catalog, table) in enumerate(tables)
        for column in table.columns
        if not _leads_already(table, column.name)
        for guess in names.parents(catalog, table, column)[:PARENTS]
        for relation in [
            _relation(catalog, table, (column.name,), End(*guess.place, (guess.column,)))
        ]
        if relation.child.place in wanted or relation.parent.place in wanted
    ]
    return [relation for _, _, relation in sorted(guesses, key=lambda each: each[:2])]


def _relation(
    catalog: str,
    table: Structure,
    columns: tuple[str, ...],
    parent: End,
    *,
    declared: bool = False,
) -> Relation:
    child = End(catalog, table.schema, table.name, columns)
    nullable = {each.name for each in table.columns if each.nullable}
    return Relation(
        child,
        parent,
        declared,
        single=set(columns) in list(_unique(table)),
        optional=bool(nullable & set(columns)),
    )


def _unique(table: Structure) -> Iterator[set[str]]:
    for each in table.constraints:
        if each.kind in ("PRIMARY KEY", "UNIQUE"):
            yield set(each.columns)


def _leads_already(table: Structure, column: str) -> bool:
    return any(key.columns == (column,) for key in table.foreign_keys)


def _parent(catalog: str, key: Constraint) -> End:
    assert key.target is not None
    return End(catalog, key.target.schema, key.target.table, key.target.columns)
