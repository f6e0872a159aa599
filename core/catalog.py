"""What can be queried, as values: catalogs of schemas of tables of columns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from core.engine.results import Column

WORKSPACE = "workspace"
FILES = "files"


@dataclass(frozen=True)
class Table:
    """A table or view; `rows` is the engine's estimate, None where it has none."""

    catalog: str
    schema: str
    name: str
    kind: Literal["table", "view"]
    rows: int | None
    columns: tuple[Column, ...]

    @property
    def reference(self) -> str:
        """The shortest name that SQL finds it by, quoted where it must be."""
        parts = [self.name]
        if self.schema != "main":
            parts.insert(0, self.schema)
        if self.catalog not in (WORKSPACE, FILES):
            parts.insert(0, self.catalog)
        return ".".join(_quoted(part) for part in parts)


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
    columns: list[Column] = field(default_factory=list)


def catalogs(rows: Iterable[Mapping[str, Any]]) -> list[Catalog]:
    """Build the tree from one row a column, as the engine's op `catalog` gives them."""
    tree: dict[str, dict[str, dict[str, _Rows]]] = {}
    for row in rows:
        tables = tree.setdefault(row["catalog"], {}).setdefault(row["schema"], {})
        table = tables.setdefault(row["table"], _Rows(row["kind"], row["rows"]))
        table.columns.append(Column(row["column"], row["type"]))
    return [
        Catalog(catalog, tuple(_schema(catalog, name, each) for name, each in schemas.items()))
        for catalog, schemas in tree.items()
    ]


def _schema(catalog: str, name: str, tables: dict[str, _Rows]) -> Schema:
    found = (
        Table(catalog, name, table, each.kind, each.rows, tuple(each.columns))
        for table, each in tables.items()
    )
    return Schema(name, tuple(found))


def _quoted(name: str) -> str:
    plain = name.isascii() and name.isidentifier() and name == name.lower()
    return name if plain else '"' + name.replace('"', '""') + '"'
