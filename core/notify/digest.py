"""One message out of many: what a channel says when too many wait for it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from core.channel import Message, Severity

FLOOD = 20
"""More messages than these, waiting for one channel, become one."""

_LISTED = 200
_WORST: tuple[Severity, ...] = ("critical", "warning", "info", "over")


def digest(messages: Sequence[Message], now: datetime) -> Message:
    """Return one message that lists the others, as bad as the worst of them."""
    lines = [f"{each.when:%Y-%m-%d %H:%M} UTC  {each.headline}" for each in messages[:_LISTED]]
    if len(messages) > _LISTED:
        lines.append(f"and {len(messages) - _LISTED:,} more")
    found = {each.severity for each in messages}
    worst = next(each for each in _WORST if each in found)
    return Message(f"{len(messages):,} messages", "\n".join(lines), worst, when=now)
