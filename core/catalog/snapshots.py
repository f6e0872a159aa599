"""The rows of snapshots: what was declared of a schema's tables at a time, as gzipped JSON.

A schema that has not changed since its latest snapshot is not kept twice. Rows and bytes of its
tables are no part of it: they change all the time.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import zlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Index, Integer, LargeBinary, Select, String, delete, select
from sqlalchemy.orm import Mapped, Session, defer, mapped_column

from core.errors import ConfigError, Conflict, InvalidInput, NotFound
from core.store.rows import CleanText, Row, UtcTime, clean, new_id
from core.store.store import Store
from core.structure import Structure

SCHEMA_VERSION = 1
"""Of the JSON within; an older one is read through `_UPGRADES`, a newer one refused."""

_UPGRADES: dict[int, Callable[[dict[str, Any]], dict[str, Any]]] = {}
_LONGEST_NAME = 200


class _SnapshotRow(Row):
    __tablename__ = "schema_snapshot"
    __table_args__ = (Index(None, "workspace", "number"),)

    number: Mapped[int] = mapped_column(Integer, primary_key=True)
    id: Mapped[str] = mapped_column(String(64), unique=True)
    workspace: Mapped[str] = mapped_column(String(64))
    catalog: Mapped[str] = mapped_column(CleanText)
    schema: Mapped[str] = mapped_column(CleanText)
    connector: Mapped[str] = mapped_column(CleanText)
    name: Mapped[str] = mapped_column(CleanText)
    tables: Mapped[int] = mapped_column(Integer)
    digest: Mapped[str] = mapped_column(String(64))
    body: Mapped[bytes] = mapped_column(LargeBinary)
    taken_at: Mapped[datetime] = mapped_column(UtcTime)
    taken_by: Mapped[str] = mapped_column(CleanText)
    seen_at: Mapped[datetime] = mapped_column(UtcTime)


@dataclass(frozen=True)
class Snapshot:
    """A snapshot without its tables, which are counted; `seen_at` is when it still was true.

    `connector` is the kind of the source, `digest` the SHA-256 of what was declared.
    """

    id: str
    catalog: str
    schema: str
    connector: str
    name: str
    tables: int
    digest: str
    taken_at: datetime
    taken_by: str
    seen_at: datetime


class SnapshotBook:
    """The snapshots of one workspace."""

    def __init__(self, store: Store, workspace: str) -> None:
        self._store, self._workspace = store, workspace

    def keep(
        self,
        place: tuple[str, str, str],
        structures: Iterable[Structure],
        *,
        name: str = "",
        actor: str,
    ) -> tuple[Snapshot, bool]:
        """Keep what is declared of a place: catalog, schema, connector.

        Returns the snapshot, and whether it is a new one: where nothing has changed it is the
        latest of that place, which takes the name if it has none. Raises InvalidInput.
        """
        name = _checked(name)
        told = json.dumps([each.to_json() for each in _lasting(structures)], ensure_ascii=False)
        body = told.encode("utf-8", "backslashreplace")
        digest = hashlib.sha256(body).hexdigest()
        catalog, schema, connector = place
        now = datetime.now(UTC)
        wanted = self._ours().where(_SnapshotRow.catalog == catalog, _SnapshotRow.schema == schema)
        with self._store.begin() as session:
            latest = session.scalar(wanted.order_by(_SnapshotRow.number.desc()).limit(1))
            if latest is not None and latest.digest == digest:
                latest.seen_at = now
                latest.name = latest.name or name
                return _snapshot(latest), False
            row = _SnapshotRow(
                id=new_id(),
                workspace=self._workspace,
                catalog=catalog,
                schema=schema,
                connector=connector,
                name=name,
                tables=len(json.loads(told)),
                digest=digest,
                body=_packed(body),
                taken_at=now,
                taken_by=clean(actor),
                seen_at=now,
            )
            session.add(row)
            session.flush()
            return _snapshot(row), True

    def list(self) -> Sequence[Snapshot]:
        """Return all snapshots, the newest first."""
        with self._store.read() as session:
            rows = session.scalars(self._ours().order_by(_SnapshotRow.number.desc()))
            return [_snapshot(row) for row in rows]

    def get(self, id: str) -> Snapshot:
        """Return a snapshot. Raises NotFound."""
        with self._store.read() as session:
            return _snapshot(self._row(session, id))

    def latest(self, catalog: str, schema: str) -> Snapshot | None:
        """Return the newest snapshot of a place, or None."""
        wanted = self._ours().where(_SnapshotRow.catalog == catalog, _SnapshotRow.schema == schema)
        with self._store.read() as session:
            row = session.scalar(wanted.order_by(_SnapshotRow.number.desc()).limit(1))
            return _snapshot(row) if row else None

    def structures(self, id: str) -> tuple[Structure, ...]:
        """Return what was declared. Raises NotFound; Conflict, ConfigError for one not readable."""
        with self._store.read() as session:
            body = self._row(session, id).body
        return _unpacked(body)

    def rename(self, id: str, name: str) -> Snapshot:
        """Give a snapshot another name, or none. Raises NotFound, InvalidInput."""
        name = _checked(name)
        with self._store.begin() as session:
            row = self._row(session, id)
            row.name = name
        return _snapshot(row)

    def delete(self, id: str) -> None:
        """Forget a snapshot. Raises NotFound."""
        with self._store.begin() as session:
            self._row(session, id)
            session.execute(delete(_SnapshotRow).where(_SnapshotRow.id == id))

    def _ours(self) -> Select[_SnapshotRow]:
        ours = select(_SnapshotRow).where(_SnapshotRow.workspace == self._workspace)
        return ours.options(defer(_SnapshotRow.body))

    def _row(self, session: Session, id: str) -> _SnapshotRow:
        row = session.scalar(self._ours().where(_SnapshotRow.id == id))
        if row is None:
            raise NotFound(f"There is no snapshot {id}.", hint="It may have been deleted.")
        return row


def _snapshot(row: _SnapshotRow) -> Snapshot:
    return Snapshot(
        id=row.id,
        catalog=row.catalog,
        schema=row.schema,
        connector=row.connector,
        name=row.name,
        tables=row.tables,
        digest=row.digest,
        taken_at=row.taken_at,
        taken_by=row.taken_by,
        seen_at=row.seen_at,
    )


def _lasting(structures: Iterable[Structure]) -> list[Structure]:
    plain = (replace(each, rows=None, bytes=None) for each in structures)
    return sorted(plain, key=lambda each: (each.schema, each.name))


def _checked(name: str) -> str:
    name = clean(name.strip())
    if len(name) > _LONGEST_NAME:
        raise InvalidInput(
            f"This name has {len(name)} characters; at most {_LONGEST_NAME} are allowed."
        )
    return name


def _packed(body: bytes) -> bytes:
    version = json.dumps({"schema_version": SCHEMA_VERSION}).encode()
    return gzip.compress(version[:-1] + b', "structures": ' + body + b"}", 6, mtime=0)


def _unpacked(body: bytes) -> tuple[Structure, ...]:
    try:
        told = json.loads(gzip.decompress(body))
        version = int(told["schema_version"])
    except (OSError, EOFError, zlib.error, ValueError, KeyError, TypeError) as error:
        raise _unreadable() from error
    if version > SCHEMA_VERSION:
        raise Conflict(
            "This snapshot was taken by a newer version of Millpond.",
            hint="Compare it there, or take a new one.",
        )
    for step in range(version, SCHEMA_VERSION):
        told = _UPGRADES[step](told)
    try:
        return tuple(Structure.from_json(_filled(each)) for each in told["structures"])
    except (KeyError, TypeError, ValueError) as error:
        raise _unreadable() from error


def _filled(told: dict[str, Any]) -> dict[str, Any]:
    """Put in what was not told of a table when the snapshot was taken: parts came to be later."""
    parts = {"columns": [], "constraints": [], "indexes": []} | told
    keys = [{"columns": [], "target": None, **each} for each in parts["constraints"]]
    indexes = [{"columns": [], **each} for each in parts["indexes"]]
    return parts | {"constraints": keys, "indexes": indexes}


def _unreadable() -> ConfigError:
    return ConfigError(
        "This snapshot cannot be read any more.", hint="Delete it and take a new one."
    )
