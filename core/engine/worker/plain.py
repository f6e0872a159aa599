"""Make Arrow batches that every reader understands: what Arrow or polars lacks becomes text.

DuckDB hands intervals, BIT, TIMETZ, UNION, UUID and the like over in forms of its own. Integers of
128 bits are read as decimals, which they are bit for bit; the rest becomes the text that DuckDB
itself prints for it. So do times inside lists and structures, whose ends (infinity, 24:00) no
reader takes. Columns are named by position, for names may be repeated or empty.
"""

from __future__ import annotations

import threading
from typing import Any

import duckdb
import pyarrow as pa

from core.connector import quoted

_PLAIN: tuple[str, ...] = (
    "TINYINT",
    "SMALLINT",
    "INTEGER",
    "BIGINT",
    "UTINYINT",
    "USMALLINT",
)
_PLAIN += ("UINTEGER", "UBIGINT", "FLOAT", "DOUBLE", "VARCHAR", "BLOB", "DATE", "TIME")
_PLAIN += ("TIMESTAMP", "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS", "TIMESTAMP WITH TIME ZONE")
_BYTES_OF_HUGEINT = 16


class Plainer:
    """Converts the batches of one result; `schema` is what they then look like."""

    def __init__(self, schema: pa.Schema, types: list[str], names: list[str] | None = None) -> None:
        """`types` are DuckDB's; `names` keeps names that are known to be good."""
        names = names or [f"c{at}" for at in range(len(types))]
        self._steps = [_step(field.type, name) for field, name in zip(schema, types, strict=True)]
        self._odd = [at for at, step in enumerate(self._steps) if step == "text"]
        self._wide = [at for at, step in enumerate(self._steps) if step == "decimal"]
        self._arrays = [at for at, step in enumerate(self._steps) if step == "list"]
        self._bools = [at for at, step in enumerate(self._steps) if step == "bool"]
        self.schema = pa.schema(
            (name, _plain_type(field.type, step))
            for name, field, step in zip(names, schema, self._steps, strict=True)
        )

    def empty(self) -> pa.RecordBatch:
        """Return a batch without rows."""
        return pa.RecordBatch.from_pylist([], schema=self.schema)

    def __call__(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Return the batch with plain columns (rows x columns unchanged)."""
        columns = batch.columns
        for at in self._wide:
            columns[at] = _as_decimal(columns[at])
        for at in self._arrays:
            columns[at] = columns[at].cast(self.schema.field(at).type)
        for at in self._bools:
            columns[at] = columns[at].storage.cast(pa.bool_())
        if not batch.num_rows:
            return self.empty()
        if self._odd:
            texts = _texts(batch, self._odd)
            for at, text in zip(self._odd, texts, strict=True):
                columns[at] = text
        return pa.RecordBatch.from_arrays(columns, schema=self.schema)


def _step(kind: pa.DataType, name: str) -> str:
    if name == "HUGEINT":
        return "decimal"
    if name == "BOOLEAN":  # a byte each, since bits would not be lossless
        return "bool" if isinstance(kind, pa.BaseExtensionType) else "keep"
    if name in _PLAIN or name.startswith("DECIMAL"):
        return "keep"
    if not pa.types.is_nested(kind):
        return "text"
    if pa.types.is_fixed_size_list(kind):  # polars refuses parts of some of them
        return "text" if _holds_odd(kind.value_type) else "list"
    return "text" if _holds_odd(kind) else "keep"


def _holds_odd(kind: pa.DataType) -> bool:
    if isinstance(kind, pa.BaseExtensionType) or pa.types.is_interval(kind):
        return True
    if pa.types.is_union(kind) or pa.types.is_dictionary(kind) or pa.types.is_temporal(kind):
        return True
    if pa.types.is_fixed_size_list(kind) or pa.types.is_map(kind):
        return True
    return any(_holds_odd(kind.field(at).type) for at in range(kind.num_fields))


def _plain_type(kind: pa.DataType, step: str) -> pa.DataType:
    if step == "list":
        return pa.list_(kind.value_type)
    plain = {"decimal": pa.decimal128(38, 0), "text": pa.string(), "bool": pa.bool_()}
    return plain.get(step, kind)


def _as_decimal(column: pa.Array) -> pa.Array:
    stored = column.storage
    # An offset counts values, and both layouts take 16 bytes a value.
    buffers = stored.buffers()
    return pa.Array.from_buffers(pa.decimal128(38, 0), len(stored), buffers, offset=stored.offset)


_CONVERTER = threading.local()


def _texts(batch: pa.RecordBatch, at: list[int]) -> list[pa.Array]:
    """Let a DuckDB instance of this thread's own print the values."""
    con: Any = getattr(_CONVERTER, "con", None)
    if con is None:
        con = _CONVERTER.con = duckdb.connect(":memory:", config={"threads": 1})
        con.execute("SET GLOBAL arrow_lossless_conversion = true")
    names = [f"c{each}" for each in at]
    fields = [batch.schema.field(each) for each in at]
    schema = pa.schema([field.with_name(name) for field, name in zip(fields, names, strict=True)])
    # A reader and not a table: scanning a table is not implemented for unions, and only fields
    # with their metadata tell that bytes are a GEOMETRY.
    odd = pa.RecordBatch.from_arrays([batch.column(each) for each in at], schema=schema)
    selected = ", ".join(f"CAST({quoted(name)} AS VARCHAR) AS {quoted(name)}" for name in names)
    con.register("odd", pa.RecordBatchReader.from_batches(schema, [odd]))
    try:
        table = con.execute(f"SELECT {selected} FROM odd").to_arrow_table()
    finally:
        con.unregister("odd")
    return [table.column(at).combine_chunks() for at in range(table.num_columns)]
