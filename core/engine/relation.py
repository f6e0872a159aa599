"""Questions put to a kept result: the relation `result` with columns c0, c1, ... and `__row`.

Columns go by position, because names may be repeated, empty or quoted. A question is one SELECT
that begins with that word: the worker puts the relation before it as a common table expression.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Literal

Family = Literal["integer", "number", "boolean", "date", "timestamp", "time", "text", "other"]

_FAMILIES: dict[str, Family] = {
    **dict.fromkeys(("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "BIGNUM"), "integer"),
    **dict.fromkeys(("UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "UHUGEINT"), "integer"),
    **dict.fromkeys(("FLOAT", "DOUBLE", "DECIMAL"), "number"),
    **dict.fromkeys(("VARCHAR", "ENUM", "UUID", "JSON"), "text"),
    **dict.fromkeys(("TIMESTAMP", "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS"), "timestamp"),
    "TIMESTAMP WITH TIME ZONE": "timestamp",
    "BOOLEAN": "boolean",
    "DATE": "date",
    "TIME": "time",
}


@dataclass(frozen=True)
class Query:
    """One question: SQL over `result`, and the values of its parameters by name."""

    sql: str
    params: Mapping[str, Any] = field(default_factory=dict)


@lru_cache(maxsize=10_000)
def family(column_type: str) -> Family:
    """Sort a DuckDB type into a family; intervals, blobs, bits and nested types are `other`."""
    if column_type.endswith("]"):
        return "other"
    return _FAMILIES.get(column_type.partition("(")[0].strip(), "other")


def text_of(position: int) -> str:
    """Return the SQL of a column as the text that a person sees."""
    return f"CAST(c{position} AS VARCHAR)"
