"""Values of `$parameters` on their way to the worker: JSON, with a tag for what JSON lacks."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

from core.errors import InvalidInput

_PARSERS: dict[str, Any] = {
    "date": date.fromisoformat,
    "datetime": datetime.fromisoformat,
    "time": time.fromisoformat,
    "decimal": Decimal,
    "float": float,
    "bytes": bytes.fromhex,
}
_INTEGERS = range(-(2**127), 2**128)
"""From the first HUGEINT to the last UHUGEINT."""
_DIGITS = 38
"""Of the longest DECIMAL."""
_DEEPEST = 50
"""Lists within lists; Python's own end comes at a few hundred, as an error nobody can act on."""


def to_json(params: Mapping[str, Any]) -> dict[str, Any]:
    """Make the values JSON. Raises InvalidInput for a value that cannot be bound."""
    return {name: _value_to_json(name, value) for name, value in params.items()}


def _value_to_json(name: str, value: Any, depth: int = 0) -> Any:
    if depth > _DEEPEST:
        raise InvalidInput(f"The value of ${name} holds lists more than {_DEEPEST} deep.")
    match value:
        case str() if not _is_unicode(value):
            raise InvalidInput(f"The value of ${name} is not valid Unicode text.")
        case int() if value not in _INTEGERS:
            raise _too_long(name)
        case float() if not math.isfinite(value):
            return {"$": "float", "value": str(value)}
        case None | bool() | int() | float() | str():
            return value
        case datetime():
            return {"$": "datetime", "value": value.isoformat()}
        case date():
            return {"$": "date", "value": value.isoformat()}
        case time():
            return {"$": "time", "value": value.isoformat()}
        case Decimal():
            return {"$": "decimal", "value": _digits(name, value)}
        case bytes():
            return {"$": "bytes", "value": value.hex()}
        case list() | tuple():
            return [_value_to_json(name, each, depth + 1) for each in value]
    raise InvalidInput(
        f"The value of ${name} is a {type(value).__name__}, which SQL cannot take.",
        hint="Give text, a number, true or false, a date, a time, a list of these, or null.",
    )


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _too_long(name: str) -> InvalidInput:
    return InvalidInput(
        f"The value of ${name} has more digits than a number in SQL.", hint="Give it as text."
    )


def _digits(name: str, value: Decimal) -> str:
    """Write a decimal, without a positive exponent: DuckDB would bind another number."""
    if value.is_finite() and value.adjusted() >= _DIGITS:
        raise _too_long(name)
    return f"{value:f}" if value.adjusted() > 0 else str(value)


def from_json(params: Mapping[str, Any]) -> dict[str, Any]:
    """Undo `to_json`. Raises InvalidInput for a tag that it does not write."""
    return {name: _value_from_json(name, value) for name, value in params.items()}


def _value_from_json(name: str, value: Any) -> Any:
    if isinstance(value, list):
        return [_value_from_json(name, each) for each in value]
    if isinstance(value, dict):
        try:
            return _PARSERS[value["$"]](value["value"])
        except (LookupError, TypeError, ValueError, ArithmeticError) as error:
            raise InvalidInput(
                f"The value of ${name} is an object that means nothing here.",
                hint=f'Objects are {{"$": kind, "value": text}} of a kind: {", ".join(_PARSERS)}.',
            ) from error
    return value
