"""A text looked for in the values of tables: one query after another, in a thread.

So a page can show what is found so far and stop it. It is a look around and no index: it ends after
a while, and says what it did not come to.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass

from core.catalog.models import Table, identifier
from core.engine.results import Column
from core.engine.run import Run
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


class Seeking:
    """A search through values, under way or ended. Everything may be asked from any thread.

    `failed` counts tables that could not be read to their end, `problem` says why the last of them
    could not. `left_out` are tables beyond the number that is looked into.
    """

    def __init__(self, session: Session, tables: Iterable[Table], text: str) -> None:
        suited = [each for each in tables if _columns(each, text)]
        suited.sort(key=lambda table: (table.rows is None, table.rows or 0))
        self.total = len(suited[:TABLES])
        self.left_out = len(suited[TABLES:])
        self.done = 0
        self.failed = 0
        self.problem: MillpondError | None = None
        self.cancelled = False
        self._session, self._tables, self._text = session, suited[:TABLES], text
        self._hits: list[ValueHit] = []
        self._run: Run | None = None
        self._lock = threading.Lock()
        self._ended = threading.Event()

    def start(self) -> None:
        """Begin, and return at once."""
        threading.Thread(target=self._seek_all, name="values", daemon=True).start()

    @property
    def ended(self) -> bool:
        return self._ended.is_set()

    @property
    def complete(self) -> bool:
        """Whether every table was read."""
        return self.ended and self.done == self.total and not (self.failed or self.left_out)

    @property
    def hits(self) -> list[ValueHit]:
        with self._lock:
            return [*self._hits]

    def wait(self, seconds: float | None = None) -> bool:
        """Wait for the end, and tell whether it has come."""
        return self._ended.wait(seconds)

    def cancel(self) -> None:
        """Stop at once; what was found stays."""
        with self._lock:
            self.cancelled, run = True, self._run
        if run is not None:
            run.cancel()

    def _seek_all(self) -> None:
        until = time.monotonic() + SECONDS
        try:
            for table in self._tables:
                left = until - time.monotonic()
                if self.cancelled or left <= 0:
                    break
                try:
                    self._seek(table, min(left, PER_TABLE))
                except MillpondError as error:
                    if self.cancelled:
                        break
                    self.failed, self.problem = self.failed + 1, error
                self.done += 1
        finally:
            self._ended.set()
            with suppress(MillpondError):  # a worker that is lost has no session any more
                self._session.close()

    def _seek(self, table: Table, seconds: float) -> None:
        columns = _columns(table, self._text)
        run = self._session.start(seek_query(table, columns), {"text": self._text}, timeout=seconds)
        with self._lock:
            self._run = run
            late = self.cancelled
        if late:
            run.cancel()
        run.wait()
        if run.error is not None:
            raise run.error
        assert run.result is not None
        row = self._session.page(run, run.result, 0, 1).frame.row(0)
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
