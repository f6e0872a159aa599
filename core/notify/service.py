"""Notifications for an actor: send, look at what was sent, and set channels up.

`send` writes and returns; whoever is told, and whether they can be, is the job's business. Owners
set channels up, editors send, everybody sees.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from core.access import Actor
from core.channel import Channel, Message
from core.errors import ConnectError, InvalidInput, MillpondError, SecretError
from core.notify.book import ChannelBook
from core.notify.delivery import Dispatch
from core.notify.models import Draft, Due, Incident, SavedChannel, Sent, SentState
from core.notify.outbox import Outbox
from core.notify.templates import EXAMPLE, checked, filled
from core.notify.unsubscribe import KEY, new_key
from core.plugins import Roster
from core.redaction import redact
from core.secret import Secret
from core.store.rows import new_id

_LONGEST_TEXT = 100_000
_LARGEST_IMAGES = 10_000_000


@dataclass(frozen=True)
class ChannelStatus:
    """A channel as people see it: where it leads, without secrets; `waiting` counts messages.

    `problem` is why nothing goes over it now; `recipients` are empty where that cannot be told.
    """

    channel: SavedChannel
    kind: Channel[Any] | None
    place: str
    waiting: int
    problem: MillpondError | None


@dataclass(frozen=True)
class NotifyBook:
    """What all actors of a workspace share; `wake` is called when there is something to deliver."""

    channels: ChannelBook
    outbox: Outbox
    dispatch: Dispatch
    wake: Callable[[], None] = lambda: None


class Notify:
    """The notifications of a workspace for one actor."""

    def __init__(self, book: NotifyBook, actor: Actor) -> None:
        self._book, self._actor = book, actor

    @property
    def kinds(self) -> Roster[Channel[Any]]:
        """The kinds of channels there are, and those that are broken."""
        return self._book.dispatch.kinds

    def send(
        self, message: Message, channels: Sequence[str], *, incident: str = ""
    ) -> Sequence[str]:
        """Keep a message for channels by their ids, and return; each sends it as soon as it can.

        With the key of an incident that is open it is counted and not sent again. Returns the ids
        under which `sent` has it. Raises NotFound, InvalidInput.
        """
        self._actor.require("editor", "send notifications")
        for channel in channels:
            self._book.channels.get(channel)
        ids = self._book.outbox.keep(
            _checked(message, incident),
            list(dict.fromkeys(channels)),
            incident=incident,
            actor=self._actor.name,
        )
        self._book.wake()
        return ids

    def over(self, incident: str, message: Message) -> Sequence[str]:
        """Tell those who know of an incident that it is over, once; nothing if it is not open."""
        self._actor.require("editor", "send notifications")
        message = _checked(replace(message, severity="over"), incident)
        ids = self._book.outbox.over(incident, message, actor=self._actor.name)
        self._book.wake()
        return ids

    def channels(self) -> Sequence[ChannelStatus]:
        """Return all channels in the order of their names."""
        waiting = self._book.outbox.waiting()
        return [self._status(each, waiting.get(each.id, 0)) for each in self._book.channels.list()]

    def add(self, kind: str, draft: Draft) -> SavedChannel:
        """Set a channel up. Raises InvalidInput, Conflict."""
        self._actor.require("owner", "add channels")
        plain, secrets = self._checked(kind, draft, {})
        sealed = {**secrets, KEY: new_key()}
        return self._book.channels.add(kind, plain, sealed, actor=self._actor.name)

    def change(self, id: str, draft: Draft) -> SavedChannel:
        """Change a channel, and try at once what waits for it. Raises NotFound, InvalidInput.

        What is secret and not given, or empty, stays as it is.
        """
        self._actor.require("owner", "change channels")
        old = self._book.channels.get(id)
        known = self._known(old, draft)
        plain, secrets = self._checked(old.kind, draft, known)
        if KEY not in known:  # its master key is lost, and with it the links in old mails
            secrets[KEY] = new_key()
        changed = self._book.channels.change(id, plain, secrets, actor=self._actor.name)
        self._try(id)
        return changed

    def delete(self, id: str) -> None:
        """Delete a channel, with its secrets and what waits for it. Raises NotFound."""
        self._actor.require("owner", "delete channels")
        self._book.channels.delete(id, self._book.outbox.forget)

    def test(self, id: str) -> str:
        """Send an example now, and say to whom. Raises why it does not arrive."""
        self._actor.require("editor", "send tests")
        channel = self._book.channels.get(id)
        told: dict[str, str] = {}
        due = Due(new_id(), replace(EXAMPLE, when=datetime.now(UTC)))
        secrets = self._book.channels.opened(channel)
        sending = self._book.dispatch.prepare(channel, secrets, due, told.__setitem__)
        error = sending.go()
        if error is not None and set(told) != set(sending.delivery.recipients):
            raise error
        refused = [f"{name}: {reason}" for name, reason in told.items() if reason]
        if refused:
            raise ConnectError(f"It was not taken by all: {' '.join(refused)}")
        return sending.kind.place(sending.options)

    def preview(self, title: str, text: str) -> Message:
        """Return an example as templates would make it. Raises InvalidInput."""
        return filled(EXAMPLE, checked(title, "title"), checked(text, "text"))

    def sent(
        self, state: SentState | None = None, *, limit: int = 100, before: str | None = None
    ) -> Sequence[Sent]:
        """Return messages and how they stand, the newest first."""
        return self._book.outbox.sent(state, limit=limit, before=before)

    def incidents(self) -> Sequence[Incident]:
        """Return the incidents that are open, the latest first."""
        return self._book.outbox.incidents()

    def again(self, id: str) -> None:
        """Send a message again that was given up. Raises NotFound, Conflict."""
        self._actor.require("editor", "send notifications")
        self._book.outbox.again(id)
        self._book.wake()

    def discard(self, id: str) -> None:
        """Give a message up for good. Raises NotFound, Conflict."""
        self._actor.require("editor", "discard notifications")
        self._book.outbox.discard(id)

    def try_now(self, id: str) -> None:
        """Try at once what waits for a channel. Raises NotFound."""
        self._actor.require("editor", "send notifications")
        self._book.channels.get(id)
        self._try(id)

    def resubscribe(self, id: str, recipient: str) -> None:
        """Send to a recipient again who wanted no more. Raises NotFound."""
        self._actor.require("owner", "change channels")
        self._book.channels.join(id, recipient)

    def _try(self, id: str) -> None:
        self._book.outbox.try_now(id)
        self._book.wake()

    def _status(self, channel: SavedChannel, waiting: int) -> ChannelStatus:
        kind = self.kinds.found.get(channel.kind)
        problem = MillpondError(channel.problem, hint=channel.hint) if channel.problem else None
        place = ""
        try:
            secrets = self._book.channels.opened(channel)
            kind = self._book.dispatch.kind(channel.kind)
            place = kind.place(self._book.dispatch.options(kind, channel.options, secrets))
        except MillpondError as error:
            problem = error
        return ChannelStatus(channel, kind, place, waiting, problem)

    def _known(self, channel: SavedChannel, draft: Draft) -> Mapping[str, Secret]:
        """Return the secrets that there are; those that cannot be opened must be given anew."""
        try:
            return self._book.channels.opened(channel)
        except SecretError:
            if any(not draft.options.get(name) for name in channel.sealed if name != KEY):
                raise
            return {}

    def _checked(
        self, kind_name: str, draft: Draft, known: Mapping[str, Secret]
    ) -> tuple[Draft, dict[str, Secret]]:
        """Return the draft without its secrets, and those of them that are given."""
        checked(draft.title, "title")
        checked(draft.text, "text")
        if not draft.name.strip():
            raise InvalidInput("A channel needs a name.")
        kind = self._book.dispatch.kind(kind_name)
        fields = _secret_fields(kind)
        given = {name: value for name, value in draft.options.items() if name not in fields}
        fresh = {name: _secret(draft.options[name]) for name in fields & draft.options.keys()}
        fresh = {name: value for name, value in fresh.items() if value}
        options = self._book.dispatch.options(kind, given, {**known, **fresh})
        plain = options.model_dump(mode="json", exclude=set(fields))
        return draft.model_copy(update={"options": plain}), fresh


def _checked(message: Message, incident: str) -> Message:
    """Return a message that can be kept: not too large, and without known secrets."""
    told = len(message.text) + sum(len(name) + len(value) for name, value in message.facts)
    if told > _LONGEST_TEXT or len(message.title) > 1000 or len(message.facts) > 100:
        raise InvalidInput(f"A message has at most {_LONGEST_TEXT:,} characters and 100 facts.")
    if sum(len(png) for png in message.images.values()) > _LARGEST_IMAGES:
        raise InvalidInput("The images of a message take at most 10 MB.")
    if len(incident) > 200:
        raise InvalidInput("The key of an incident has at most 200 characters.")
    return replace(
        message,
        title=redact(message.title),
        text=redact(message.text),
        facts=tuple((redact(name), redact(value)) for name, value in message.facts),
    )


def _secret_fields(kind: Channel[Any]) -> set[str]:
    fields = kind.Options.model_fields.items()
    return {name for name, field in fields if field.annotation is Secret}


def _secret(value: Any) -> Secret:
    return value if isinstance(value, Secret) else Secret(str(value or ""))
