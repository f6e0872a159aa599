"""Keep secrets for the other slices: put, get, delete, say what is lost, replace the master key.

A slice keeps the id that `put` gives beside its own row and writes both in one transaction, by
passing its session. Who may ask is not decided here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from core.errors import NotFound, SecretError
from core.secret import Secret
from core.secrets.keys import KeySource, MasterKey, write_file
from core.secrets.models import KeyUse, Rotation, SealedSecret
from core.secrets.records import (
    MasterKeyRow,
    SealedRow,
    SealedRows,
    Session,
    joined,
    lock_keys,
)
from core.secrets.ring import KeyRing
from core.secrets.rotation import rotate
from core.settings import Settings
from core.store.rows import new_id
from core.store.store import Store

_ACTIVE = "millpond_active_keys"  # of session.info: asked once a transaction


class Secrets:
    """The sealed secrets of one store. Safe to share between threads."""

    def __init__(self, store: Store, source: KeySource, ring: KeyRing) -> None:
        self._store, self._source = store, source
        self.ring = ring

    @classmethod
    def open(cls, store: Store, settings: Settings) -> Secrets:
        """Find the master keys; the first one ever is made, into `master.key` of the data folder.

        Where keys are known to the store and none is found, none is made: `put` and `get` say so.
        Raises ConfigError for a key that cannot be read, or that others can.
        """
        source = KeySource.of(settings)
        ring = KeyRing(source.read())
        with store.read() as session:
            known = {row.id for row in MasterKeyRow.all(session)}
        if not ring.ids or not known.issuperset(ring.ids):
            ring = _register(store, source)
        return cls(store, source, ring)

    @property
    def key_file(self) -> Path:
        """Where the keys are that do not come from the environment."""
        return self._source.file

    @property
    def from_environment(self) -> bool:
        """Whether MILLPOND_MASTER_KEY gives the keys."""
        return bool(self._source.given)

    def put(
        self,
        value: Secret,
        *,
        workspace: str,
        owner: str,
        label: str,
        id: str | None = None,
        session: Session | None = None,
    ) -> str:
        """Seal a value and return its id; with the id of one that is there, replace it.

        `owner` is what it is deleted with, such as `connection:ab12`; `label` is what people call
        it. Raises SecretError where no master key is here, NotFound for an id that is not there.
        """
        with self._writing(session) as writing:
            ring, keys = self._sealing(writing)
            row = SealedRow(id=new_id()) if id is None else writing.get(SealedRow, id)
            if row is None:
                raise NotFound("This secret is no longer there.", hint="Enter it anew.")
            row.workspace, row.owner, row.label = workspace, owner, label
            row.sealed = ring.seal(_bytes(value), row.bound, keys)
            row.keys, row.updated_at = joined(keys), datetime.now(UTC)
            writing.add(row)
            return row.id

    def put_many(
        self,
        values: Sequence[Secret],
        *,
        workspace: str,
        owner: str,
        label: str,
        session: Session | None = None,
    ) -> list[str]:
        """Seal several values of one owner, and return their ids.

        Raises SecretError as `put` does; then none was sealed.
        """
        with self._writing(session) as writing:
            ring, keys = self._sealing(writing)
            ids = [new_id() for _ in values]
            same: dict[str, Any] = {"workspace": workspace, "owner": owner, "label": label}
            same |= {"keys": joined(keys), "updated_at": datetime.now(UTC)}
            rows = []
            for each, value in zip(ids, values, strict=True):
                sealed = ring.seal(_bytes(value), SealedRow.bound_to(each), keys)
                rows.append({"id": each, "sealed": sealed, **same})
            SealedRows(writing).add_all(rows)
        return ids

    def get(self, id: str, *, session: Session | None = None) -> Secret:
        """Open one. Raises NotFound, or SecretError that says which one and why not."""
        return self.get_many([id], session=session)[id]

    def get_many(self, ids: Iterable[str], *, session: Session | None = None) -> dict[str, Secret]:
        """Open several by their ids. Raises as `get` does, for the first that cannot be."""
        wanted = list(ids)
        if session is not None:
            return self._get_all(session, wanted)
        try:
            with self._store.read() as reading:
                return self._get_all(reading, wanted)
        except SecretError:  # two rotations may have passed between reading the row and the file
            with self._store.read() as reading:
                return self._get_all(reading, wanted)

    def delete(self, id: str, *, session: Session | None = None) -> None:
        """Delete one; nothing to do if it is not there."""
        with self._writing(session) as writing:
            row = writing.get(SealedRow, id)
            if row is not None:
                writing.delete(row)

    def delete_owned(self, workspace: str, owner: str, *, session: Session | None = None) -> None:
        """Delete all that belong to an owner."""
        with self._writing(session) as writing:
            SealedRows(writing).delete_owned(workspace, owner)

    def list(self, workspace: str | None = None) -> Sequence[SealedSecret]:
        """Return what is sealed, in one workspace or in all, by owner and label."""
        with self._store.read() as session:
            return SealedRows(session).told(workspace)

    def lost(self) -> Sequence[SealedSecret]:
        """Return what cannot be opened with the keys that are here now; `keys` are those it needs.

        Damage shows only when one is opened.
        """
        self._reload()
        return [each for each in self.list() if not any(key in self.ring for key in each.keys)]

    def master_keys(self) -> Sequence[KeyUse]:
        """Return all master keys that the store has seen, the oldest first."""
        self._reload()
        with self._store.read() as session:
            counts = SealedRows(session).counts()
            return [
                KeyUse(
                    row.id, row.state, row.id in self.ring, counts.get(row.id, 0), row.created_at
                )
                for row in MasterKeyRow.all(session)
            ]

    def rotate(self) -> Rotation:
        """Seal everything by a new master key, and retire the old ones; others may go on meanwhile.

        With keys from the environment: by all keys in there, which retires what is not in there.
        Stopped at any point it loses nothing, and the next one finishes it. Raises ConfigError
        where the key file cannot be written.
        """
        done = rotate(self._store, self._source)
        self._reload()
        return done

    def _get_all(self, session: Session, wanted: Sequence[str]) -> dict[str, Secret]:
        rows = SealedRows(session).by_id(wanted)
        for each in wanted:
            if each not in rows:
                raise NotFound(f"There is no secret {each}.", hint="Enter it anew.")
        return {each: self._opened(rows[each]) for each in wanted}

    def _opened(self, row: SealedRow) -> Secret:
        if not any(key in self.ring for key in row.keys.split()):
            self._reload()  # another process may have rotated
        try:
            return Secret(self.ring.open(row.sealed, row.bound).decode("utf-8", "surrogatepass"))
        except SecretError as error:
            raise explained(error, row.told(), self._source.file) from error

    def _sealing(self, session: Session) -> tuple[KeyRing, Sequence[str]]:
        """Return the ring and its active keys, and keep these active until the session ends."""
        if _ACTIVE not in session.info:
            lock_keys(session, alone=False)
            session.info[_ACTIVE] = MasterKeyRow.ids(session, "active")
            if not all(each in self.ring for each in session.info[_ACTIVE]):
                self._reload()
        active: Sequence[str] = session.info[_ACTIVE]
        ring = self.ring  # another thread may replace it meanwhile
        found = [each for each in active if each in ring]
        if not found:
            raise SecretError(
                "The master key is missing, so nothing can be sealed.",
                hint=f"Put {self._source.file} or MILLPOND_MASTER_KEY back as it was; if it is "
                "lost, `millpond admin rotate-key` begins with a new one.",
                missing=active,
            )
        return ring, found

    def _reload(self) -> None:
        self.ring = KeyRing(self._source.read())

    @contextmanager
    def _writing(self, session: Session | None) -> Iterator[Session]:
        if session is not None:
            yield session
            return
        with self._store.begin() as own:
            yield own


def _bytes(value: Secret) -> bytes:
    return value.get_secret_value().encode("utf-8", "surrogatepass")


def explained(error: SecretError, what: SealedSecret, file: Path) -> SecretError:
    """Say of which secret it is true, and what to do."""
    if error.missing and set(error.missing) == set(what.keys):
        ids = ", ".join(what.keys)
        return SecretError(
            f"The {what.label} cannot be opened: its master key {ids} is not here.",
            hint=f"Put that key back into {file} or MILLPOND_MASTER_KEY, or enter the {what.label} "
            "again.",
            missing=what.keys,
        )
    return SecretError(
        f"The {what.label} cannot be opened: it was changed in the store since it was sealed.",
        hint=f"Enter the {what.label} again, or put back a copy of the store.",
    )


def _register(store: Store, source: KeySource) -> KeyRing:
    """Tell the store of keys that it does not know, and make the first if there is none at all."""
    with store.begin() as session:
        lock_keys(session, alone=True)
        keys = source.read()
        if not keys and not MasterKeyRow.all(session):
            keys = [MasterKey.new()]
            write_file(source.file, keys)
        MasterKeyRow.register(session, [key.id for key in keys])
    return KeyRing(keys)
