"""One condition on one column of a kept result, from what a person typed to SQL.

A value that cannot be of the column's type is refused here, in words, wherever Python can tell;
else the engine's own conversion error is. It is never taken for "no rows match".
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal, InvalidOperation
from typing import Any, Literal, get_args
from uuid import UUID

from core.engine.relation import family, text_of
from core.engine.results import Column
from core.errors import InvalidInput

Op = Literal["contains", "=", "!=", "<", "<=", ">", ">=", "is null", "is not null"]
OPS: tuple[str, ...] = get_args(Op)

MOST = 50
_ORDERED = ("<", "<=", ">", ">=")
# Only the engine knows how their values are written.
_ENGINE_ONLY = ("INTERVAL", "BIT", "TIME WITH TIME ZONE")
_BITS = {"TINYINT": 8, "SMALLINT": 16, "INTEGER": 32, "BIGINT": 64, "HUGEINT": 128}
_FLOAT_MAX = Decimal("3.4e38")
_WORDS = {"true": "true", "t": "true", "yes": "true", "1": "true"}
_WORDS |= {"false": "false", "f": "false", "no": "false", "0": "false"}


@dataclass(frozen=True)
class Filter:
    """Keep the rows where a column, by position from 0, is so; None is any column.

    `!=` keeps rows without a value as well: they do not have that value.
    """

    column: int | None
    op: Op
    value: str | None = None


def condition(columns: Sequence[Column], each: Filter, name: str) -> tuple[str, dict[str, str]]:
    """Compose the condition of a filter, whose value is bound as `$name`.

    Raises InvalidInput for a column that is not there, an operator that its type does not have,
    and a value that its type cannot hold.
    """
    if each.op not in OPS:
        raise InvalidInput(f"{each.op!r} is not a comparison.", hint=f"Use {', '.join(OPS)}.")
    if each.op.startswith("is "):
        null = each.op.upper()
        return " OR ".join(f"c{at} {null}" for at in _positions(columns, each)) or "FALSE", {}
    if each.value is None:
        raise InvalidInput(f"The filter {each.op!r} needs a value.")
    params = {name: each.value}
    if each.op == "contains":
        texts = [text_of(at) for at in _positions(columns, each)]
        sql = " OR ".join(f"contains(lower({text}), lower(${name}))" for text in texts)
        return sql or "FALSE", params
    if each.column is None:
        return _any_equal(columns, each, name)
    (at,) = _positions(columns, each)
    operator = "IS DISTINCT FROM" if each.op == "!=" else each.op
    left, right, value = _sides(columns[at], at, each.op, each.value, name)
    return f"{left} {operator} {right}", {name: value}


def parse_filters(text: str) -> tuple[Filter, ...]:
    """Read filters from JSON: `[{"column": 2, "op": ">", "value": "3"}]`.

    Raises InvalidInput for anything else.
    """
    try:
        given = json.loads(text) if text.strip() else []
    except (ValueError, RecursionError) as error:
        raise InvalidInput("The filters are not JSON.", hint=parse_filters.__doc__ or "") from error
    if not isinstance(given, list) or len(given) > MOST:
        raise InvalidInput(f"The filters are not a list of at most {MOST}.")
    return tuple(_parsed(each) for each in given)


def _parsed(each: Any) -> Filter:
    if not isinstance(each, dict) or not set(each) <= {"column", "op", "value"}:
        raise InvalidInput(f"{each!r} is not a filter.", hint="Give column, op and value.")
    column, op, value = each.get("column"), each.get("op"), each.get("value")
    if column is not None and (not isinstance(column, int) or isinstance(column, bool)):
        raise InvalidInput(f"{column!r} is not a column's position.", hint="The first is 0.")
    if op not in OPS:
        raise InvalidInput(f"{op!r} is not a comparison.", hint=f"Use {', '.join(OPS)}.")
    if isinstance(value, bool | int | float):
        value = json.dumps(value)
    if value is not None and not isinstance(value, str):
        raise InvalidInput(f"{value!r} is not a value to compare with.", hint="Give a text.")
    return Filter(column, op, value)


def _positions(columns: Sequence[Column], each: Filter) -> list[int]:
    if each.column is None:
        return list(range(len(columns)))
    return [check_position(columns, each.column)]


def check_position(columns: Sequence[Column], position: int) -> int:
    """Return the position if there is such a column. Raises InvalidInput if not."""
    if not 0 <= position < len(columns):
        raise InvalidInput(
            f"There is no column {position}.", hint=f"The result has {len(columns)}, from 0."
        )
    return position


def _any_equal(columns: Sequence[Column], each: Filter, name: str) -> tuple[str, dict[str, str]]:
    """Compare with each column that can hold the value: 5 is 5.0 in one and '5' in another."""
    if each.op != "=":
        raise InvalidInput(f"Choose a column to compare with {each.op}.")
    parts: list[str] = []
    params: dict[str, str] = {}
    for at, column in enumerate(columns):
        try:
            sides = _sides(column, at, "=", each.value or "", f"{name}_{at}")
        except InvalidInput:
            continue
        parts.append(f"{sides[0]} = {sides[1]}")
        params[f"{name}_{at}"] = sides[2]
    return " OR ".join(parts) or "FALSE", params


def _sides(column: Column, at: int, op: str, value: str, name: str) -> tuple[str, str, str]:
    """Return the SQL of both sides, and the value to bind."""
    kind = family(column.type)
    if column.type == "UUID":
        value = str(_read(UUID, value, "a UUID", column))
    elif column.type in ("VARCHAR", "JSON") or (
        op not in _ORDERED and kind in ("text", "other") and column.type not in _ENGINE_ONLY
    ):
        return text_of(at), f"${name}", value
    elif kind == "other" and column.type not in _ENGINE_ONLY:
        raise InvalidInput(
            f"{column.type} has no order to filter by.", hint="Use contains, = or is null."
        )
    compared_as, value = _typed(column, kind, value)
    return f"c{at}", f"CAST(${name} AS {compared_as})", value


def _typed(column: Column, kind: str, value: str) -> tuple[str, str]:
    """Return the type to compare as, and the value as DuckDB reads it."""
    given = value.strip()
    if kind in ("integer", "number"):
        return _numeric(column, given)
    if kind == "boolean":
        if given.lower() not in _WORDS:
            raise InvalidInput(f"{value!r} is neither true nor false.")
        return "BOOLEAN", _WORDS[given.lower()]
    if kind == "date":
        day = _read(datetime.fromisoformat, given, "a date", column)
        whole = day.time() == time() and day.tzinfo is None
        return ("DATE", date.isoformat(day)) if whole else ("TIMESTAMP", day.isoformat(" "))
    if kind == "timestamp":
        return column.type, _read(datetime.fromisoformat, given, "a time", column).isoformat(" ")
    if kind == "time":
        return "TIME", _read(time.fromisoformat, given, "a time of day", column).isoformat()
    return column.type, value


def _numeric(column: Column, given: str) -> tuple[str, str]:
    """Choose a type that holds both sides, the column's own if it can: that one is pushed down."""
    number = _read(Decimal, given, "a number", column)
    base = column.type.partition("(")[0]
    if base == "FLOAT" and not abs(number) > _FLOAT_MAX:
        return base, repr(float(number))  # as a double, 0.1 is not the float 0.1
    if base == "DECIMAL" and number.is_finite() and _fits_decimal(column.type, number):
        return column.type, str(number)
    whole = number.is_finite() and abs(number) < 2**128 and number == number.to_integral_value()
    if family(column.type) == "number" or not whole:
        return "DOUBLE", repr(float(number))
    return _integer_type(base, int(number)), str(int(number))


def _integer_type(base: str, number: int) -> str:
    if base == "BIGNUM":
        return base
    bits = _BITS[base.removeprefix("U")]
    low, high = (0, 2**bits) if base.startswith("U") else (-(2 ** (bits - 1)), 2 ** (bits - 1))
    if low <= number < high:
        return base
    return "HUGEINT" if abs(number) < 2**127 and base != "UHUGEINT" else "DOUBLE"


def _fits_decimal(decimal: str, number: Decimal) -> bool:
    width, scale = (int(part) for part in decimal.partition("(")[2].rstrip(")").split(","))
    exponent = number.normalize().as_tuple().exponent
    return isinstance(exponent, int) and -exponent <= scale and number.adjusted() < width - scale


def _read(parse: Any, given: str, what: str, column: Column) -> Any:
    try:
        return parse(given)
    except (ValueError, InvalidOperation) as error:
        raise InvalidInput(
            f"{given!r} is not {what}, and {column.name!r} holds {column.type}.",
            hint="Use contains to search in what is shown.",
        ) from error
