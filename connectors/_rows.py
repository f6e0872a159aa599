"""Rows of Python values, as database drivers give them, as Arrow: exactly, or not at all.

A column's type is what its first rows hold, because each driver describes types in a way of its
own. What has no exact type in Arrow, or is of several, becomes text. A later value that does not
fit what was decided is an error that names the column, never a value changed in silence.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import UUID

from core.errors import QueryError

if TYPE_CHECKING:
    import pyarrow as pa

FIRST_ROWS = 20_480
"""How many rows decide on the types, and how many a batch has."""

_DIGITS = 38
_DOUBLE_EXACT = 2**53

Values = Sequence[Any]
Fetch = Callable[[int], Sequence[Sequence[Any]]]


@dataclass(frozen=True)
class _Decided:
    """What a column is from now on: `accepts` are the Python types it takes; none takes all."""

    name: str
    type: pa.DataType
    accepts: frozenset[type] = frozenset()
    aware: bool = False

    def array(self, values: Values) -> pa.Array:
        """Return a batch of the column. Raises QueryError for a value that does not fit."""
        import pyarrow as pa

        if not self.accepts:
            return pa.array([_text(each) for each in values], self.type)
        if _kinds(values) - self.accepts or (
            datetime in self.accepts and not self._in_zone(values)
        ):
            raise self._misfit()
        try:
            return pa.array(values, self.type)
        except (pa.ArrowException, OverflowError, TypeError, ValueError) as error:
            raise self._misfit() from error

    def _in_zone(self, values: Values) -> bool:
        return all(each is None or (each.tzinfo is not None) == self.aware for each in values)

    def _misfit(self) -> QueryError:
        return QueryError(
            f"Column {self.name} holds a value that is not a {self.type}, as its first "
            f"{FIRST_ROWS:,} rows are.",
            hint="Cast the column in the query: to text, or to a type that all its values have.",
        )


def arrow(
    names: Sequence[str], scales: Sequence[int | None], fetch: Fetch, raised: list[Exception]
) -> pa.RecordBatchReader:
    """Return what `fetch(rows)` gives, until it gives nothing, as a stream.

    `scales` are the digits behind the point where the driver tells them. What goes wrong in the
    middle of the stream is also put into `raised`: a reader of it gets a traceback as text.
    """
    import pyarrow as pa

    first = fetch(FIRST_ROWS)
    columns = [*zip(*first, strict=True)] or [()] * len(names)
    decided = [_decide(*each) for each in zip(unique(names), columns, scales, strict=True)]
    schema = pa.schema([(each.name, each.type) for each in decided])

    def batches() -> Iterator[pa.RecordBatch]:
        rows = first
        try:
            while rows:
                values = zip(*rows, strict=True)
                arrays = [each.array(one) for each, one in zip(decided, values, strict=True)]
                yield pa.RecordBatch.from_arrays(arrays, schema=schema)
                rows = fetch(FIRST_ROWS)
        except Exception as error:
            raised.append(error)
            raise

    return pa.RecordBatchReader.from_batches(schema, batches())


@contextmanager
def told(
    raised: Sequence[Exception], translated: Callable[[], AbstractContextManager[None]]
) -> Iterator[None]:
    """Raise what a stream put into `raised`, translated: else it is a text with a traceback."""
    try:
        yield
    except Exception as error:
        if raised:
            with translated():
                raise raised[0] from error
        raise


def unique(names: Sequence[str]) -> list[str]:
    """Return the names with a number after each that was there before: a table has each once."""
    taken: set[str] = set()
    found = []
    for name in names:
        free, count = name, 0
        while free.lower() in taken:
            count += 1
            free = f"{name}_{count}"
        taken.add(free.lower())
        found.append(free)
    return found


def _decide(name: str, values: Values, scale: int | None) -> _Decided:
    import pyarrow as pa

    kinds = _kinds(values)
    found, aware = None, False
    plain: dict[frozenset[type], pa.DataType] = {
        frozenset({bool}): pa.bool_(),
        frozenset({float}): pa.float64(),
        frozenset({date}): pa.date32(),
        frozenset({timedelta}): pa.duration("us"),
        frozenset({UUID}): pa.uuid(),
    }
    if kinds == {int}:
        found = _whole(values)
    elif kinds == {int, float}:
        whole = (each for each in values if type(each) is int)
        found = pa.float64() if all(abs(each) <= _DOUBLE_EXACT for each in whole) else None
    elif kinds and kinds <= {Decimal, int}:
        found, kinds = _decimal(values, scale), {Decimal, int}
    elif kinds and kinds <= {bytes, bytearray, memoryview}:
        found, kinds = pa.binary(), {bytes, bytearray, memoryview}
    elif kinds == {datetime}:
        zones = {each.tzinfo is not None for each in values if each is not None}
        aware = True in zones
        found = pa.timestamp("us", "UTC" if aware else None) if len(zones) == 1 else None
    elif kinds == {time}:
        naive = all(each is None or each.tzinfo is None for each in values)
        found = pa.time64("us") if naive else None
    else:
        found = plain.get(frozenset(kinds))
    if found is None:
        return _Decided(name, pa.string())
    return _Decided(name, found, frozenset(kinds), aware)


def _kinds(values: Values) -> set[type]:
    return {*map(type, values)} - {type(None)}


def _whole(values: Values) -> pa.DataType | None:
    import pyarrow as pa

    numbers = [each for each in values if each is not None]
    low, high = min(numbers), max(numbers)
    if low >= -(2**63) and high < 2**63:
        return pa.int64()
    if low >= 0 and high < 2**64:
        return pa.uint64()
    return pa.decimal128(_DIGITS, 0) if max(-low, high) < 10**_DIGITS else None


def _decimal(values: Values, scale: int | None) -> pa.DataType | None:
    """Return the type that holds all of them with as many digits behind the point as any has."""
    import pyarrow as pa

    numbers = [Decimal(each) for each in values if each is not None]
    if not all(each.is_finite() for each in numbers):
        return None
    behind = max(0, scale or 0, *(-int(each.as_tuple().exponent) for each in numbers))
    before = max(each.adjusted() + 1 for each in numbers)
    return pa.decimal128(_DIGITS, behind) if max(before, 0) + behind <= _DIGITS else None


def _text(value: Any) -> str | None:
    """Return how a value reads: JSON for what is nested, hexadecimal for bytes."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (bytes, bytearray, memoryview)):
        return "\\x" + bytes(value).hex()
    if isinstance(value, (dict, list, tuple)):
        return json.dumps(value, ensure_ascii=False, default=_text)
    return str(value)
