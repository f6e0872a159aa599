"""The catalog with what people make of it: notes, searches, and what uses a table."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field

from core.access import Actor
from core.catalog.book import CatalogBook
from core.catalog.models import Table
from core.catalog.notes import NoteBook, TableNotes
from core.catalog.search import Hit, Index
from core.catalog.service import Catalogs
from core.catalog.usage import Usage, UsageBook
from core.catalog.values import Seeking
from core.engine.session import Session
from core.errors import NotFound


@dataclass
class NotedBook:
    """What all actors of a workspace share; `sought` is each one's last search through values."""

    notes: NoteBook
    usage: UsageBook
    index: Index | None = None
    sought: dict[tuple[str, str], Seeking] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)


class NotedCatalogs(Catalogs):
    """The catalogs of a workspace for one actor, with what is noted of them."""

    def __init__(self, book: CatalogBook, noted: NotedBook, actor: Actor) -> None:
        super().__init__(book, actor)
        self._noted = noted
        self.notes = TableNotes(noted.notes, actor)

    def get(self, name: str) -> Table:
        """Return a table by its full name or by one that SQL knows. Raises NotFound."""
        found = self.find(name)
        if found is None:
            raise NotFound(
                f"There is no table {name}.",
                hint="It may be gone, or its source may be broken; names are as SQL has them.",
            )
        return found

    def search(self, text: str) -> Sequence[Hit]:
        """Find tables by words in names, comments, tags and owners; see `Index.find`."""
        tree, notes = self.list(), self.notes.all()
        index = self._noted.index
        if index is None or not index.is_of(tree, notes):
            index = self._noted.index = Index(tree, notes)
        return index.find(text)

    def seek(self, text: str, *, kept: bool = True) -> Seeking:
        """Begin to look for a text in the values of all tables, and return at once.

        If it is `kept` to be found again, the actor's last one is stopped.
        """
        tables = [table for catalog in self.list() for table in catalog.tables]
        session = Session(self._engine, f"{self._actor.name}/{uuid.uuid4().hex}")
        seeking = Seeking(session, tables, text.strip())
        with self._noted.lock:
            mine = [key for key in self._noted.sought if kept and key[0] == self._actor.name]
            for key in mine:
                self._noted.sought.pop(key).cancel()
            if kept:
                self._noted.sought[self._actor.name, text.strip()] = seeking
        seeking.start()
        return seeking

    def find_seeking(self, text: str) -> Seeking | None:
        """Return the actor's last search through values if it was for this text."""
        return self._noted.sought.get((self._actor.name, text.strip()))

    def used_by(self, table: Table, seconds: float = 0.5) -> Usage:
        """Return what uses a table, as far as it can be told within some seconds."""
        return self._noted.usage.of(table, self._book.known, seconds)

    def source_used_by(self, alias: str, seconds: float = 0.5) -> Usage:
        """Return what uses any table of a connection, as far as it can be told in some seconds."""
        self.list()  # so that the views of just now are known
        return self._noted.usage.of_source(alias, self._book.known, seconds)
