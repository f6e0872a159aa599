"""What a run came to, as JSON that every store keeps and every reader takes.

A kind returns what its author takes for JSON, and the work is done by then. So nothing here raises:
what does not fit is told as text, and too much of it is left out, rather than that work which was
done is done again.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

from core.redaction import redact

_MOST = 5000  # values in all
_DEEPEST = 20
_WIDEST = 10_000  # characters of a text
_LEFT_OUT = "…"


def plain_outcome(outcome: object) -> dict[str, Any] | None:
    """Return an outcome as plain JSON values, without known secrets; None stays None."""
    if outcome is None:
        return None
    whole = _Reading().value(outcome, 0)
    return whole if isinstance(whole, dict) else {"outcome": whole}


class _Reading:
    """Reads one outcome; counts, because one that holds itself has no end."""

    def __init__(self) -> None:
        self._left = _MOST

    def value(self, value: object, depth: int) -> Any:
        self._left -= 1
        if self._left < 0 or depth > _DEEPEST:
            return _LEFT_OUT
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, int) and abs(value) < 2**63:
            return int(value)
        if isinstance(value, float) and math.isfinite(value):
            return float(value)
        try:
            if isinstance(value, Mapping):
                return {
                    _text(name)[:200]: self.value(each, depth + 1)
                    for name, each in self._some(value.items())
                }
            if isinstance(value, list | tuple | set | frozenset):
                return [self.value(each, depth + 1) for each in self._some(value)]
        except Exception:  # somebody else's class, or one that is changed meanwhile
            return _text(type(value).__name__)
        return _text(value)

    def _some(self, values: Iterable[Any]) -> Iterator[Any]:
        return islice(values, max(0, self._left))


def _text(value: object) -> str:
    try:
        text = value if isinstance(value, str) else str(value)
        return redact(text)[:_WIDEST]
    except Exception:  # it cannot even be printed
        return type(value).__name__
