"""What goes out of a workspace: kept before anybody is spoken to, and how it stands.

For each channel with something waiting there is a run of a job that will see to it, kept in the
same transaction: a process may die at any point. What that run does is in `lane`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, delete, func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from core.channel import Message
from core.errors import Conflict, NotFound
from core.jobs.records import Clock, database_now
from core.notify.models import Incident, Sent, SentState
from core.notify.records import (
    ALONE,
    IS_WAITING,
    ChannelRow,
    DeliveryRow,
    ImageRow,
    IncidentRow,
    NotificationRow,
    RecipientRow,
    read,
    written,
)
from core.store.rows import clean, new_id
from core.store.store import Store

__all__ = ["Outbox", "Session", "Summon", "drop_images", "end", "find", "put"]

Summon = Callable[[Session, str, datetime], None]
"""Given a session, a channel and a time, keeps a run that delivers by then."""


class Outbox:
    """What goes out of one workspace. Safe to share between threads."""

    def __init__(
        self, store: Store, workspace: str, summon: Summon, *, clock: Clock = database_now
    ) -> None:
        self._store = store
        self._workspace = workspace
        self._summon = summon
        self._clock = clock

    def keep(
        self, message: Message, channels: Sequence[str], *, incident: str = "", actor: str
    ) -> list[str]:
        """Keep a message for each channel, and return the ids of the deliveries.

        While an incident is open, it is counted, and kept for channels only that do not know yet.
        Raises NotFound for a channel that is gone.
        """
        try:
            return self._keep(message, channels, incident, actor)
        except IntegrityError:  # another process has opened the incident at this very moment
            return self._keep(message, channels, incident, actor)

    def _keep(
        self, message: Message, channels: Sequence[str], incident: str, actor: str
    ) -> list[str]:
        with self._store.begin() as session:
            now = self._clock(session)
            if incident:
                channels = self._open(session, incident, message.title, channels, now)
            return self._send(session, message, channels, incident, now, actor)

    def over(self, incident: str, message: Message, *, actor: str) -> list[str]:
        """Close an incident, and keep the message for who was told of it; nothing if none is."""
        with self._store.begin() as session:
            row = self._incident(session, incident)
            if row is None or row.over_at is not None:
                return []
            now = row.over_at = self._clock(session)
            channels = [*_kept(session, row.channels)]  # others are gone
            return self._send(session, message, channels, incident, now, actor)

    def incidents(self) -> Sequence[Incident]:
        """Return the open incidents, the latest first."""
        query = select(IncidentRow).where(IncidentRow.workspace == self._workspace)
        query = query.where(IncidentRow.over_at.is_(None)).order_by(IncidentRow.opened_at.desc())
        with self._store.read() as session:
            return [row.told() for row in session.scalars(query)]

    def resume(self) -> None:
        """See that each channel with something waiting is served."""
        with self._store.begin() as session:
            now = self._clock(session)
            waiting = select(DeliveryRow.channel).where(self._ours(), IS_WAITING).distinct()
            for channel in sorted(session.scalars(waiting)):
                self._summon(session, channel, now)

    def try_now(self, channel: str) -> None:
        """End a channel's pause, and try all that waits for it at once."""
        with self._store.begin() as session:
            now = self._clock(session)
            row = session.get(ChannelRow, channel, with_for_update=ALONE)
            if row is None:
                return
            row.paused_until = None
            ours = (self._ours(), DeliveryRow.channel == channel, DeliveryRow.state == "waiting")
            session.execute(update(DeliveryRow).where(*ours).values(not_before=now))
            self._summon(session, channel, now)

    def again(self, id: str) -> None:
        """Send a dead message again to who has not had it. Raises NotFound, Conflict."""
        with self._store.begin() as session:
            row = self._dead(session, id)
            now = self._clock(session)
            refused = (RecipientRow.delivery == id, RecipientRow.refusal != "")
            session.execute(delete(RecipientRow).where(*refused))
            row.state, row.attempts, row.first_tried_at, row.ended_at = "waiting", 0, None, None
            row.not_before, row.error, row.hint = now, "", ""
            self._summon(session, row.channel, now)

    def discard(self, id: str) -> None:
        """Give up a dead message for good. Raises NotFound, Conflict."""
        with self._store.begin() as session:
            end(session, self._dead(session, id), "discarded", self._clock(session))

    def forget(self, session: Session, channel: str) -> None:
        """Delete what a channel has not delivered, in a transaction of the caller's."""
        gone = (self._ours(), DeliveryRow.channel == channel)
        left = DeliveryRow.state.in_(["waiting", "dead"])
        deleting = delete(DeliveryRow).where(*gone, left).returning(DeliveryRow.notification)
        drop_images(session, [*session.scalars(deleting)])

    def sent(
        self, state: SentState | None = None, *, limit: int = 100, before: str | None = None
    ) -> list[Sent]:
        """Return messages and how they stand, the newest first, before the one with that id."""
        columns = (DeliveryRow, NotificationRow, ChannelRow.name)
        query = (
            select(*columns)
            .join(NotificationRow, NotificationRow.id == DeliveryRow.notification)
            .outerjoin(ChannelRow, ChannelRow.id == DeliveryRow.channel)
            .where(self._ours())
        )
        if state is not None:
            query = query.where(DeliveryRow.state == state)
        if before is not None:
            above = select(DeliveryRow.number).where(DeliveryRow.id == before).scalar_subquery()
            query = query.where(DeliveryRow.number < above)
        with self._store.read() as session:
            rows = session.execute(query.order_by(DeliveryRow.number.desc()).limit(limit)).all()
            refused = self._refused(session, [row.id for row, _, _ in rows])
            return [_told(row, told, name, refused.get(row.id, {})) for row, told, name in rows]

    def waiting(self) -> dict[str, int]:
        """Return how many messages wait, by channel."""
        query = select(DeliveryRow.channel, func.count()).where(self._ours(), IS_WAITING)
        with self._store.read() as session:
            rows = session.execute(query.group_by(DeliveryRow.channel))
            return {channel: count for channel, count in rows}

    def prune(self, keep: int) -> int:
        """Delete what has ended but the newest `keep`; dead messages stay. Return how many.

        What waits is seen to as well: somebody may have cancelled the run that would deliver it.
        """
        self.resume()
        newest = select(DeliveryRow.number).where(self._ours())
        newest = newest.order_by(DeliveryRow.number.desc())
        with self._store.begin() as session:
            first_old = session.scalar(newest.offset(keep).limit(1))
            if first_old is None:
                return 0
            ended = DeliveryRow.state.in_(["sent", "combined", "discarded"])
            old = (self._ours(), DeliveryRow.number <= first_old, ended)
            gone = session.execute(delete(DeliveryRow).where(*old).returning(DeliveryRow.id))
            count = len(gone.all())
            there = select(DeliveryRow.id)
            session.execute(delete(RecipientRow).where(RecipientRow.delivery.not_in(there)))
            needed = select(DeliveryRow.notification)
            session.execute(delete(NotificationRow).where(NotificationRow.id.not_in(needed)))
            session.execute(delete(ImageRow).where(ImageRow.notification.not_in(needed)))
            return count

    def _open(
        self, session: Session, key: str, title: str, channels: Sequence[str], now: datetime
    ) -> Sequence[str]:
        """Open an incident or count it; return the channels that do not know of it."""
        row = self._incident(session, key)
        if row is None:
            row = IncidentRow(workspace=self._workspace, key=key, over_at=now)
            session.add(row)
        if row.over_at is not None:
            row.channels, row.count, row.opened_at, row.over_at = [], 0, now, None
        fresh = [each for each in channels if each not in row.channels]
        row.title, row.last_at, row.count = title, now, row.count + 1
        row.channels = [*row.channels, *fresh]
        session.flush()
        return fresh

    def _incident(self, session: Session, key: str) -> IncidentRow | None:
        return session.get(IncidentRow, (self._workspace, key), with_for_update=True)

    def _send(
        self,
        session: Session,
        message: Message,
        channels: Sequence[str],
        incident: str,
        now: datetime,
        actor: str,
    ) -> list[str]:
        kept = _kept(session, channels)
        if gone := [each for each in channels if each not in kept]:
            raise NotFound(f"There is no channel {gone[0]} here.", hint="It may have been deleted.")
        for channel, row in kept.items():
            self._summon(session, channel, max(now, row.paused_until or now))
        return put(session, self._workspace, message, channels, now, incident=incident, actor=actor)

    def _refused(self, session: Session, ids: Collection[str]) -> dict[str, dict[str, str]]:
        query = select(RecipientRow).where(RecipientRow.delivery.in_(ids))
        found: dict[str, dict[str, str]] = {}
        for row in session.scalars(query.where(RecipientRow.refusal != "")):
            found.setdefault(row.delivery, {})[row.recipient] = row.refusal
        return found

    def _ours(self) -> ColumnElement[bool]:
        return DeliveryRow.workspace == self._workspace

    def _dead(self, session: Session, id: str) -> DeliveryRow:
        row = find(session, self._workspace, id)
        if row.state != "dead":
            raise Conflict(
                f"This message is {row.state}.", hint="Only one given up can be changed."
            )
        return row


def _kept(session: Session, channels: Collection[str]) -> dict[str, ChannelRow]:
    """Return those channels that there are, in the order of their ids, kept from being deleted.

    In order, because runs are locked as they come: who names the same would wait for each other.
    """
    query = select(ChannelRow).where(ChannelRow.id.in_(channels)).order_by(ChannelRow.id)
    return {
        row.id: row for row in session.scalars(query.with_for_update(read=True, key_share=True))
    }


def find(session: Session, workspace: str, id: str) -> DeliveryRow:
    """Return the row of a delivery, and keep others from changing it. Raises NotFound."""
    query = select(DeliveryRow).where(DeliveryRow.id == id, DeliveryRow.workspace == workspace)
    row = session.scalar(query.with_for_update())
    if row is None:
        raise NotFound(f"There is no message {id} here.", hint="It may be too old.")
    return row


def put(
    session: Session,
    workspace: str,
    message: Message,
    channels: Iterable[str],
    now: datetime,
    *,
    incident: str = "",
    actor: str = "millpond",
    digest: bool = False,
) -> list[str]:
    """Write a message that waits for each channel, and return the ids of the deliveries."""
    kept = NotificationRow(
        id=new_id(),
        message=written(message),
        incident=incident,
        created_at=now,
        created_by=clean(actor),
    )
    images = [
        ImageRow(notification=kept.id, position=position, name=name, png=png)
        for position, (name, png) in enumerate(message.images.items())
    ]
    deliveries = [
        DeliveryRow(
            id=new_id(),
            workspace=workspace,
            notification=kept.id,
            channel=channel,
            state="waiting",
            digest=digest,
            attempts=0,
            not_before=now,
            error="",
            hint="",
        )
        for channel in channels
    ]
    if deliveries:
        session.add_all([kept, *images, *deliveries])
        session.flush()
    return [each.id for each in deliveries]


def end(session: Session, row: DeliveryRow, state: SentState, now: datetime) -> None:
    """Write that a delivery has ended."""
    row.state, row.ended_at = state, now
    session.flush()
    drop_images(session, [row.notification])


def drop_images(session: Session, notifications: Collection[str]) -> None:
    """Let the images of these messages go that nobody needs any more."""
    of_these = DeliveryRow.notification.in_(notifications)
    open_ones = (of_these, DeliveryRow.state.in_(["waiting", "dead"]))
    needed = select(DeliveryRow.notification).where(*open_ones)
    gone = (ImageRow.notification.in_(notifications), ImageRow.notification.not_in(needed))
    session.execute(delete(ImageRow).where(*gone))


def _told(
    row: DeliveryRow, kept: NotificationRow, name: str | None, refused: dict[str, str]
) -> Sent:
    return Sent(
        id=row.id,
        channel=row.channel,
        channel_name=name or "",
        message=read(kept.message),
        incident=kept.incident,
        state=row.state,
        attempts=row.attempts,
        not_before=row.not_before,
        created_at=kept.created_at,
        ended_at=row.ended_at,
        error=row.error,
        hint=row.hint,
        refused=refused,
    )
