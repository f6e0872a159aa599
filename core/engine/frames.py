"""Arrow to polars, without the values that one of them can hold and nobody can read.

DuckDB knows infinity, 24:00 and years beyond 9999; Python's types do not, and polars panics when it
is asked for such a value. A column that holds one is text on that page, as DuckDB writes it.
"""

from __future__ import annotations

import polars as pl
import pyarrow as pa

_DAY = 86_400
_FIRST, _LAST = -719_162 * _DAY, 2_932_897 * _DAY  # 0001-01-01 and 10000-01-01, s from 1970
_DIGITS = 10**38
_TICKS = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}


def frame_of(table: pa.Table) -> pl.DataFrame:
    """Return the table as a frame of the same names."""
    columns = [_readable(table.column(at), field) for at, field in enumerate(table.schema)]
    names = [str(at) for at in range(len(columns))]  # polars refuses names that are repeated
    frame = pl.from_arrow(pa.Table.from_arrays(columns, names=names))
    assert isinstance(frame, pl.DataFrame)
    frame.columns = table.column_names
    return frame


def read_frame(stream: bytes) -> pl.DataFrame:
    """Return an Arrow stream's rows as `frame_of` does."""
    return frame_of(pa.ipc.open_stream(stream).read_all())


def _readable(column: pa.ChunkedArray, field: pa.Field) -> pa.ChunkedArray:
    kind = field.type
    if pa.types.is_date32(kind):
        return _texted(column, column.cast(pa.int32()), 1, days=True)
    if pa.types.is_decimal(kind) and kind.precision == 38 and kind.scale == 0:
        values = column.to_pylist()  # a HUGEINT may have 39 digits, and polars would round it
        if any(value is not None and abs(int(value)) >= _DIGITS for value in values):
            return pa.chunked_array(
                [pa.array([None if value is None else str(value) for value in values])]
            )
    if pa.types.is_timestamp(kind):
        return _texted(column, column.cast(pa.int64()), _TICKS[kind.unit])
    if pa.types.is_time64(kind):
        ticks = column.cast(pa.int64()).to_pylist()
        if any(each is not None and each >= _DAY * _TICKS[kind.unit] for each in ticks):
            unit = _TICKS[kind.unit]
            return pa.chunked_array([[None if t is None else _clock(t, unit) for t in ticks]])
    return column


def _texted(
    column: pa.ChunkedArray, numbers: pa.ChunkedArray, unit: int, *, days: bool = False
) -> pa.ChunkedArray:
    """Return the column as it is, or as text where a value is beyond what Python can hold."""
    scale = _DAY if days else 1
    first, last = _FIRST // scale * unit, _LAST // scale * unit
    values = numbers.to_pylist()
    finer = 1000 if unit == _TICKS["ns"] else 1  # Python knows no nanoseconds
    if all(value is None or (first <= value < last and value % finer == 0) for value in values):
        return column
    zone = "" if days or column.type.tz is None else "+00"
    texts = [None if value is None else _moment(value, unit, zone, days=days) for value in values]
    return pa.chunked_array([pa.array(texts, pa.string())])


def _moment(value: int, unit: int, zone: str, *, days: bool) -> str:
    end = 2**31 - 1 if days else 2**63 - 1
    if abs(value) == end:
        return "infinity" if value > 0 else "-infinity"
    day, rest = (value, 0) if days else divmod(value, _DAY * unit)
    year, month, of_month = _civil(day)
    era = "" if year > 0 else " (BC)"
    text = f"{year if year > 0 else 1 - year:04}-{month:02}-{of_month:02}"
    return text + era if days else f"{text}{era} {_clock(rest, unit)}{zone}"


def _clock(ticks: int, unit: int) -> str:
    seconds, part = divmod(ticks, unit)
    text = f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    digits = len(str(unit)) - 1
    return f"{text}.{part:0{digits}}".rstrip("0") if part else text


def _civil(day: int) -> tuple[int, int, int]:
    """Return year, month and day of the Gregorian calendar, for any day from 1970-01-01.

    Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", civil_from_days.
    """
    era, of_era = divmod(day + 719_468, 146_097)
    year = (of_era - of_era // 1460 + of_era // 36_524 - of_era // 146_096) // 365
    of_year = of_era - (365 * year + year // 4 - year // 100)
    shifted = (5 * of_year + 2) // 153
    month = shifted + 3 if shifted < 10 else shifted - 9
    return year + era * 400 + (month <= 2), month, of_year - (153 * shifted + 2) // 5 + 1
