"""What a channel is to do next, and what became of it: how the job sees what is to be delivered.

A channel that fails is left alone for a while as a whole, longer each time; a message that fails
comes after those not tried yet. So a server that is away is asked rarely, and one message that it
does not like holds up no other.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from core.errors import NotFound
from core.jobs.records import Clock, database_now
from core.notify.digest import FLOOD, digest
from core.notify.models import Due, SentState
from core.notify.outbox import Summon, drop_images, end, find, put
from core.notify.records import (
    ALONE,
    IS_WAITING,
    ChannelRow,
    DeliveryRow,
    ImageRow,
    NotificationRow,
    RecipientRow,
    read,
)
from core.store.store import Store

_FIRST_PAUSE, _LONGEST_PAUSE = 30.0, 3600.0  # s; doubled in between
GIVEN_UP = timedelta(days=3)
"""From the first attempt on; a server that is away over a weekend loses nothing."""

_MOST_COMBINED = 1000
_FARTHEST = timedelta(hours=25)  # nothing is put off for longer: the clock was set back


@dataclass(frozen=True)
class Turn:
    """What a channel is to do now: send `due`, or do nothing for `wait` s; neither: all is done."""

    due: Due | None = None
    wait: float | None = None


class Lane:
    """What goes over one channel. Safe to share between threads.

    Both the channel and a message may be deleted while it is sent: then there is nothing to write.
    """

    def __init__(
        self,
        store: Store,
        workspace: str,
        channel: str,
        summon: Summon,
        *,
        clock: Clock = database_now,
    ) -> None:
        self._store, self._workspace, self._channel = store, workspace, channel
        self._summon = summon
        self._clock = clock

    def turn(self, *, combines: bool) -> Turn:
        """Say what the channel is to do now. Where many wait, they become one message first."""
        with self._store.begin() as session:
            now = self._clock(session)
            row = self._row(session)
            if row is None or not row.enabled or not self._waits(session):
                return Turn()
            free_at = max(row.paused_until or now, self._rate_allows_at(session, row, now))
            if now < free_at <= now + _FARTHEST:
                return Turn(wait=(free_at - now).total_seconds())
            if combines:
                self._combine(session, now)
            return self._next(session, now)

    def started(self, id: str) -> None:
        """Write that a message is tried now: should we die of it, the others come first."""
        with self._store.begin() as session, suppress(NotFound):
            row = find(session, self._workspace, id)
            row.first_tried_at = row.first_tried_at or self._clock(session)
            row.attempts += 1

    def reached(self, id: str, recipient: str, refusal: str) -> None:
        """Write that one recipient has had it, or never will."""
        # Who was taken for dead, and is not, may write it beside the next owner.
        with suppress(IntegrityError), self._store.begin() as session:
            session.merge(RecipientRow(delivery=id, recipient=recipient, refusal=refusal))

    def ended(self, id: str, state: SentState, *, error: str = "", hint: str = "") -> None:
        """Write that a message needs no more attempts: the channel works."""
        with self._store.begin() as session, suppress(NotFound):
            channel = self._row(session)
            row = find(session, self._workspace, id)
            end(session, row, state, self._clock(session))
            row.error, row.hint = error, hint
            _set(channel, 0, None)

    def failed(self, id: str, error: str, hint: str, *, wait: float = 0, works: bool) -> None:
        """Write that a message was not taken; it is tried again, for three days.

        The channel is left alone for a while, unless it `works`. `wait` is how long the other
        side wants to be left alone, in s.
        """
        with self._store.begin() as session, suppress(NotFound):
            channel, now = self._row(session), self._clock(session)
            row = find(session, self._workspace, id)
            row.error, row.hint = error, hint
            row.not_before = now + timedelta(seconds=max(_pause(row.attempts), wait))
            if row.first_tried_at is not None and now - row.first_tried_at >= GIVEN_UP:
                end(session, row, "dead", now)
            if works and not wait:
                _set(channel, 0, None)
            elif channel is not None:
                failures = channel.failures + 1
                until = now + timedelta(seconds=max(_pause(failures), wait))
                _set(channel, failures, until, error, hint)

    def summon(self, wait: float) -> None:
        """See that the channel is served again in `wait` s at the latest."""
        with self._store.begin() as session:
            self._summon(session, self._channel, self._clock(session) + timedelta(seconds=wait))

    def _row(self, session: Session) -> ChannelRow | None:
        """Return the channel, first of all and locked; None if it is gone."""
        return session.get(ChannelRow, self._channel, with_for_update=ALONE)

    def _waits(self, session: Session) -> bool:
        query = select(DeliveryRow.number).where(DeliveryRow.channel == self._channel, IS_WAITING)
        return session.execute(query.limit(1)).first() is not None

    def _rate_allows_at(self, session: Session, row: ChannelRow, now: datetime) -> datetime:
        """Return from when on one more message is within what the channel takes a minute."""
        taken = (DeliveryRow.channel == row.id, DeliveryRow.state.in_(["sent", "dead"]))
        lately = (*taken, DeliveryRow.ended_at > now - timedelta(minutes=1))
        query = select(DeliveryRow.ended_at).where(*lately, DeliveryRow.ended_at <= now)
        ends = session.scalars(query.order_by(DeliveryRow.ended_at.desc()).limit(row.rate)).all()
        oldest = ends[-1] if len(ends) == row.rate else None
        return now if oldest is None else oldest + timedelta(minutes=1)

    def _combine(self, session: Session, now: datetime) -> None:
        """Put what nobody has tried yet together into one message, where that is many."""
        mine = (DeliveryRow.channel == self._channel, IS_WAITING, DeliveryRow.attempts == 0)
        query = (
            select(DeliveryRow.number, NotificationRow.id, NotificationRow.message)
            .join(NotificationRow, NotificationRow.id == DeliveryRow.notification)
            .where(*mine, DeliveryRow.digest.is_(False))
            .order_by(DeliveryRow.number)
            .limit(_MOST_COMBINED)
        )
        rows = session.execute(query).all()
        if len(rows) <= FLOOD:
            return
        combined = update(DeliveryRow).where(DeliveryRow.number.in_([row.number for row in rows]))
        session.execute(combined.values(state="combined", ended_at=now))
        drop_images(session, [row.id for row in rows])
        whole = digest([read(row.message) for row in rows], now)
        put(session, self._workspace, whole, [self._channel], now, digest=True)

    def _next(self, session: Session, now: datetime) -> Turn:
        waiting = (DeliveryRow.channel == self._channel, DeliveryRow.state == "waiting")
        ready = (DeliveryRow.not_before <= now) | (DeliveryRow.not_before > now + _FARTHEST)
        query = select(DeliveryRow).where(*waiting, ready)
        row = session.scalar(query.order_by(DeliveryRow.attempts, DeliveryRow.number).limit(1))
        if row is not None:
            return Turn(due=self._due(session, row))
        first = session.scalar(select(func.min(DeliveryRow.not_before)).where(*waiting))
        return Turn(wait=None if first is None else (first - now).total_seconds())

    def _due(self, session: Session, row: DeliveryRow) -> Due:
        kept = session.get_one(NotificationRow, row.notification)
        images = select(ImageRow).where(ImageRow.notification == kept.id)
        pngs = {each.name: each.png for each in session.scalars(images.order_by(ImageRow.position))}
        told = session.execute(
            select(RecipientRow.recipient, RecipientRow.refusal).where(
                RecipientRow.delivery == row.id
            )
        ).all()
        had = frozenset(recipient for recipient, refusal in told if not refusal)
        refused = frozenset(recipient for recipient, refusal in told if refusal)
        return Due(row.id, read(kept.message, pngs), kept.incident, had, refused)


def _set(
    row: ChannelRow | None,
    failures: int,
    until: datetime | None,
    problem: str = "",
    hint: str = "",
) -> None:
    if row is not None:
        row.failures, row.paused_until, row.problem, row.hint = failures, until, problem, hint


def _pause(failures: int) -> float:
    return min(_FIRST_PAUSE * 2.0 ** min(failures - 1, 20), _LONGEST_PAUSE)
