"""What a MySQL server sends for a statement, as Arrow, with types that carry it exactly.

The server sends text, which Arrow itself reads, a column at a time; Python looks at no value.
What Arrow cannot hold is text (DECIMAL of more than 38 digits, TIME) or NULL (a date without a
day): docs/connectors.md tells it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from connectors._my_errors import asking

if TYPE_CHECKING:
    import pyarrow as pa

_ROWS = 20_480
_BYTES = 8 * 2**20
"""What a batch holds at most, after a first and small one has told how wide rows are."""

_BINARY = 63  # the number of the character set of what is no text
_UNSIGNED, _ENUM, _SET = 32, 256, 2048

# No date of a calendar, such as 0000-00-00 and 2026-00-00.
_NO_DATE = r"^\d+-(?:00|\d+-00)"


def to_arrow(session: Any, sql: str) -> pa.RecordBatchReader:
    """Run a statement and return its rows as they arrive; a row of text where it gives none.

    Raises QueryError. The session must not be used until the rows have been read.
    """
    import pyarrow as pa

    with asking(sql):
        session.query(sql, unbuffered=True)
    result = session._result
    if result.description is None:
        said = result.message.decode(errors="replace") if result.message else ""
        told = f"{result.affected_rows} rows affected{'. ' if said else ''}{said}"
        return pa.table({"status": [told]}).to_reader()
    schema = pa.schema([pa.field(each.name, _type(each)) for each in result.fields])
    return pa.RecordBatchReader.from_batches(schema, _batches(result, schema, sql))


def _batches(result: Any, schema: pa.Schema, sql: str) -> Iterator[pa.RecordBatch]:
    import pyarrow as pa

    most = 256
    try:
        while True:
            with asking(sql):
                rows = _rows(result, most)
            if not rows:
                return
            columns = zip(*rows, strict=True)
            batch = pa.RecordBatch.from_arrays(
                [_column(cells, each) for cells, each in zip(columns, schema, strict=True)],
                schema=schema,
            )
            most = max(1, min(_ROWS, _BYTES * batch.num_rows // max(batch.nbytes, 1)))
            yield batch
    finally:
        result.unbuffered_active = False  # or the driver would read all that has not arrived


def _rows(result: Any, most: int) -> list[tuple[bytes | None, ...]]:
    rows = []
    for _ in range(most):
        row = result._read_rowdata_packet_unbuffered()
        if row is None:
            break
        rows.append(row)
    return rows


def _type(field: Any) -> pa.DataType:
    import pyarrow as pa
    from pymysql.constants import FIELD_TYPE as T

    unsigned = field.flags & _UNSIGNED
    sizes = {T.TINY: 8, T.SHORT: 16, T.INT24: 32, T.LONG: 32, T.LONGLONG: 64}
    if field.type_code in sizes:
        name = f"{'u' if unsigned else ''}int{sizes[field.type_code]}"
        return getattr(pa, name)()
    if field.type_code in (T.DECIMAL, T.NEWDECIMAL):
        return _decimal(field.length - (field.scale > 0) - (not unsigned), field)
    if field.type_code in _texts():
        choice = field.flags & (_ENUM | _SET)
        return pa.binary() if field.charsetnr == _BINARY and not choice else pa.string()
    others = {
        T.YEAR: pa.int32(),
        T.FLOAT: pa.float32(),
        T.DOUBLE: pa.float64(),
        T.DATE: pa.date32(),
        T.NEWDATE: pa.date32(),
        T.DATETIME: pa.timestamp("us"),
        T.TIMESTAMP: pa.timestamp("us", "UTC"),
        T.BIT: pa.bool_() if field.length == 1 else pa.binary(),
        T.GEOMETRY: pa.binary(),
        _VECTOR: pa.binary(),
    }
    return others.get(field.type_code, pa.string())


_VECTOR = 242


def _texts() -> tuple[int, ...]:
    """Name the types of texts and of bytes: only their character sets tell them apart."""
    from pymysql.constants import FIELD_TYPE as T

    blobs = (T.TINY_BLOB, T.BLOB, T.MEDIUM_BLOB, T.LONG_BLOB)
    return (T.STRING, T.VAR_STRING, T.VARCHAR, *blobs)


def _decimal(digits: int, field: Any) -> pa.DataType:
    import pyarrow as pa

    if digits <= 38:
        return pa.decimal128(max(digits, 1), field.scale)
    # The sum of a BIGINT is declared with 41 digits and has far fewer; one that does not fit is
    # refused. A column's own declaration is taken at its word.
    return pa.string() if field.org_table else pa.decimal128(38, field.scale)


def _column(cells: tuple[bytes | None, ...], field: pa.Field) -> pa.Array:
    import pyarrow as pa
    import pyarrow.compute as pc

    found = pa.array(cells, pa.binary())
    if pa.types.is_binary(field.type):
        return found
    if pa.types.is_boolean(field.type):
        return pc.not_equal(found, pa.scalar(b"\0"))
    texts = found.cast(pa.string())
    if pa.types.is_temporal(field.type):
        texts = pc.if_else(pc.match_substring_regex(texts, _NO_DATE), None, texts)
        if pa.types.is_timestamp(field.type):  # the server's text says no zone: it is UTC
            texts = texts.cast(pa.timestamp("us"))
    if pa.types.is_decimal(field.type):
        # Arrow takes text of more than 38 digits for another number, without a word; a server
        # has 65 digits at most.
        texts = texts.cast(pa.decimal256(76, field.type.scale))
    return texts.cast(field.type)
