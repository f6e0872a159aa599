"""What a dialect's ALTER cannot do, and why: asked before a statement is written.

DuckDB's limits were found by trying each on 1.5.5; `tests/core/catalog/test_alters.py` runs what is
written, so that a limit that is missing here fails there.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from core.catalog.sqltext import generated
from core.structure import Constraint, Structure

_KEYS = ("PRIMARY KEY", "UNIQUE", "FOREIGN KEY")


class Limits:
    """A dialect that can do it all, as PostgreSQL; each answer is a reason, or empty."""

    indexes_hold = False
    """Whether a table with indexes takes no change, so that they must go and come back."""
    keys_change = True
    """Whether keys of a table that is there can be added and dropped."""

    def drop_table(self, table: Structure) -> str:
        """Say why a table cannot be dropped."""
        return ""

    def rename(self, table: Structure) -> str:
        """Say why a table, or a column of it, cannot be renamed."""
        return ""

    def drop_column(self, table: Structure, column: str) -> str:
        """Say why a column cannot be dropped."""
        return ""

    def retype(self, table: Structure, column: str) -> str:
        """Say why a column cannot be given another type."""
        return ""

    def nullable(self, table: Structure, column: str) -> str:
        """Say why it cannot be changed whether a column takes null."""
        return ""

    def redefault(self, table: Structure, column: str) -> str:
        """Say why a column cannot be given another default."""
        return ""

    def add_key(self, table: Structure, key: Constraint) -> str:
        """Say why a key cannot be added to a table that is there."""
        return ""


class DuckdbLimits(Limits):
    """DuckDB's, given the tables on the left and those of them that will be dropped."""

    indexes_hold = True
    keys_change = False

    def __init__(self, tables: Iterable[Structure], dropped: Iterable[str]) -> None:
        gone = set(dropped)
        self._readers: dict[str, list[str]] = defaultdict(list)
        for table in tables:
            for key in table.foreign_keys:
                target = key.target.table.lower() if key.target else ""
                if table.name not in gone and target != table.name.lower():
                    self._readers[target].append(table.name)

    def drop_table(self, table: Structure) -> str:
        return self._read(table)

    def rename(self, table: Structure) -> str:
        return self._read(table)

    def drop_column(self, table: Structure, column: str) -> str:
        names = [each.name for each in table.columns]
        keyed = [names.index(each) for key in table.constraints if key.kind in _KEYS
                 for each in key.columns if each in names]  # fmt: skip
        if max(keyed, default=-1) > names.index(column):
            return "a key is on a column after it"
        return self._read(table) or _part_of(table, column) or _computed_from(table, column)

    def retype(self, table: Structure, column: str) -> str:
        return self._read(table) or _part_of(table, column) or _computed_from(table, column)

    def nullable(self, table: Structure, column: str) -> str:
        primary = any(
            key.kind == "PRIMARY KEY" and column in key.columns for key in table.constraints
        )
        return self._read(table) or ("it is part of the primary key" if primary else "")

    def redefault(self, table: Structure, column: str) -> str:
        computed = column.lower() in generated(table.sql, "duckdb")[0]
        return "it is a generated column" if computed else ""

    def add_key(self, table: Structure, key: Constraint) -> str:
        if key.kind != "PRIMARY KEY":
            return "a table that is there takes no more of them"
        if any(each.kind == "PRIMARY KEY" for each in table.constraints):
            return "the old primary key cannot be dropped"
        return self._read(table)

    def _read(self, table: Structure) -> str:
        readers = self._readers.get(table.name.lower())
        return f"foreign keys of {', '.join(sorted(readers))} lead to the table" if readers else ""


def _part_of(table: Structure, column: str) -> str:
    kinds = sorted({key.kind for key in table.constraints if column in key.columns})
    return f"it is part of a {' and a '.join(kinds)}" if kinds else ""


def _computed_from(table: Structure, column: str) -> str:
    used = column.lower() in generated(table.sql, "duckdb")[1]
    return "a generated column is computed from it" if used else ""
