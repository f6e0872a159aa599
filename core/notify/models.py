"""Channels, what was sent over them, and incidents, as values. No secret is in here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from core.channel import Message

SentState = Literal["waiting", "sent", "dead", "combined", "discarded"]
"""`dead` is given up and may be sent again; `combined` went out as a part of another message."""


class Draft(BaseModel):
    """What a person decides about a channel. Secrets that are left out stay as they are."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(min_length=1, max_length=100)
    options: dict[str, Any] = Field({}, repr=False)
    title: str = Field("", max_length=500, description="Template of the title; empty: as it is.")
    text: str = Field("", max_length=10_000, description="Template of the text; empty: as it is.")
    rate: int = Field(30, ge=1, le=1000, description="Messages a minute, at most.")
    enabled: bool = True


@dataclass(frozen=True)
class SavedChannel:
    """A channel as it is kept: `options` without what is secret, `sealed` ids of the secrets.

    `failures` counts attempts that failed one after the other; nothing is tried before
    `paused_until`. `problem` is what the last of them said. `left` are recipients who want no more.
    """

    id: str
    name: str
    kind: str
    options: Mapping[str, Any]
    sealed: Mapping[str, str] = field(repr=False)
    title: str
    text: str
    rate: int
    enabled: bool
    failures: int
    paused_until: datetime | None
    problem: str
    hint: str
    left: tuple[str, ...]
    updated_at: datetime
    updated_by: str


@dataclass(frozen=True)
class Sent:
    """One message and one channel: how its delivery stands. The message is without its images.

    `refused` are recipients who will never get it, and why. Times are UTC.
    """

    id: str
    channel: str
    channel_name: str
    message: Message
    incident: str
    state: SentState
    attempts: int
    not_before: datetime
    created_at: datetime
    ended_at: datetime | None
    error: str
    hint: str
    refused: Mapping[str, str]


@dataclass(frozen=True)
class Due:
    """A message to be sent now, whole, over a channel.

    `had` are recipients who have had it, `refused` those who never will.
    """

    id: str
    message: Message
    incident: str = ""
    had: frozenset[str] = frozenset()
    refused: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Incident:
    """Something that goes on: told once over `channels`, counted since, and told when over."""

    key: str
    title: str
    channels: tuple[str, ...]
    count: int
    opened_at: datetime
    last_at: datetime
    over_at: datetime | None
