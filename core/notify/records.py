"""The tables of channels, of messages and their deliveries, and of incidents."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Boolean, Index, Integer, LargeBinary, String, UniqueConstraint
from sqlalchemy import text as literal_sql
from sqlalchemy.orm import Mapped, mapped_column

from core.channel import Message
from core.notify.models import Incident, SentState
from core.store.rows import CleanText, Row, UtcTime

IS_WAITING = literal_sql("state = 'waiting'")

KEPT: dict[str, bool] = {"read": True, "key_share": True}
"""How who sends locks a channel: it is not deleted meanwhile, and whatever else may go on."""

ALONE: dict[str, bool] = {"key_share": True}
"""How who delivers or changes a channel locks it. Always channels by their ids, then deliveries,
then runs: whoever takes them in another order can wait for ever for who waits for them."""


class ChannelRow(Row):
    """A channel, with how it has fared."""

    __tablename__ = "channel"
    __table_args__ = (UniqueConstraint("workspace", "name"),)

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    workspace: Mapped[str] = mapped_column(String(64))
    name: Mapped[str] = mapped_column(CleanText)
    kind: Mapped[str] = mapped_column(String(64))
    options: Mapped[dict[str, Any]] = mapped_column(JSON)
    sealed: Mapped[dict[str, str]] = mapped_column(JSON)
    title: Mapped[str] = mapped_column(CleanText)
    text: Mapped[str] = mapped_column(CleanText)
    rate: Mapped[int] = mapped_column(Integer)
    enabled: Mapped[bool] = mapped_column(Boolean)
    failures: Mapped[int] = mapped_column(Integer)
    paused_until: Mapped[datetime | None] = mapped_column(UtcTime)
    problem: Mapped[str] = mapped_column(CleanText)
    hint: Mapped[str] = mapped_column(CleanText)
    updated_at: Mapped[datetime] = mapped_column(UtcTime)
    updated_by: Mapped[str] = mapped_column(CleanText)


class LeftRow(Row):
    """A recipient who wants no more from a channel."""

    __tablename__ = "channel_left"

    channel: Mapped[str] = mapped_column(String(64), primary_key=True)
    recipient: Mapped[str] = mapped_column(CleanText, primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcTime)


class NotificationRow(Row):
    """A message without its images."""

    __tablename__ = "notification"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    message: Mapped[str] = mapped_column(CleanText)
    incident: Mapped[str] = mapped_column(CleanText)
    created_at: Mapped[datetime] = mapped_column(UtcTime)
    created_by: Mapped[str] = mapped_column(CleanText)


class ImageRow(Row):
    """An image of a message; kept while there is somebody to send it to."""

    __tablename__ = "notification_image"

    notification: Mapped[str] = mapped_column(String(64), primary_key=True)
    position: Mapped[int] = mapped_column(Integer, primary_key=True)
    name: Mapped[str] = mapped_column(CleanText)
    png: Mapped[bytes] = mapped_column(LargeBinary)


class DeliveryRow(Row):
    """A message on its way over a channel. `digest`: it lists others, and is not combined again."""

    __tablename__ = "delivery"
    __table_args__ = (
        Index(None, "workspace", "number"),
        Index(None, "channel", "ended_at"),
        Index(None, "notification"),
        # Partial on PostgreSQL too, see the query log's.
        Index("ix_delivery_waiting", "channel", "not_before", sqlite_where=IS_WAITING),
    )

    number: Mapped[int] = mapped_column(Integer, primary_key=True)
    id: Mapped[str] = mapped_column(String(64), unique=True)
    workspace: Mapped[str] = mapped_column(String(64))
    notification: Mapped[str] = mapped_column(String(64))
    channel: Mapped[str] = mapped_column(String(64))
    state: Mapped[SentState] = mapped_column(String(16))
    digest: Mapped[bool] = mapped_column(Boolean)
    attempts: Mapped[int] = mapped_column(Integer)
    first_tried_at: Mapped[datetime | None] = mapped_column(UtcTime)
    not_before: Mapped[datetime] = mapped_column(UtcTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcTime)
    error: Mapped[str] = mapped_column(CleanText)
    hint: Mapped[str] = mapped_column(CleanText)


class RecipientRow(Row):
    """A recipient who has had a message, or with a `refusal` will never."""

    __tablename__ = "delivery_recipient"

    delivery: Mapped[str] = mapped_column(String(64), primary_key=True)
    recipient: Mapped[str] = mapped_column(CleanText, primary_key=True)
    refusal: Mapped[str] = mapped_column(CleanText)


class IncidentRow(Row):
    """An incident by its key; what opens again begins anew in the same row."""

    __tablename__ = "incident"

    workspace: Mapped[str] = mapped_column(String(64), primary_key=True)
    key: Mapped[str] = mapped_column(String(200), primary_key=True)
    title: Mapped[str] = mapped_column(CleanText)
    channels: Mapped[list[str]] = mapped_column(JSON)
    count: Mapped[int] = mapped_column(Integer)
    opened_at: Mapped[datetime] = mapped_column(UtcTime)
    last_at: Mapped[datetime] = mapped_column(UtcTime)
    over_at: Mapped[datetime | None] = mapped_column(UtcTime)

    def told(self) -> Incident:
        channels = tuple(self.channels)
        times = (self.opened_at, self.last_at, self.over_at)
        return Incident(self.key, self.title, channels, self.count, *times)


def written(message: Message) -> str:
    """Return a message as its row has it: JSON, without the images."""
    plain: dict[str, Any] = {
        "title": message.title,
        "text": message.text,
        "severity": message.severity,
        "link": message.link,
        "facts": message.facts,
        "when": message.when.isoformat(),
    }
    return json.dumps(plain)


def read(text: str, images: dict[str, bytes] | None = None) -> Message:
    """Return the message of a row."""
    plain = json.loads(text)
    facts = tuple((name, value) for name, value in plain.pop("facts"))
    when = datetime.fromisoformat(plain.pop("when"))
    return Message(**plain, facts=facts, when=when, images=images or {})
