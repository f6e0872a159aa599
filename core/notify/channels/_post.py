"""Post JSON to an address that a person typed, and read what the answer means."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http.client import HTTPConnection, HTTPException, HTTPResponse
from typing import Any
from urllib.parse import urlsplit

from core.channel import NotDelivered
from core.network import Network, Security
from core.redaction import redact
from core.secret import Secret

_TOLD = 200  # characters of an answer that are repeated to people
_READ = 4096  # bytes of it that are looked at
_AGAIN = (408, 425, 429)
_LONGEST_WAIT = 86_400.0


@dataclass(frozen=True)
class Target:
    """An http or https address, taken apart."""

    host: str
    port: int
    path: str
    encrypted: bool

    @classmethod
    def of(cls, url: str) -> Target:
        """Read an address. Raises ValueError that says what is wrong, without repeating it."""
        if not re.fullmatch(r"[!-~]+", url):
            raise ValueError("an address has no spaces and no letters beyond ASCII")
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("it must begin with https:// and name a host")
        if parts.username is not None or parts.password is not None:
            raise ValueError("it may hold no user and password")
        encrypted = parts.scheme == "https"
        port = parts.port or (443 if encrypted else 80)
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        return cls(parts.hostname, port, path, encrypted)

    @property
    def place(self) -> str:
        """Return host and port as the header Host has them."""
        name = f"[{self.host}]" if ":" in self.host else self.host
        return name if self.port == (443 if self.encrypted else 80) else f"{name}:{self.port}"


def checked_url(url: Secret) -> Secret:
    """Return an address that can be posted to. Raises ValueError."""
    Target.of(url.get_secret_value())
    return url


def to_json(body: Mapping[str, Any]) -> bytes:
    """Write a body as UTF-8; half a character becomes a question mark."""
    return json.dumps(body, ensure_ascii=False).encode("utf-8", "replace")


def post(
    url: Secret, body: bytes, headers: Mapping[str, str], network: Network, seconds: float
) -> None:
    """Post a body, and return if the answer is a success. Raises as `Channel.send` does."""
    target = Target.of(url.get_secret_value())
    security: Security = "tls" if target.encrypted else "none"
    with network.connect(target.host, target.port, seconds=seconds, security=security) as link:
        http = HTTPConnection(target.host, target.port)
        http.sock = link
        try:
            http.request("POST", target.path, body, _all(headers, target))
            with closing(HTTPResponse(link, method="POST")) as answer:
                answer.begin()
                if 200 <= answer.status < 300:
                    return
                told = _words(answer.read(_READ))
        except HTTPException as error:
            raise NotDelivered(
                f"{target.place} did not answer as a web server does.",
                hint="See whether host, port and http or https are right.",
            ) from error
        raise _refusal(target, answer, told)


def _all(headers: Mapping[str, str], target: Target) -> dict[str, str]:
    return {
        "Host": target.place,
        "Content-Type": "application/json; charset=utf-8",
        "Accept": "*/*",
        "User-Agent": "Millpond",
        "Connection": "close",
        **headers,
    }


def _words(body: bytes) -> str:
    """Return the beginning of an answer as one line without known secrets.

    They are taken out before it is cut to what people are told: half a secret is not known. For
    the same reason a word that the end of what was read may have cut is left out.
    """
    words = body.decode("utf-8", "replace").split()
    whole = words[:-1] if len(body) == _READ else words
    return redact(" ".join(whole))[:_TOLD]


def _refusal(target: Target, answer: HTTPResponse, told: str) -> NotDelivered:
    # The page of a proxy says nothing to people, one line of text does.
    reason = f": {told}" if told and "<" not in told else f" {answer.reason}".rstrip()
    message = f"{target.place} answered {answer.status}{reason}"
    if 300 <= answer.status < 400:
        return NotDelivered(
            f"{target.place} answered {answer.status}, which sends elsewhere.",
            hint="Redirects are not followed: enter the address that is meant.",
        )
    return NotDelivered(
        message.rstrip(".") + ".",
        final=400 <= answer.status < 500 and answer.status not in _AGAIN,
        wait=_wait(answer.getheader("Retry-After", "")),
    )


def _wait(header: str) -> float:
    """Read a Retry-After, which is seconds or a date, as seconds."""
    try:
        seconds = float(header) if header.strip().isdigit() else _until(header)
    except (ValueError, TypeError, OverflowError):
        return 0
    return min(max(0.0, seconds), _LONGEST_WAIT)


def _until(date: str) -> float:
    moment = parsedate_to_datetime(date)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return (moment - datetime.now(UTC)).total_seconds()
