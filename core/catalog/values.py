"""A text looked for in the values of tables, one after another.

It is a look around and no index: it ends after a while, and says what it did not come to.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass

from core.catalog.asking import Asking
from core.catalog.models import Table, identifier
from core.engine.results import Column
from core.engine.session import Session
from core.errors import MillpondError

TABLES = 200
"""Tables that are looked into at most: the smallest known first."""

SECONDS = 20.0
"""Time for all of them."""

PER_TABLE = 5.0
"""Time for one, which is read as a whole where the text is not in it."""

BEFORE, EXAMPLE = 40, 200
"""Characters of a value that are shown: before the text, and in all."""

_TEXTS = ("VARCHAR", "JSON", "ENUM", "UUID", "STRUCT", "MAP", "UNION")


@dataclass(frozen=True)
class ValueHit:
    """A column that has a value with the text in it, and what stands around it in one."""

    table: Table
    column: str
    example: str


class Seeking(Asking):
    """A search through values: each table is a query."""

    def __init__(self, session: Session, tables: Iterable[Table], text: str) -> None:
        suited = [each for each in tables if not each.on and _columns(each, text)]
        suited.sort(key=lambda table: (table.rows is None, table.rows or 0))
        super().__init__(session, len(suited[:TABLES]), len(suited[TABLES:]))
        self._tables, self._text = suited[:TABLES], text
        self._hits: list[ValueHit] = []

    @property
    def complete(self) -> bool:
        """Whether every table was read."""
        return self.ended and self.done == self.total and not (self.failed or self.left_out)

    @property
    def hits(self) -> list[ValueHit]:
        with self._lock:
            return [*self._hits]

    def _ask_all(self) -> None:
        until = time.monotonic() + SECONDS
        for table in self._tables:
            left = until - time.monotonic()
            if self.cancelled or left <= 0:
                break
            try:
                self._seek(table, min(left, PER_TABLE))
            except MillpondError as error:
                if self.cancelled:
                    break
                self._failed(error)
            self.done += 1

    def _seek(self, table: Table, seconds: float) -> None:
        columns = _columns(table, self._text)
        row = self._row(seek_query(table, columns), {"text": self._text}, seconds)
        pairs = zip(columns, row, strict=True)
        found = [ValueHit(table, each.name, text) for each, text in pairs if text is not None]
        with self._lock:
            self._hits.extend(found)


def seek_query(table: Table, columns: Iterable[Column]) -> str:
    """Compose the question to a table: one row, with a value of each column that has `$text`."""
    asked = ",\n       ".join(_value(identifier(each.name)) for each in columns)
    return f"SELECT {asked}\nFROM {table.address}"


def _value(name: str) -> str:
    text = f"{name}::VARCHAR"
    place = f"position(lower($text) IN lower({text}))"
    example = f"substr({text}, greatest(1, {place} - {BEFORE}), {EXAMPLE})"
    return f"any_value({example}) FILTER (WHERE {place} > 0)"


def _columns(table: Table, text: str) -> list[Column]:
    """Return the columns in which a text may be: words are in no number and no date."""
    digits = any(sign.isdigit() for sign in text)
    return [
        each
        for each in table.columns
        if each.type.startswith(_TEXTS) or each.type.endswith("]") or (digits and _written(each))
    ]


def _written(column: Column) -> bool:
    return not column.type.startswith(("BLOB", "BIT", "BOOLEAN", "GEOMETRY"))
