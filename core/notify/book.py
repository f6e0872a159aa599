"""The channels of a workspace, as people set them up; what goes over them is in `outbox`.

No secret is in a column: they are sealed by core.secrets, in the same transaction, and the row has
their ids.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress

from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from core.errors import Conflict, NotFound
from core.jobs.records import Clock, database_now
from core.notify.models import Draft, SavedChannel
from core.notify.records import ALONE, KEPT, ChannelRow, LeftRow
from core.secret import Secret
from core.secrets.service import Secrets
from core.store.rows import clean, new_id
from core.store.store import Store


class ChannelBook:
    """The channels of one workspace. Safe to share between threads."""

    def __init__(
        self, store: Store, secrets: Secrets, workspace: str, *, clock: Clock = database_now
    ) -> None:
        self._store, self._secrets = store, secrets
        self._workspace = workspace
        self._clock = clock

    def list(self) -> Sequence[SavedChannel]:
        """Return all channels in the order of their names."""
        query = select(ChannelRow).where(ChannelRow.workspace == self._workspace)
        with self._store.read() as session:
            rows = session.scalars(query.order_by(ChannelRow.name))
            return [_saved(session, row) for row in rows]

    def get(self, id: str) -> SavedChannel:
        """Return a channel, or raise NotFound."""
        with self._store.read() as session:
            return _saved(session, self._row(session, id))

    def add(
        self, kind: str, draft: Draft, secrets: Mapping[str, Secret], *, actor: str
    ) -> SavedChannel:
        """Keep a new channel; the draft's options are without the secrets. Raises Conflict."""
        with self._writing(draft.name) as session:
            row = ChannelRow(id=new_id(), workspace=self._workspace, kind=kind, sealed={})
            return self._put(session, row, draft, secrets, actor)

    def change(
        self, id: str, draft: Draft, secrets: Mapping[str, Secret], *, actor: str
    ) -> SavedChannel:
        """Change a channel; secrets that are not given stay. Raises NotFound, Conflict.

        What went wrong with it before is forgotten.
        """
        with self._writing(draft.name) as session:
            row = self._row(session, id, lock=ALONE)
            return self._put(session, row, draft, secrets, actor)

    def delete(self, id: str, forget: Callable[[Session, str], None]) -> None:
        """Delete a channel with its secrets, and have forgotten what waits for it. NotFound.

        All at once, with senders kept out: nothing may be left to wait for what is gone.
        """
        with self._store.begin() as session:
            row = self._row(session, id, lock=True)
            forget(session, id)
            session.delete(row)
            self._secrets.delete_owned(self._workspace, _owner(id), session=session)
            session.execute(delete(LeftRow).where(LeftRow.channel == id))

    def opened(self, channel: SavedChannel) -> dict[str, Secret]:
        """Return the secrets of a channel by their fields. Raises as `Secrets.get` does."""
        values = self._secrets.get_many(channel.sealed.values())
        return {field: values[sealed] for field, sealed in channel.sealed.items()}

    def leave(self, id: str, recipient: str) -> None:
        """Send a recipient no more. Nothing to do the second time, or where the channel is gone."""
        # The second of two at this very moment finds that it is said.
        with suppress(IntegrityError), self._store.begin() as session:
            if session.get(ChannelRow, id, with_for_update=KEPT) is not None:
                left = LeftRow(channel=id, recipient=recipient, at=self._clock(session))
                session.merge(left)

    def join(self, id: str, recipient: str) -> None:
        """Send to a recipient again who had left."""
        with self._store.begin() as session:
            self._row(session, id)
            gone = (LeftRow.channel == id, LeftRow.recipient == recipient)
            session.execute(delete(LeftRow).where(*gone))

    def _row(
        self, session: Session, id: str, *, lock: dict[str, bool] | bool | None = None
    ) -> ChannelRow:
        row = session.get(ChannelRow, id, with_for_update=lock)
        if row is None or row.workspace != self._workspace:
            raise NotFound(f"There is no channel {id} here.", hint="It may have been deleted.")
        return row

    @contextmanager
    def _writing(self, name: str) -> Iterator[Session]:
        try:
            with self._store.begin() as session:
                yield session
        except IntegrityError as error:
            raise Conflict(
                f'There is already a channel named "{name}".', hint="Choose another name."
            ) from error

    def _put(
        self,
        session: Session,
        row: ChannelRow,
        draft: Draft,
        secrets: Mapping[str, Secret],
        actor: str,
    ) -> SavedChannel:
        row.name, row.options = clean(draft.name.strip()), draft.options
        row.title, row.text = clean(draft.title), clean(draft.text)
        row.rate, row.enabled = draft.rate, draft.enabled
        row.failures, row.paused_until, row.problem, row.hint = 0, None, "", ""
        row.updated_at, row.updated_by = self._clock(session), clean(actor)
        row.sealed = row.sealed | self._seal(session, row, secrets)
        session.add(row)
        session.flush()
        return _saved(session, row)

    def _seal(
        self, session: Session, row: ChannelRow, secrets: Mapping[str, Secret]
    ) -> dict[str, str]:
        return {
            field: self._secrets.put(
                value,
                workspace=self._workspace,
                owner=_owner(row.id),
                label=f"{field} of the channel {row.name}",
                id=row.sealed.get(field),
                session=session,
            )
            for field, value in secrets.items()
        }


def workspace_of(session: Session, channel: str) -> str | None:
    """Return the workspace that a channel is in, or None if there is no such channel."""
    return session.scalar(select(ChannelRow.workspace).where(ChannelRow.id == channel))


def _owner(channel: str) -> str:
    return f"channel:{channel}"


def _saved(session: Session, row: ChannelRow) -> SavedChannel:
    left = select(LeftRow.recipient).where(LeftRow.channel == row.id).order_by(LeftRow.recipient)
    return SavedChannel(
        id=row.id,
        name=row.name,
        kind=row.kind,
        options=row.options,
        sealed=row.sealed,
        title=row.title,
        text=row.text,
        rate=row.rate,
        enabled=row.enabled,
        failures=row.failures,
        paused_until=row.paused_until,
        problem=row.problem,
        hint=row.hint,
        left=tuple(session.scalars(left)),
        updated_at=row.updated_at,
        updated_by=row.updated_by,
    )
