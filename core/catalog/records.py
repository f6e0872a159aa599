"""The rows of the catalog: notes on tables and columns, and the last profiles of each table.

Notes lie under names and not under definitions, so that they survive a table's being made again.
"""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime

from sqlalchemy import (
    JSON,
    BigInteger,
    ColumnElement,
    Index,
    Integer,
    String,
    delete,
    func,
    insert,
    select,
)
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, mapped_column

from core.catalog.note import Change, Key, Note, Notes
from core.catalog.table_profile import TableProfile
from core.store.rows import CleanText, Row, UtcTime, clean
from core.store.store import Store

KEPT = 20
"""Profiles kept of one table."""

Version = tuple[int, datetime | None]


class _ProfileRow(Row):
    __tablename__ = "table_profile"
    __table_args__ = (Index(None, "workspace", "number"),)

    number: Mapped[int] = mapped_column(Integer, primary_key=True)
    workspace: Mapped[str] = mapped_column(String(64))
    address: Mapped[str] = mapped_column(CleanText)
    taken_at: Mapped[datetime] = mapped_column(UtcTime)
    taken_by: Mapped[str] = mapped_column(CleanText)
    rows: Mapped[int | None] = mapped_column(BigInteger)
    profile: Mapped[str] = mapped_column(CleanText)


_ROWS = Row.metadata.tables["table_profile"]


class ProfileLog:
    """The kept profiles of one workspace."""

    def __init__(self, store: Store, workspace: str) -> None:
        self._store = store
        self._workspace = workspace

    def keep(self, address: str, profile: TableProfile, *, actor: str) -> None:
        """Keep a table's profile, and let go what is older than the last of them."""
        row = {
            "workspace": self._workspace,
            "address": address,
            "taken_at": profile.taken_at,
            "taken_by": actor,
            "rows": profile.rows,
            "profile": profile.to_text(),
        }
        with self._store.begin() as session:
            session.execute(insert(_ROWS).values(row))
            newest = select(_ROWS.c.number).where(*self._of(address))
            newest = newest.order_by(_ROWS.c.number.desc()).offset(KEPT - 1).limit(1)
            last = session.scalar(newest)
            if last is not None:
                session.execute(delete(_ROWS).where(*self._of(address), _ROWS.c.number < last))

    def list(self, address: str, limit: int = KEPT) -> list[TableProfile]:
        """Return a table's profiles, the last taken first."""
        kept = select(_ROWS.c.profile).where(*self._of(address))
        kept = kept.order_by(_ROWS.c.number.desc()).limit(limit)
        with self._store.read() as session:
            return [TableProfile.from_text(text) for text in session.scalars(kept)]

    def prune(self, keep: int) -> int:
        """Delete all but the newest `keep` profiles of the workspace; return how many."""
        ours = _ROWS.c.workspace == self._workspace
        with self._store.begin() as session:
            newest = select(_ROWS.c.number).where(ours).order_by(_ROWS.c.number.desc())
            last = session.scalar(newest.offset(keep).limit(1))
            if last is None:
                return 0
            old = (ours, _ROWS.c.number <= last)
            count = session.scalar(select(func.count()).select_from(_ROWS).where(*old))
            session.execute(delete(_ROWS).where(*old))
            return count or 0

    def _of(self, address: str) -> tuple[ColumnElement[bool], ...]:
        return (_ROWS.c.workspace == self._workspace, _ROWS.c.address == clean(address))


class _NoteRow(Row):
    __tablename__ = "catalog_note"
    __table_args__ = (Index(None, "workspace", "updated_at"),)

    workspace: Mapped[str] = mapped_column(String(64), primary_key=True)
    # Of the names: they may be longer than PostgreSQL indexes.
    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    catalog: Mapped[str] = mapped_column(CleanText)
    schema: Mapped[str] = mapped_column(CleanText)
    name: Mapped[str] = mapped_column(CleanText)
    column: Mapped[str] = mapped_column(CleanText)
    comment: Mapped[str] = mapped_column(CleanText)
    tags: Mapped[list[str]] = mapped_column(JSON)
    owner: Mapped[str] = mapped_column(CleanText)
    updated_at: Mapped[datetime] = mapped_column(UtcTime)
    updated_by: Mapped[str] = mapped_column(CleanText)


class NoteRows:
    """The notes of one workspace."""

    def __init__(self, store: Store, workspace: str) -> None:
        self._store = store
        self._workspace = workspace

    def version(self) -> Version:
        """Return what is another after each change, whichever process made it."""
        it = _NoteRow
        query = select(func.count(), func.max(it.updated_at)).where(it.workspace == self._workspace)
        with self._store.read() as session:
            count, latest = session.execute(query).one()
        return count, latest

    def all(self) -> Notes:
        """Return every note."""
        it = _NoteRow
        names = (it.catalog, it.schema, it.name, it.column)
        query = select(*names, it.comment, it.tags, it.owner).where(it.workspace == self._workspace)
        found: dict[Key, dict[str, Note]] = {}
        with self._store.read() as session:
            for catalog, schema, name, column, comment, tags, owner in session.execute(query):
                table = found.setdefault((catalog, schema, name), {})
                table[column] = Note(comment, tuple(tags), owner)
        return found

    def change(self, key: Key, column: str, change: Change, *, actor: str) -> Note:
        """Change a note, and return it; one that says nothing any more is forgotten.

        Raises InvalidInput for what is too long or too much.
        """
        try:
            return self._change(key, column, change, actor)
        except IntegrityError:  # somebody else has just made the first note here
            return self._change(key, column, change, actor)

    def _change(self, key: Key, column: str, change: Change, actor: str) -> Note:
        with self._store.begin() as session:
            identity = {"workspace": self._workspace, "digest": _digest(key, column)}
            row = session.get(_NoteRow, identity, with_for_update=True)
            before = Note(row.comment, tuple(row.tags), row.owner) if row else Note()
            note = before.changed(change)
            if note == Note():
                if row is not None:
                    session.delete(row)
                return note
            if row is None:
                names = dict(zip(("catalog", "schema", "name"), key, strict=True))
                row = _NoteRow(**identity, **names, column=column)
                session.add(row)
            row.comment, row.tags, row.owner = note.comment, [*note.tags], note.owner
            row.updated_at, row.updated_by = datetime.now(UTC), clean(actor)
        return note


def _digest(key: Key, column: str) -> str:
    return hashlib.sha256(json.dumps([*key, column]).encode()).hexdigest()
