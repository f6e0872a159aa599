"""The contract of a kind of channel: what one file in `core/notify/channels/` declares.

A channel says a message to people or programs elsewhere, once, and translates its protocol's
errors at its own edge. It keeps nothing: queues, repetitions, limits and who has had what are
`core.notify`'s business.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, ClassVar, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict

from core.errors import ConnectError, InvalidInput
from core.network import Network

Severity = Literal["info", "warning", "critical", "over"]


@dataclass(frozen=True)
class Message:
    """What is to be told. `facts` are shown as a list, `images` are PNG files by their names."""

    title: str
    text: str = ""
    severity: Severity = "info"
    link: str = ""
    facts: tuple[tuple[str, str], ...] = ()
    images: Mapping[str, bytes] = field(default_factory=dict)
    when: datetime = field(default_factory=lambda: datetime.now(UTC))

    def __post_init__(self) -> None:
        # It becomes an address in mails: only what a browser may safely open.
        if self.link and not self.link.lower().startswith(("https://", "http://")):
            raise InvalidInput("The link of a message must begin with https:// or http://.")
        if self.when.tzinfo is None:
            raise InvalidInput("The time of a message needs a time zone.")

    @property
    def headline(self) -> str:
        """Return the title in one line, with how bad it is in front."""
        title = " ".join(
            "".join(sign if sign.isprintable() else " " for sign in self.title).split()
        )
        return title if self.severity == "info" else f"{self.severity.capitalize()}: {title}"


class NotDelivered(ConnectError):
    """The other side did not take it: ask again in `wait` s at the earliest, never if `final`."""

    def __init__(
        self, message: str, *, hint: str = "", final: bool = False, wait: float = 0
    ) -> None:
        super().__init__(message, hint=hint)
        self.final = final
        self.wait = wait


@dataclass(frozen=True)
class Delivery:
    """One message on its way over one channel: the same in each attempt, but for `recipients`.

    `recipients` are those who have not had it. `tell` keeps, at once, that one has had it, or why
    one never will. `unsubscribe` gives the address where one can say "no more", or "".
    """

    id: str
    network: Network
    recipients: tuple[str, ...] = ()
    incident: str = ""
    seconds: float = 30
    tell: Callable[[str, str], None] = lambda recipient, refusal: None
    unsubscribe: Callable[[str], str] = lambda recipient: ""


class Options(BaseModel):
    """What a person fills in: one model drives the form and the check.

    Each field has a title and a description. Fields of the type `Secret` are sealed, and never
    shown again.
    """

    # An error would quote the whole input, with the secrets that are beside what is wrong.
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


O = TypeVar("O", bound=Options)  # noqa: E741 - the usual letter of the type it stands for


class Channel(Generic[O]):
    """A kind of channel. Stateless: one instance serves everybody."""

    name: ClassVar[str]
    label: ClassVar[str]
    icon: ClassVar[str]
    """A Material symbol, as in `:material/mail:` without colons and prefix: `mail`."""
    help: ClassVar[str]
    Options: ClassVar[type[Any]]
    combines: ClassVar[bool] = True
    """Too many messages at once become one that lists them; False where programs read them."""

    def place(self, options: O) -> str:
        """Say where it leads, as people may see it: without what is secret of it."""
        raise NotImplementedError

    def recipients(self, options: O) -> tuple[str, ...]:
        """Return those who each get their own; one nameless one where there is no telling apart."""
        return ("",)

    def send(self, message: Message, options: O, delivery: Delivery) -> None:
        """Say it to the delivery's recipients, and tell the delivery of each.

        Raises NotDelivered, or ConnectError and Forbidden as the network does, while there is
        somebody left to ask again for.
        """
        raise NotImplementedError
