"""Values of `$parameters` as people write them in a field, and how a field shows them.

Numbers are those of SQL, and keep every digit or stay text. Nothing here is ever refused.
"""

from __future__ import annotations

import math
import re
from decimal import Decimal
from typing import Any

_WORDS: dict[str, Any] = {"true": True, "false": False, "null": None}
_QUOTED = re.compile(r"'(?:[^']|'')*'")
# Python's own int() and float() also take 1_000, nan, inf and the digits of every script.
_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?P<exponent>[eE][+-]?[0-9]+)?")
_DIGITS = 38
"""As many as a DECIMAL holds; DuckDB makes a DOUBLE of more, which has 17 of them right."""
_HUGE = 2**127
"""The first integer that is no HUGEINT."""


def typed(text: str) -> Any:
    """Read a value as people write it: 12, 1.5, true, null, 'quoted text', else the text."""
    plain = text.strip()
    if plain.lower() in _WORDS:
        return _WORDS[plain.lower()]
    if _QUOTED.fullmatch(plain):
        return plain[1:-1].replace("''", "'")
    number = _number(plain)
    return text if number is None else number


def _number(plain: str) -> int | float | Decimal | None:
    """Read a number as SQL does; None for what is none, or has too many digits to be kept."""
    match = _NUMBER.fullmatch(plain)
    if match is None:
        return None
    near = float(plain)
    if match["exponent"]:
        return near if math.isfinite(near) else None
    exact = Decimal(plain)
    if "." not in plain:
        return int(exact) if -_HUGE <= exact < _HUGE else None
    if Decimal(repr(near)) == exact:
        return near
    return exact if len(plain.lstrip("+-0")) <= _DIGITS + len(".") else None


def written(value: Any) -> str:
    """Write a value so that `typed` reads it as it is; lists and dates come out as their text."""
    match value:
        case None:
            return "null"
        case bool():
            return str(value).lower()
        case str():
            same = typed(value)
            return value if same is value else "'" + value.replace("'", "''") + "'"
    return str(value)
