"""Write a message as an e-mail: plain and HTML, with its images inside.

No header can be smuggled in: what stands in one is a single line, and addresses are checked before
they come here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from html import escape

from core.channel import Message, Severity

# Some programs break what is folded into encoded words; the standard allows lines of 998.
_WRITING = SMTP.clone(max_line_length=900)
_LONGEST_SUBJECT = 200
_COLOUR: dict[Severity, str] = {
    "info": "#2b6cb0",
    "warning": "#b7791f",
    "critical": "#c53030",
    "over": "#2f855a",
}


@dataclass(frozen=True)
class Letter:
    """One message to one recipient; `id` is the same whenever it is sent again."""

    message: Message
    sender: str
    sender_name: str
    recipient: str
    id: str
    unsubscribe: str

    def written(self) -> bytes:
        """Return the letter as it is sent."""
        mail = EmailMessage(policy=SMTP)
        self._address(mail)
        mail.set_content(_plain(self.message, self.unsubscribe))
        mail.add_alternative(_html(self.message, self.unsubscribe), subtype="html")
        page = mail.get_payload(1)
        for number, (name, png) in enumerate(self.message.images.items()):
            # pyright and mypy know a payload as text only.
            page.add_related(  # type: ignore[union-attr]
                png,
                "image",
                "png",
                cid=f"<{_image_id(number)}>",
                filename=_line(name, 80) + ".png",
                disposition="inline",
            )
        return mail.as_bytes(policy=_WRITING)

    def _address(self, mail: EmailMessage) -> None:
        user, _, domain = self.sender.rpartition("@")
        named = hashlib.sha256(f"{self.id} {self.recipient}".encode()).hexdigest()[:32]
        mail["From"] = Address(_line(self.sender_name, 80), user, domain)
        mail["To"] = self.recipient
        mail["Subject"] = _line(self.message.headline, _LONGEST_SUBJECT)
        mail["Date"] = self.message.when
        mail["Message-ID"] = f"<{named}@{domain}>"
        mail["Auto-Submitted"] = "auto-generated"
        mail["X-Auto-Response-Suppress"] = "All"
        if self.unsubscribe:
            mail["List-Unsubscribe"] = f"<{self.unsubscribe}>"
            mail["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"


def _line(text: str, most: int) -> str:
    line = " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())
    return line if len(line) <= most else line[: most - 1] + "…"


def _image_id(number: int) -> str:
    return f"image{number}@millpond"


def _plain(message: Message, unsubscribe: str) -> str:
    def parts() -> Iterator[str]:
        yield message.headline
        yield message.text
        yield "\n".join(f"{name}: {value}" for name, value in message.facts)
        yield message.link
        yield f"{message.when:%Y-%m-%d %H:%M} UTC"
        if unsubscribe:
            yield f"No more of these: {unsubscribe}"

    return _whole("\n\n".join(part for part in parts() if part))


def _html(message: Message, unsubscribe: str) -> str:
    def parts() -> Iterator[str]:
        yield f'<h1 style="font-size:20px;margin:0 0 12px">{escape(message.headline)}</h1>'
        if message.text:
            yield f'<p style="white-space:pre-wrap">{escape(message.text)}</p>'
        if message.facts:
            rows = "".join(
                '<tr><th scope="row" style="text-align:left;padding:2px 16px 2px 0">'
                f"{escape(name)}</th><td>{escape(value)}</td></tr>"
                for name, value in message.facts
            )
            yield f"<table>{rows}</table>"
        for number, name in enumerate(message.images):
            yield (
                f'<p><img src="cid:{_image_id(number)}" alt="{escape(name)}" '
                'style="max-width:100%"></p>'
            )
        if message.link:
            yield f'<p><a href="{escape(message.link)}">Open in Millpond</a></p>'
        yield f'<p style="color:#5a6470">{message.when:%Y-%m-%d %H:%M} UTC'
        if unsubscribe:
            yield f' · <a href="{escape(unsubscribe)}">No more of these</a>'
        yield "</p>"

    style = f"font-family:sans-serif;border-left:4px solid {_COLOUR[message.severity]}"
    title = escape(_line(message.headline, _LONGEST_SUBJECT))
    return _whole(
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title></head>'
        f'<body><div style="{style};padding:4px 16px">{"".join(parts())}</div></body></html>'
    )


def _whole(text: str) -> str:
    return text.encode("utf-8", "replace").decode()  # half a character cannot be sent
