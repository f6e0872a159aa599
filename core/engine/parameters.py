"""Values of `$parameters` on their way to the worker: JSON, with a tag for what JSON lacks."""

from __future__ import annotations

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
    "bytes": bytes.fromhex,
}
_DEEPEST = 50
"""Lists within lists; Python's own end comes at a few hundred, as an error nobody can act on."""


def to_json(params: Mapping[str, Any]) -> dict[str, Any]:
    """Make the values JSON. Raises InvalidInput for a value that cannot be bound."""
    return {name: _value_to_json(name, value) for name, value in params.items()}


def _value_to_json(name: str, value: Any, depth: int = 0) -> Any:
    if depth > _DEEPEST:
        raise InvalidInput(f"The value of ${name} holds lists more than {_DEEPEST} deep.")
    match value:
        case None | bool() | int() | float() | str():
            return value
        case datetime():
            return {"$": "datetime", "value": value.isoformat()}
        case date():
            return {"$": "date", "value": value.isoformat()}
        case time():
            return {"$": "time", "value": value.isoformat()}
        case Decimal():
            return {"$": "decimal", "value": str(value)}
        case bytes():
            return {"$": "bytes", "value": value.hex()}
        case list() | tuple():
            return [_value_to_json(name, each, depth + 1) for each in value]
    raise InvalidInput(
        f"The value of ${name} is a {type(value).__name__}, which SQL cannot take.",
        hint="Give text, a number, true or false, a date, a time, a list of these, or null.",
    )


def from_json(params: Mapping[str, Any]) -> dict[str, Any]:
    """Undo `to_json`."""
    return {name: _value_from_json(value) for name, value in params.items()}


def _value_from_json(value: Any) -> Any:
    if isinstance(value, list):
        return [_value_from_json(each) for each in value]
    if isinstance(value, dict):
        return _PARSERS[value["$"]](value["value"])
    return value
