"""Notes on the tables of a workspace for an actor: read, searched, changed.

A comment on a table of the workspace's own database is also written there, with COMMENT ON, and
what SQL says of it since counts. Any other source is only read: its comments show until somebody
writes another here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from core.access import Actor
from core.catalog.book import CatalogBook
from core.catalog.models import WORKSPACE, Catalog, Table
from core.catalog.note import Change, Key, Note, Notes
from core.catalog.records import NoteRows, Version
from core.catalog.remarks import Remarks

Lost = tuple[Key, str, Note]
"""A note whose table, or whose column of a table, is not there."""


@dataclass
class NoteBook:
    """What all actors of a workspace share: `known` is as of `remarks` and `version`."""

    rows: NoteRows
    tree: CatalogBook
    kept: Notes = field(default_factory=dict)
    known: Notes = field(default_factory=dict)
    remarks: Remarks | None = None
    version: Version | None = None

    def all(self) -> Notes:
        """Return every note, those of the sources among them, read again where one is new."""
        remarks, version = self.tree.known.remarks, self.rows.version()
        if version != self.version:
            self.kept = self.rows.all()
        if version != self.version or remarks is not self.remarks:
            self.known = merged(self.kept, remarks.comments)
            self.remarks, self.version = remarks, version
        return self.known

    def tags(self) -> Sequence[str]:
        """Return every tag that is used, by name."""
        self.all()
        notes = (note for table in self.kept.values() for note in table.values())
        return sorted({tag for note in notes for tag in note.tags})


class TableNotes:
    """The notes of a workspace for one actor."""

    def __init__(self, book: NoteBook, actor: Actor) -> None:
        self._book, self._actor = book, actor

    def all(self) -> Notes:
        """Return every note, those of the sources among them."""
        return self._book.all()

    def of(self, table: Table) -> Mapping[str, Note]:
        """Return the notes on a table's columns by name, and its own under the empty name."""
        return self._book.all().get(table.key, {})

    def tags(self) -> Sequence[str]:
        """Return every tag that is used, by name."""
        return self._book.tags()

    def change(self, table: Table, column: str, change: Change) -> Note:
        """Change what is noted of a table, or of one of its columns, and return it.

        Raises Forbidden, InvalidInput, NotFound for a column that there is not, and what the
        engine says where it cannot write the comment.
        """
        self._actor.require("editor", "write notes")
        if column:
            table.column(column)
        before = self.of(table).get(column, Note())
        after = before.changed(change)
        if change.comment is not None and table.catalog == WORKSPACE:
            self._book.tree.comment(table.key, column, after.comment)
        self._book.rows.change(table.key, column, change, actor=self._actor.name)
        return after

    def lost(self, catalogs: Sequence[Catalog]) -> Sequence[Lost]:
        """Return the notes whose table or column is none of these, by their names."""
        self._book.all()
        there: dict[Key, set[str]] = {
            table.key: {"", *(column.name for column in table.columns)}
            for catalog in catalogs
            for table in catalog.tables
        }
        return sorted(
            (key, column, note)
            for key, notes in self._book.kept.items()
            for column, note in notes.items()
            if column not in there.get(key, ())
        )

    def forget(self, key: Key, column: str) -> None:
        """Forget a note that is kept here. Raises Forbidden."""
        self._actor.require("editor", "delete notes")
        nothing = Change(comment="", tags=(), owner="")
        self._book.rows.change(key, column, nothing, actor=self._actor.name)


def merged(kept: Notes, said: Mapping[Key, Mapping[str, str]]) -> Notes:
    """Put the comments that the sources keep into the notes that are kept here."""
    found = {key: dict(notes) for key, notes in kept.items()}
    for key, comments in said.items():
        notes = found.setdefault(key, {})
        for column, comment in comments.items():
            note = notes.get(column, Note())
            if key[0] == WORKSPACE or not note.comment:
                notes[column] = replace(note, comment=comment)
    return found
