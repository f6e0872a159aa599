"""The rows behind a workspace's sources: connections, folder grants, and facts about it.

Checks what the table needs, no more: whether options suit a connector is the service's business.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any

from sqlalchemy import JSON, Select, String, UniqueConstraint, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, Session, mapped_column

from core.connections.models import Connection, FolderGrant, Health, Mode
from core.errors import Conflict, InvalidInput, NotFound
from core.secret import Secret
from core.secrets.service import Secrets
from core.store.rows import CleanText, Row, UtcTime, clean, new_id
from core.store.store import Store

_NONE: Mapping[str, Secret] = MappingProxyType({})
_LONGEST_ALIAS = 63  # PostgreSQL's limit for a name; aliases end up as catalog names


class _ConnectionRow(Row):
    __tablename__ = "connection"
    __table_args__ = (UniqueConstraint("workspace", "alias_key"),)

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    workspace: Mapped[str] = mapped_column(String(64))
    alias: Mapped[str] = mapped_column(CleanText)
    alias_key: Mapped[str] = mapped_column(CleanText)
    connector: Mapped[str] = mapped_column(CleanText)
    options: Mapped[dict[str, Any]] = mapped_column(JSON)
    sealed: Mapped[dict[str, str]] = mapped_column(JSON)
    enabled: Mapped[bool]
    sample: Mapped[bool]
    health: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    created_at: Mapped[datetime] = mapped_column(UtcTime)
    created_by: Mapped[str] = mapped_column(CleanText)
    updated_at: Mapped[datetime] = mapped_column(UtcTime)
    updated_by: Mapped[str] = mapped_column(CleanText)


class _GrantRow(Row):
    __tablename__ = "folder_grant"

    workspace: Mapped[str] = mapped_column(String(64), primary_key=True)
    path: Mapped[str] = mapped_column(CleanText, primary_key=True)
    mode: Mapped[Mode] = mapped_column(String(8))


class _FactRow(Row):
    __tablename__ = "workspace_fact"

    workspace: Mapped[str] = mapped_column(String(64), primary_key=True)
    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    value: Mapped[Any] = mapped_column(JSON)


class Connections:
    """The connections of one workspace. An alias is unique in it, in any case of letters.

    No secret is in a row: they are sealed in the same transaction, and the row has their ids.
    """

    def __init__(self, store: Store, workspace: str, secrets: Secrets) -> None:
        self._store = store
        self._workspace = workspace
        self._secrets = secrets

    def add(
        self,
        alias: str,
        connector: str,
        options: dict[str, Any],
        *,
        actor: str,
        secrets: Mapping[str, Secret] = _NONE,
        enabled: bool = True,
        sample: bool = False,
    ) -> Connection:
        """Save a new connection; its options are without the secrets.

        Raises InvalidInput for an alias that cannot be a name, Conflict for one that is taken.
        """
        now, actor = datetime.now(UTC), clean(actor)
        row = _ConnectionRow(
            id=new_id(),
            workspace=self._workspace,
            alias=alias,
            alias_key=_alias_key(alias),
            connector=connector,
            options=options,
            sealed={},
            enabled=enabled,
            sample=sample,
            health=None,
            created_at=now,
            created_by=actor,
            updated_at=now,
            updated_by=actor,
        )
        try:
            with self._store.begin() as session:
                row.sealed = self._seal(session, row, secrets)
                session.add(row)
        except IntegrityError as error:
            raise _taken(alias) from error
        return _connection(row)

    def get(self, id: str) -> Connection:
        """Return the connection, or raise NotFound."""
        with self._store.read() as session:
            return _connection(self._row(session, id))

    def find_by_alias(self, alias: str) -> Connection | None:
        """Return the connection of that alias, in any case of letters, or None."""
        with self._store.read() as session:
            row = session.scalar(self._ours().where(_ConnectionRow.alias_key == alias.lower()))
            return _connection(row) if row else None

    def list(self) -> Sequence[Connection]:
        """Return all connections in the order of their aliases."""
        with self._store.read() as session:
            rows = session.scalars(self._ours().order_by(_ConnectionRow.alias_key))
            return [_connection(row) for row in rows]

    def change(
        self,
        id: str,
        *,
        actor: str,
        options: dict[str, Any] | None = None,
        secrets: Mapping[str, Secret] = _NONE,
        enabled: bool | None = None,
    ) -> Connection:
        """Change what is given; secrets that are not given stay. Raises NotFound."""
        with self._store.begin() as session:
            row = self._row(session, id)
            row.options = row.options if options is None else options
            row.enabled = row.enabled if enabled is None else enabled
            row.sealed = row.sealed | self._seal(session, row, secrets)
            row.updated_at, row.updated_by = datetime.now(UTC), clean(actor)
        return _connection(row)

    def note(self, id: str, health: Health) -> None:
        """Remember how the connection was; nothing to do for one that has been removed."""
        told = asdict(health) | {"checked_at": health.checked_at.isoformat()}
        with self._store.begin() as session:
            row = session.get(_ConnectionRow, id)
            if row is not None:
                row.health = told

    def opened(self, connection: Connection) -> dict[str, Secret]:
        """Return the secrets of a connection by their fields. Raises as `Secrets.get` does."""
        values = self._secrets.get_many(connection.sealed.values())
        return {field: values[sealed] for field, sealed in connection.sealed.items()}

    def rename(self, id: str, alias: str) -> Connection:
        """Give the connection another alias. Raises as `add` does, or NotFound."""
        key = _alias_key(alias)
        try:
            with self._store.begin() as session:
                row = self._row(session, id)
                row.alias, row.alias_key = alias, key
        except IntegrityError as error:
            raise _taken(alias) from error
        return _connection(row)

    def remove(self, id: str) -> None:
        """Forget the connection, or raise NotFound. The source itself is not touched."""
        with self._store.begin() as session:
            session.delete(self._row(session, id))
            self._secrets.delete_owned(self._workspace, _owner(id), session=session)

    def _seal(
        self, session: Session, row: _ConnectionRow, secrets: Mapping[str, Secret]
    ) -> dict[str, str]:
        return {
            field: self._secrets.put(
                value,
                workspace=self._workspace,
                owner=_owner(row.id),
                label=f"{field} of the connection {row.alias}",
                id=(row.sealed or {}).get(field),
                session=session,
            )
            for field, value in secrets.items()
        }

    def _ours(self) -> Select[_ConnectionRow]:
        return select(_ConnectionRow).where(_ConnectionRow.workspace == self._workspace)

    def _row(self, session: Session, id: str) -> _ConnectionRow:
        row = session.get(_ConnectionRow, id)
        if row is None or row.workspace != self._workspace:
            raise NotFound(f"There is no connection {id} here.", hint="It may have been removed.")
        return row


class FolderGrants:
    """The folders and files that the SQL of one workspace may reach."""

    def __init__(self, store: Store, workspace: str) -> None:
        self._store = store
        self._workspace = workspace

    def add(self, path: str, mode: Mode = "read") -> FolderGrant:
        """Grant a path; one that is granted already takes the new mode.

        The path must be absolute and without "..": give the one that links resolve to, for that
        is what the wall compares. Raises InvalidInput.
        """
        grant = FolderGrant(_plain_path(path), mode)
        _put(self._store, _GrantRow(workspace=self._workspace, path=grant.path, mode=mode))
        return grant

    def list(self) -> Sequence[FolderGrant]:
        """Return all grants in the order of their paths."""
        query = select(_GrantRow).where(_GrantRow.workspace == self._workspace)
        with self._store.read() as session:
            rows = session.scalars(query.order_by(_GrantRow.path))
            return [FolderGrant(row.path, row.mode) for row in rows]

    def remove(self, path: str) -> None:
        """Take the grant of exactly this path back, or raise NotFound."""
        with self._store.begin() as session:
            row = session.get(_GrantRow, (self._workspace, _plain_path(path)))
            if row is None:
                raise NotFound(f"{path} is not granted.")
            session.delete(row)


class WorkspaceFacts:
    """What the program remembers of one workspace: small JSON values by key."""

    def __init__(self, store: Store, workspace: str) -> None:
        self._store = store
        self._workspace = workspace

    def get(self, key: str, default: Any = None) -> Any:
        """Return the value of the key, or the default."""
        with self._store.read() as session:
            row = session.get(_FactRow, (self._workspace, key))
            return default if row is None else row.value

    def set(self, key: str, value: Any) -> None:
        """Keep a value under the key."""
        _put(self._store, _FactRow(workspace=self._workspace, key=key, value=value))

    def claim(self, key: str, value: Any = True) -> bool:
        """Keep a value unless there is one; True for exactly one of several that try at once."""
        try:
            with self._store.begin() as session:
                session.add(_FactRow(workspace=self._workspace, key=key, value=value))
        except IntegrityError:
            return False
        return True


def _put(store: Store, row: Row) -> None:
    try:
        with store.begin() as session:
            session.merge(row)
    except IntegrityError:  # PostgreSQL: somebody else has just inserted it
        with store.begin() as session:
            session.merge(row)


def _alias_key(alias: str) -> str:
    if not alias.strip():
        raise InvalidInput("An alias needs at least one letter.")
    if len(alias) > _LONGEST_ALIAS:
        raise InvalidInput(
            f"This alias has {len(alias)} characters; at most {_LONGEST_ALIAS} are allowed."
        )
    if clean(alias) != alias:
        raise InvalidInput("This alias holds a NUL or half a character.", hint="Type it again.")
    return alias.lower()


def _taken(alias: str) -> Conflict:
    return Conflict(f'There is already a source named "{alias}".', hint="Choose another alias.")


def _owner(connection: str) -> str:
    return f"connection:{connection}"


def _plain_path(path: str) -> str:
    plain = Path(path)
    if not plain.is_absolute() or ".." in plain.parts:
        raise InvalidInput(f'"{clean(path)}" is not an absolute path without "..".')
    if clean(path) != path:
        raise InvalidInput(f"The name {clean(path)} is not UTF-8.", hint="Rename it first.")
    return str(plain)


def _connection(row: _ConnectionRow) -> Connection:
    health = None
    if row.health is not None:
        checked_at = datetime.fromisoformat(row.health["checked_at"])
        health = Health(**{**row.health, "checked_at": checked_at})
    return Connection(
        id=row.id,
        workspace=row.workspace,
        alias=row.alias,
        connector=row.connector,
        options=row.options,
        sealed=row.sealed,
        enabled=row.enabled,
        sample=row.sample,
        health=health,
        created_at=row.created_at,
        created_by=row.created_by,
        updated_at=row.updated_at,
        updated_by=row.updated_by,
    )
