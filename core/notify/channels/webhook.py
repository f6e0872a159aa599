"""Webhook: a signed JSON body to an address, as https://www.standardwebhooks.com describes it."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import time
from typing import Annotated

from pydantic import AfterValidator, Field

from core.channel import Channel, Delivery, Message, Options
from core.notify.channels._post import Target, checked_url, post, to_json
from core.secret import Secret

_PREFIX = "whsec_"


def _key(secret: Secret) -> bytes:
    text = secret.get_secret_value()
    if not text.startswith(_PREFIX):
        return text.encode()
    try:
        return base64.b64decode(text.removeprefix(_PREFIX), validate=True)
    except binascii.Error as error:
        raise ValueError(f"what follows {_PREFIX} must be base64") from error


def _checked_key(secret: Secret) -> Secret:
    if len(_key(secret)) < 16:
        raise ValueError("a key that signs has 16 characters or more")
    return secret


class WebhookOptions(Options):
    """Where to post, and what to sign with."""

    url: Annotated[Secret, AfterValidator(checked_url)] = Field(
        title="Address", description="The https address that takes the messages."
    )
    key: Annotated[Secret, AfterValidator(_checked_key)] = Field(
        title="Signing key",
        description="At least 16 characters, which the receiver knows too; or whsec_ and base64.",
    )


class Webhook(Channel[WebhookOptions]):
    """Programs elsewhere, which check the signature."""

    name = "webhook"
    label = "Webhook"
    icon = "webhook"
    help = "Posts signed JSON to a program of yours."
    Options = WebhookOptions
    combines = False

    def place(self, options: WebhookOptions) -> str:
        return Target.of(options.url.get_secret_value()).place

    def send(self, message: Message, options: WebhookOptions, delivery: Delivery) -> None:
        body = to_json(
            {
                "id": delivery.id,
                "title": message.title,
                "text": message.text,
                "severity": message.severity,
                "incident": delivery.incident,
                "link": message.link,
                "when": message.when.isoformat(),
                "facts": [{"name": name, "value": value} for name, value in message.facts],
            }
        )
        headers = signed(delivery.id, body, _key(options.key))
        post(options.url, body, headers, delivery.network, delivery.seconds)


def signed(id: str, body: bytes, key: bytes) -> dict[str, str]:
    """Return the headers that prove who sent a body, and when."""
    moment = str(int(time.time()))
    digest = hmac.digest(key, f"{id}.{moment}.".encode() + body, hashlib.sha256)
    return {
        "Webhook-Id": id,
        "Webhook-Timestamp": moment,
        "Webhook-Signature": "v1," + base64.b64encode(digest).decode(),
        "Idempotency-Key": id,
    }
