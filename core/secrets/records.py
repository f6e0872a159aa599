"""The rows: sealed secrets, and the state of each master key, on which all processes agree.

Whoever seals holds the key lock shared until its transaction ends, and whoever changes the states
or the key file holds it alone: nothing is ever sealed by a key that was retired meanwhile. On
SQLite every writer is alone anyway; on PostgreSQL it is an advisory lock.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Index, LargeBinary, String, delete, func, insert, select, text, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from core.secrets.models import KeyState, SealedSecret
from core.store.rows import CleanText, Row, UtcTime

__all__ = ["MasterKeyRow", "SealedRow", "SealedRows", "Session", "joined", "lock_keys"]

_LOCK = 0x4D70536B  # of pg_advisory_xact_lock: any number that others do not use


class SealedRow(Row):
    """One sealed value; `keys` repeats the ids in its header, sorted, so that they can be asked."""

    __tablename__ = "sealed_secret"
    __table_args__ = (Index(None, "workspace", "owner"), Index(None, "keys"))

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    workspace: Mapped[str] = mapped_column(String(64))
    owner: Mapped[str] = mapped_column(String(128))
    label: Mapped[str] = mapped_column(CleanText)
    keys: Mapped[str] = mapped_column(CleanText)
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    updated_at: Mapped[datetime] = mapped_column(UtcTime)

    def told(self) -> SealedSecret:
        """Return what may be told of it."""
        keys = tuple(self.keys.split())
        return SealedSecret(self.id, self.workspace, self.owner, self.label, keys, self.updated_at)

    @property
    def bound(self) -> bytes:
        """What its sealed value belongs to."""
        return self.bound_to(self.id)

    @staticmethod
    def bound_to(id: str) -> bytes:
        """Return what the sealed value of the row of that id belongs to."""
        return b"sealed_secret " + id.encode()


class MasterKeyRow(Row):
    """A master key that this store has seen. The key itself is never in the store."""

    __tablename__ = "master_key"

    id: Mapped[str] = mapped_column(String(16), primary_key=True)
    state: Mapped[KeyState] = mapped_column(String(16))
    created_at: Mapped[datetime] = mapped_column(UtcTime)

    @classmethod
    def ids(cls, session: Session, state: KeyState) -> list[str]:
        """Return the ids of the keys in this state, sorted."""
        return [*session.scalars(select(cls.id).where(cls.state == state).order_by(cls.id))]

    @classmethod
    def all(cls, session: Session) -> Sequence[MasterKeyRow]:
        """Return all keys that were ever seen, the oldest first."""
        return session.scalars(select(cls).order_by(cls.created_at, cls.id)).all()

    @classmethod
    def register(cls, session: Session, ids: Iterable[str]) -> None:
        """Make keys active that were not seen before; the others stay as they are."""
        for each in ids:
            if session.get(cls, each) is None:
                session.add(cls(id=each, state="active", created_at=datetime.now(UTC)))
        session.flush()

    @classmethod
    def turn(cls, session: Session, ids: Iterable[str], state: KeyState) -> None:
        """Set the state of these keys."""
        session.execute(update(cls).where(cls.id.in_([*ids])).values(state=state))


def lock_keys(session: Session, *, alone: bool) -> None:
    """Hold the key lock until the transaction ends."""
    session.connection()  # it begins with the first statement, and on SQLite that is the lock
    if session.get_bind().dialect.name == "postgresql":
        kind = "pg_advisory_xact_lock" if alone else "pg_advisory_xact_lock_shared"
        session.execute(text(f"SELECT {kind}(:key)"), {"key": _LOCK})


def joined(ids: Iterable[str]) -> str:
    """Write ids as the column `keys` has them."""
    return " ".join(sorted(ids))


class SealedRows:
    """Questions to the sealed rows, in a session of the caller's."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def by_id(self, ids: Sequence[str]) -> dict[str, SealedRow]:
        """Return the rows of these ids that there are."""
        found: dict[str, SealedRow] = {}
        for at in range(0, len(ids), 500):
            query = select(SealedRow).where(SealedRow.id.in_(ids[at : at + 500]))
            found |= {row.id: row for row in self._session.scalars(query)}
        return found

    def add_all(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Add rows by their columns, in one statement."""
        if rows:
            self._session.execute(insert(SealedRow), [*rows])

    def told(self, workspace: str | None = None) -> list[SealedSecret]:
        """Return what there is, by workspace, owner and label."""
        query = select(SealedRow).order_by(SealedRow.workspace, SealedRow.owner, SealedRow.label)
        if workspace is not None:
            query = query.where(SealedRow.workspace == workspace)
        return [row.told() for row in self._session.scalars(query)]

    def counts(self) -> dict[str, int]:
        """Return how many secrets each key opens, by the key's id; none for keys without."""
        counted: dict[str, int] = {}
        query = select(SealedRow.keys, func.count()).group_by(SealedRow.keys)
        for keys, count in self._session.execute(query):
            for each in keys.split():
                counted[each] = counted.get(each, 0) + count
        return counted

    def not_sealed_by(self, keys: str, after: str, limit: int) -> Sequence[SealedRow]:
        """Return rows that other keys seal, by id, and keep others from changing them.

        Those that somebody is changing now are left out.
        """
        query = select(SealedRow).where(SealedRow.keys != keys, SealedRow.id > after)
        query = query.order_by(SealedRow.id).limit(limit).with_for_update(skip_locked=True)
        return self._session.scalars(query).all()

    def count_not_sealed_by(self, keys: str) -> int:
        """Return how many rows other keys seal."""
        query = select(func.count()).where(SealedRow.keys != keys)
        return self._session.scalar(query) or 0

    def delete_owned(self, workspace: str, owner: str) -> None:
        """Delete all that an owner has."""
        owned = (SealedRow.workspace == workspace, SealedRow.owner == owner)
        self._session.execute(delete(SealedRow).where(*owned))
