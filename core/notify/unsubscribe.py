"""One click, and a recipient gets no more of a channel (RFC 8058): signed addresses, no accounts.

The signature says that the address was given to this recipient by this channel, and nothing more:
it opens nothing, and is good for as long as the channel is there.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets as random
from collections.abc import Callable
from dataclasses import dataclass

from core.errors import InvalidInput, NotFound
from core.notify.book import ChannelBook, workspace_of
from core.notify.models import SavedChannel
from core.secret import Secret
from core.store.store import Store

KEY = "unsubscribe"
"""The field under which a channel's own signing key is sealed."""


def new_key() -> Secret:
    """Make a channel's signing key."""
    return Secret(random.token_hex(32))


@dataclass(frozen=True)
class Unsubscribing:
    """Makes the addresses, if people elsewhere can reach this program, and takes them back."""

    store: Store
    public_url: str
    book: Callable[[str], ChannelBook]

    def link(self, channel: SavedChannel, key: Secret | None, recipient: str) -> str:
        """Return the address for one recipient; "" where there can be none."""
        if not self.public_url or key is None or not recipient:
            return ""
        token = f"{channel.id}.{_text(recipient.encode())}.{_signature(channel.id, recipient, key)}"
        return f"{self.public_url.rstrip('/')}/api/v1/unsubscribe?token={token}"

    def accept(self, token: str) -> tuple[str, str]:
        """Leave a recipient out from now on; return channel and recipient. InvalidInput."""
        refusal = InvalidInput(
            "This address to unsubscribe is not whole, or its channel is gone.",
            hint="Open the link in the mail once more.",
        )
        try:
            place, recipient, signature = token.split(".")
            recipient = base64.urlsafe_b64decode(recipient + "==").decode()
        except (ValueError, binascii.Error) as error:
            raise refusal from error
        with self.store.read() as session:
            workspace = workspace_of(session, place)
        if workspace is None:
            raise refusal
        book = self.book(workspace)
        try:
            channel = book.get(place)
        except NotFound as error:
            raise refusal from error
        key = book.opened(channel).get(KEY)
        right = _signature(place, recipient, key) if key is not None else ""
        if not hmac.compare_digest(right.encode(), signature.encode()):
            raise refusal
        book.leave(place, recipient)
        return channel.name, recipient


def _signature(channel: str, recipient: str, key: Secret) -> str:
    signed = f"unsubscribe {channel} {recipient}".encode()
    return _text(hmac.digest(key.get_secret_value().encode(), signed, hashlib.sha256)[:20])


def _text(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).decode().rstrip("=")
