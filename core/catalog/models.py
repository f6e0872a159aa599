"""What can be queried, as values: catalogs of schemas of tables of columns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from core.engine.results import Column
from core.errors import NotFound

WORKSPACE = "workspace"
FILES = "files"

_WORDS = """
all analyse analyze and anti any array as asc asof asymmetric at authorization binary both
by case cast check collate collation column columns concurrently constraint create cross
default deferrable desc describe distinct do else end except false fetch for foreign freeze
from full generated glob group having ilike in initially inner intersect into is isnull
join lambda lateral leading left like limit map natural not notnull null offset on only or
order outer overlaps pivot pivot_longer pivot_wider placing positional primary qualify
references returning right select semi show similar some struct summarize symmetric table
tablesample then to trailing true try_cast union unique unpack unpivot using variadic
verbose when where window with
"""
KEYWORDS = frozenset(_WORDS.split())
"""DuckDB's words that name a table or a column in quotes only."""


@dataclass(frozen=True)
class Table:
    """A table or view; `rows` is the engine's estimate, None where it has none.

    `dialect` is None where DuckDB reads it. Else the engine of its source alone does, in that
    dialect, "" being one that is not known.
    """

    catalog: str
    schema: str
    name: str
    kind: Literal["table", "view"]
    rows: int | None
    columns: tuple[Column, ...]
    dialect: str | None = None

    @property
    def on(self) -> str:
        """The connection that SQL on it must run on; "" for DuckDB."""
        return "" if self.dialect is None else self.catalog

    @property
    def source(self) -> str:
        """What stands after FROM in SQL on it, in DuckDB's quotes: its engine knows no alias."""
        if self.dialect is None:
            return self.address
        return ".".join(identifier(part) for part in (self.schema, self.name) if part)

    @property
    def reference(self) -> str:
        """The shortest name that SQL finds it by, quoted where it must be."""
        return ".".join(identifier(part) for part in self.parts)

    @property
    def parts(self) -> tuple[str, ...]:
        """The names of which that consists, as they are."""
        schema = () if self.schema == "main" else (self.schema,)
        catalog = () if self.catalog in (WORKSPACE, FILES) else (self.catalog,)
        return (*catalog, *schema, self.name)

    @property
    def address(self) -> str:
        """The full name, which no other table has whatever stands before it on the search path."""
        return ".".join(identifier(part) for part in (self.catalog, self.schema, self.name))

    @property
    def key(self) -> tuple[str, str, str]:
        """Catalog, schema and name as they are: what is kept of a table is kept under them."""
        return self.catalog, self.schema, self.name

    def column(self, name: str) -> Column:
        """Return the column of that name, or raise NotFound."""
        for each in self.columns:
            if each.name == name:
                return each
        raise NotFound(f"The table {self.reference} has no column {name}.")

    @property
    def select(self) -> str:
        """A query of all its columns by their names."""
        names = ",\n       ".join(identifier(column.name) for column in self.columns)
        return f"SELECT {names}\nFROM {self.source}"


@dataclass(frozen=True)
class Schema:
    """A schema and its tables."""

    name: str
    tables: tuple[Table, ...]


@dataclass(frozen=True)
class Catalog:
    """A database or connection and its schemas."""

    name: str
    schemas: tuple[Schema, ...]

    @property
    def tables(self) -> tuple[Table, ...]:
        return tuple(table for schema in self.schemas for table in schema.tables)


@dataclass
class _Rows:
    kind: Literal["table", "view"]
    rows: int | None
    dialect: str | None
    columns: list[Column] = field(default_factory=list)


def catalogs(rows: Iterable[Mapping[str, Any]]) -> list[Catalog]:
    """Build the tree from one row a column, as the engine's op `catalog` gives them."""
    tree: dict[str, dict[str, dict[str, _Rows]]] = {}
    for row in rows:
        tables = tree.setdefault(row["catalog"], {}).setdefault(row["schema"], {})
        table = tables.setdefault(row["table"], _Rows(row["kind"], row["rows"], row.get("dialect")))
        table.columns.append(Column(row["column"], row["type"]))
    return [
        Catalog(catalog, tuple(_schema(catalog, name, each) for name, each in schemas.items()))
        for catalog, schemas in tree.items()
    ]


def _schema(catalog: str, name: str, tables: dict[str, _Rows]) -> Schema:
    found = (
        Table(catalog, name, table, each.kind, each.rows, tuple(each.columns), each.dialect)
        for table, each in tables.items()
    )
    return Schema(name, tuple(found))


def identifier(name: str) -> str:
    """Write a name for SQL, in quotes where it must be."""
    plain = name.isascii() and name.isidentifier() and name == name.lower()
    plain = plain and name not in KEYWORDS
    return name if plain else '"' + name.replace('"', '""') + '"'
