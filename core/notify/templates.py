"""Templates of messages: `$title`, `$text`, `$severity`, `$link`, `$when`, and the facts.

`string.Template` puts values in and runs nothing. A name that a message has no value for stays as
it is written: a message with a flaw says more than none.
"""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime
from string import Template

from core.channel import Message
from core.errors import InvalidInput

EXAMPLE = Message(
    "Too few orders",
    "12 orders since midnight; 100 or more are usual.",
    "warning",
    "https://millpond.example.org/metrics",
    (("orders", "12"), ("Since", "midnight")),
    when=datetime(2026, 3, 1, 9, 30, tzinfo=UTC),
)
"""What a preview shows, and a test sends."""


def checked(template: str, what: str) -> str:
    """Return a template that can be filled in. Raises InvalidInput."""
    if not Template(template).is_valid():
        raise InvalidInput(
            f"The template of the {what} has a $ that begins no name.",
            hint="Write $title, ${title}s, or $$ for the sign itself.",
        )
    return template


def filled(message: Message, title: str, text: str) -> Message:
    """Return the message with its title and text as the templates say; empty ones change nothing.

    A fact is named in lower case, with `_` for each other sign: `$free_space` for "Free space".
    """
    values = {_name(name): value for name, value in message.facts}
    values |= {
        "title": message.title,
        "text": message.text,
        "severity": message.severity,
        "link": message.link,
        "when": f"{message.when:%Y-%m-%d %H:%M} UTC",
    }
    return replace(
        message,
        title=Template(title).safe_substitute(values) if title else message.title,
        text=Template(text).safe_substitute(values) if text else message.text,
    )


def _name(fact: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", fact.lower()).strip("_")
