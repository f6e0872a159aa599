"""The job that delivers: one run at a time for a channel, until nothing waits or it must pause."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from core.channel import Channel, Delivery, Message, NotDelivered, Options
from core.errors import InvalidInput, MillpondError, NotFound
from core.job import JobKind, Task
from core.job import Options as JobOptions
from core.network import Network
from core.notify.book import ChannelBook
from core.notify.lane import Lane
from core.notify.models import Due, SavedChannel
from core.notify.templates import filled
from core.notify.unsubscribe import KEY, Unsubscribing
from core.plugins import Roster
from core.secret import Secret
from core.store.rows import new_id

log = logging.getLogger(__name__)

_TURN = 120.0  # s that a run takes before it lets others have its thread


class Served(JobOptions):
    """Which channel a run serves."""

    channel: str


@dataclass(frozen=True)
class Sending:
    """A message that is ready to be sent."""

    kind: Channel[Any]
    options: Options
    message: Message
    delivery: Delivery

    def go(self) -> MillpondError | None:
        """Send it, if there is somebody left to send it to; return what went wrong."""
        if not self.delivery.recipients:
            return None
        try:
            self.kind.send(self.message, self.options, self.delivery)
        except MillpondError as error:
            return error
        except Exception:  # one message must not keep the others
            number = new_id()
            log.exception("message %s could not be sent, error %s", self.delivery.id, number)
            return MillpondError(
                "Something unexpected went wrong.",
                hint=f"The log of the program has it as error {number}.",
            )
        return None

    def pointless(self, error: MillpondError) -> bool:
        """Tell whether the message itself is at fault, so that to try again is pointless."""
        return isinstance(error, InvalidInput) or (isinstance(error, NotDelivered) and error.final)


@dataclass(frozen=True)
class Dispatch:
    """What sending takes: the kinds of channels, the way out, and the way back out of a list."""

    kinds: Roster[Channel[Any]]
    network: Network
    unsubscribing: Unsubscribing

    def kind(self, name: str) -> Channel[Any]:
        """Return a kind of channel. Raises InvalidInput that lists the choices."""
        kind = self.kinds.found.get(name)
        if kind is None:
            choices = ", ".join(sorted(self.kinds.found))
            raise InvalidInput(f"There is no kind of channel {name!r}.", hint=f"One of {choices}.")
        return kind

    def options(
        self, kind: Channel[Any], plain: Mapping[str, Any], secrets: Mapping[str, Secret]
    ) -> Options:
        """Return a channel's options, whole. Raises InvalidInput."""
        known = {
            name: value for name, value in secrets.items() if name in kind.Options.model_fields
        }
        try:
            options: Options = kind.Options.model_validate({**plain, **known})
        except ValidationError as error:
            first = error.errors()[0]
            name = str(first["loc"][0]) if first["loc"] else ""
            field = kind.Options.model_fields.get(name)
            title = (field.title if field else None) or name
            reason = str(first["msg"]).removeprefix("Value error, ")
            raise InvalidInput(f"{title}: {reason}.") from error
        return options

    def prepare(
        self,
        channel: SavedChannel,
        secrets: Mapping[str, Secret],
        due: Due,
        tell: Callable[[str, str], None],
    ) -> Sending:
        """Get ready to send a message to who has not had it. Raises InvalidInput."""
        kind = self.kind(channel.kind)
        options = self.options(kind, channel.options, secrets)
        away = due.had | due.refused | frozenset(channel.left)
        key = secrets.get(KEY)
        delivery = Delivery(
            due.id,
            self.network,
            tuple(each for each in kind.recipients(options) if each not in away),
            due.incident,
            tell=tell,
            unsubscribe=lambda each: self.unsubscribing.link(channel, key, each),
        )
        return Sending(kind, options, filled(due.message, channel.title, channel.text), delivery)


class Deliver(JobKind[Served]):
    """Sends what waits for a channel, and comes back when there is more to do."""

    name = "deliver"
    label = "Deliver notifications"
    Options = Served
    own = True
    retries = 1000  # what fails here is the program or its store; what waits must go out

    def __init__(
        self,
        dispatch: Dispatch,
        book: Callable[[str], ChannelBook],
        lane: Callable[[str, str], Lane],
    ) -> None:
        self._dispatch, self._book, self._lane = dispatch, book, lane

    def key(self, options: Served) -> str:
        return f"channel {options.channel}"

    def run(self, task: Task[Served]) -> dict[str, Any]:
        """Return how many messages were tried, and in how many s it goes on, if it does."""
        book = self._book(task.workspace)
        lane = self._lane(task.workspace, task.options.channel)
        began, tried = time.monotonic(), 0
        while True:
            task.check()
            try:
                channel = book.get(task.options.channel)
            except NotFound:
                return {"tried": tried}
            kind = self._dispatch.kinds.found.get(channel.kind)
            turn = lane.turn(combines=kind is not None and kind.combines)
            wait = 0.0 if turn.due and time.monotonic() - began > _TURN else turn.wait
            if wait is not None:
                lane.summon(wait)
                return {"tried": tried, "again_in": wait}
            if turn.due is None:
                return {"tried": tried}
            tried += 1
            task.progress("sending", tried)
            task.log(self._attempt(book, channel, lane, turn.due))

    def _attempt(self, book: ChannelBook, channel: SavedChannel, lane: Lane, due: Due) -> str:
        """Try one message, and write what became of it. Returns that for the run's log."""
        told: dict[str, str] = {}

        def tell(recipient: str, refusal: str) -> None:
            lane.reached(due.id, recipient, refusal)
            told[recipient] = refusal

        lane.started(due.id)
        try:
            sending = self._dispatch.prepare(channel, book.opened(channel), due, tell)
        except MillpondError as error:
            # The channel is at fault and not the message: it waits until somebody has seen to it.
            lane.failed(due.id, error.message, error.hint, works=False)
            return error.message
        failure = sending.go()
        if failure is not None and set(told) != set(sending.delivery.recipients):
            if sending.pointless(failure):
                lane.ended(due.id, "dead", error=failure.message, hint=failure.hint)
            else:
                wait = failure.wait if isinstance(failure, NotDelivered) else 0
                lane.failed(due.id, failure.message, failure.hint, wait=wait, works=bool(told))
            return failure.message
        if told and all(told.values()) and not due.had:
            lane.ended(due.id, "dead", error=" ".join(told.values()))
            return "Nobody took it."
        lane.ended(due.id, "sent")
        return f"Sent: {due.message.headline}"
