"""Documents that people design, stored whole: one canonical text each, a revision on every save.

What the text means is the slice's business; here it is text. No part of it is a column.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import ColumnElement, ForeignKey, Index, Select, String, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, Session, mapped_column

from core.errors import Conflict, NotFound
from core.store.rows import CleanText, Row, UtcTime, clean, new_id
from core.store.store import Store


@dataclass(frozen=True)
class Document:
    """A document as one of its revisions left it; revisions count from 1, times are UTC."""

    id: str
    workspace: str
    kind: str
    title: str
    text: str
    revision: int
    created_at: datetime
    updated_at: datetime
    updated_by: str


@dataclass(frozen=True)
class Revision:
    """One save of a document, without its text."""

    number: int
    title: str
    saved_at: datetime
    saved_by: str


class _DocumentRow(Row):
    __tablename__ = "document"
    __table_args__ = (Index(None, "workspace", "kind"),)

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    workspace: Mapped[str] = mapped_column(String(64))
    kind: Mapped[str] = mapped_column(String(32))
    revision: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(UtcTime)


class _RevisionRow(Row):
    __tablename__ = "document_revision"

    document: Mapped[str] = mapped_column(
        ForeignKey("document.id", ondelete="CASCADE"), primary_key=True
    )
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    title: Mapped[str] = mapped_column(CleanText)
    saved_at: Mapped[datetime] = mapped_column(UtcTime)
    saved_by: Mapped[str] = mapped_column(CleanText)
    text: Mapped[str] = mapped_column(CleanText)


_is_current = _RevisionRow.number == _DocumentRow.revision


class Documents:
    """The documents of one kind in one workspace; those of others do not exist for it."""

    def __init__(self, store: Store, workspace: str, kind: str) -> None:
        self._store = store
        self._workspace = workspace
        self._kind = kind

    def save(
        self,
        text: str,
        *,
        title: str,
        actor: str,
        id: str | None = None,
        revision: int | None = None,
    ) -> Document:
        """Save a new document, or a new revision of the document `id`.

        With `revision` the save is refused with Conflict if the document has moved on from it,
        and with NotFound if it is gone. Without, the last save wins, and an `id` that does not
        exist is made.
        """
        now = datetime.now(UTC)
        saved = _RevisionRow(saved_at=now, saved_by=clean(actor))
        saved.title, saved.text = clean(title), clean(text)
        try:
            with self._store.begin() as session:
                row = self._locked(session, id, revision) or self._made(session, id, now)
                row.revision += 1
                saved.document, saved.number = row.id, row.revision
                session.add(saved)
        except IntegrityError as error:
            raise Conflict(
                "Somebody else has saved under this id.", hint="Load it again, or save a copy."
            ) from error
        return _document(row, saved)

    def get(self, id: str) -> Document:
        """Return the document as it is now, or raise NotFound."""
        if found := self.find(id):
            return found
        raise self._missing(id)

    def find(self, id: str) -> Document | None:
        """Return the document as it is now, or None."""
        with self._store.read() as session:
            row = session.execute(self._saves(_is_current, _DocumentRow.id == id)).one_or_none()
            return _document(*row) if row else None

    def list(self) -> Sequence[Document]:
        """Return all documents as they are now, the last saved first."""
        newest_first = (_RevisionRow.saved_at.desc(), _DocumentRow.id)
        with self._store.read() as session:
            rows = session.execute(self._saves(_is_current).order_by(*newest_first))
            return [_document(*row) for row in rows]

    def current(self) -> dict[str, int]:
        """Return the revision of each document by its id, without reading a text."""
        query = select(_DocumentRow.id, _DocumentRow.revision).where(*self._ours())
        with self._store.read() as session:
            return {row.id: row.revision for row in session.execute(query)}

    def delete(self, id: str) -> None:
        """Delete the document with all its revisions, or raise NotFound."""
        with self._store.begin() as session:
            row = self._locked(session, id, None)
            if row is None:
                raise self._missing(id)
            session.delete(row)

    def revisions(self, id: str) -> Sequence[Revision]:
        """Return every save of the document, the last first, or raise NotFound."""
        it = _RevisionRow
        query = self._saves(_DocumentRow.id == id).order_by(it.number.desc())
        with self._store.read() as session:
            rows = session.execute(
                query.with_only_columns(it.number, it.title, it.saved_at, it.saved_by)
            )
            found = [Revision(*row) for row in rows]
        if not found:
            raise self._missing(id)
        return found

    def revision(self, id: str, number: int) -> Document:
        """Return the document as that save left it, or raise NotFound."""
        wanted = self._saves(_DocumentRow.id == id, _RevisionRow.number == number)
        with self._store.read() as session:
            row = session.execute(wanted).one_or_none()
            if row is None:
                raise self._missing(f"{id}, revision {number}")
            return _document(*row)

    def _ours(self) -> tuple[ColumnElement[bool], ...]:
        return _DocumentRow.workspace == self._workspace, _DocumentRow.kind == self._kind

    def _saves(self, *conditions: ColumnElement[bool]) -> Select[_DocumentRow, _RevisionRow]:
        joined = select(_DocumentRow, _RevisionRow).join(_RevisionRow)
        return joined.where(*self._ours(), *conditions)

    def _locked(
        self, session: Session, id: str | None, revision: int | None
    ) -> _DocumentRow | None:
        """Find the row and keep other writers off it until the transaction ends."""
        query = select(_DocumentRow).where(*self._ours(), _DocumentRow.id == id)
        row = session.scalar(query.with_for_update())
        if revision is None:
            return row
        if row is None:
            raise self._missing(id or "")
        if row.revision != revision:
            raise Conflict(
                f"This was saved by somebody else meanwhile: revision {row.revision} has replaced "
                f"revision {revision}.",
                hint="Load the new one and repeat your change, or save yours as a copy.",
            )
        return row

    def _made(self, session: Session, id: str | None, now: datetime) -> _DocumentRow:
        row = _DocumentRow(
            id=id or new_id(),
            workspace=self._workspace,
            kind=self._kind,
            revision=0,
            created_at=now,
        )
        session.add(row)
        return row

    def _missing(self, id: str) -> NotFound:
        return NotFound(f"There is no {self._kind} {id} here.", hint="It may have been deleted.")


def _document(row: _DocumentRow, saved: _RevisionRow) -> Document:
    return Document(
        id=row.id,
        workspace=row.workspace,
        kind=row.kind,
        title=saved.title,
        text=saved.text,
        revision=saved.number,
        created_at=row.created_at,
        updated_at=saved.saved_at,
        updated_by=saved.saved_by,
    )
