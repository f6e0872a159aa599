"""Pieces of SQL that name tables and call table functions, with every value quoted."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from core.connector import literal, quoted

if TYPE_CHECKING:
    import duckdb


def named(con: duckdb.DuckDBPyConnection, *parts: str) -> str:
    """Write a table's name as one would type it: parts with dots, quoted only where needed."""
    reserved = "SELECT keyword_name FROM duckdb_keywords() WHERE keyword_category != 'unreserved'"
    words = {str(row[0]) for row in con.execute(reserved).fetchall()}
    return ".".join(
        part if re.fullmatch("[a-z_][a-z0-9_]*", part) and part not in words else quoted(part)
        for part in parts
    )


def call(function: str, target: str | list[str], arguments: Mapping[str, object]) -> str:
    """Write `SELECT * FROM function('target', name = value, ...)`."""
    rest = "".join(f", {name} = {_value(value)}" for name, value in arguments.items())
    return f"SELECT * FROM {function}({_value(target)}{rest})"


def _value(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{literal(k)}: {_value(v)}" for k, v in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(_value(each) for each in value) + "]"
    return literal(value) if isinstance(value, str) else str(value)
