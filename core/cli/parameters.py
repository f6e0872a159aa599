"""Values of `$parameters` as they are written in a shell."""

from __future__ import annotations

import re
from collections.abc import Iterable

import click

Value = str | int | float | bool | None

_WORDS: dict[str, Value] = {"true": True, "false": False, "null": None}
# 007 is a code and not the number 7; SQL casts text to what it needs, dates for one.
_INTEGER = re.compile(r"[+-]?(0|[1-9]\d*)")
_NUMBER = re.compile(r"[+-]?(0|[1-9]\d*)?\.?\d+([eE][+-]?\d+)?")


def parse_assignments(assignments: Iterable[str]) -> dict[str, Value]:
    """Read `name=value` pairs. Raises click.UsageError for no pair, or a name given twice."""
    params: dict[str, Value] = {}
    for assignment in assignments:
        name, equals, text = assignment.partition("=")
        name = name.removeprefix("$")
        if not equals or not name.isidentifier():
            raise click.UsageError(f"--param {assignment!r} is not NAME=VALUE.")
        if name in params:
            raise click.UsageError(f"--param {name} is given twice.")
        params[name] = parse_value(text)
    return params


def parse_value(text: str) -> Value:
    """Read a number, true, false or null; everything else is text as it stands."""
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text):
        return int(text)
    if _NUMBER.fullmatch(text) and not re.match(r"[+-]?0\d", text):
        return float(text)
    return text
