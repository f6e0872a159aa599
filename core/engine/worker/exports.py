"""Write a result or a query to a file, by the worker itself and in bounded memory."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from core.connector import literal, quoted
from core.engine.parameters import from_json
from core.engine.worker.activity import Activity
from core.engine.worker.database import Database
from core.engine.worker.errors import translate
from core.engine.worker.over import Results, relation
from core.engine.worker.plain import Plainer
from core.errors import InvalidInput, LimitExceeded
from core.workers.child import Call

EXCEL_ROWS = 1_048_575

COPY_OPTIONS = {
    "csv": "FORMAT csv, HEADER",
    "json": "FORMAT json",
    "parquet": "FORMAT parquet, COMPRESSION zstd",
    "excel": "FORMAT xlsx, HEADER",
}


def export(database: Database, results: Results, activity: Activity, call: Call) -> None:
    """Answer op `export`: write the file, and return its size and rows.

    A file that could not be finished is removed.
    """
    args = call.args
    target = Path(args["path"])
    try:
        if "result" in args:
            rows = _export_result(database, results.table(call), activity, args)
        else:
            rows = _export_query(database, activity, args)
    except Exception as error:
        with suppress(FileNotFoundError):
            target.unlink()
        raise translate(error, args.get("sql", ""), database.readable) from error
    call.finish({"rows": rows, "bytes": target.stat().st_size})


def _export_result(
    database: Database, table: pa.Table, activity: Activity, args: dict[str, Any]
) -> int:
    """Export a kept result; `sql` selects from `result` what is wanted, in its order."""
    sql: str = args["sql"]
    named = ", ".join(f"c{at} AS {quoted(name)}" for at, name in enumerate(unique(args["names"])))
    with database.system() as cursor, activity.on(cursor):
        cursor.register("spool", table)
        try:
            source = f"WITH result AS ({relation(args['types'], table)}) "
            return _write(cursor, f"{source} SELECT {named} FROM ({sql}) AS chosen", args)
        finally:
            cursor.unregister("spool")


def _export_query(database: Database, activity: Activity, args: dict[str, Any]) -> int:
    lease = database.lease(args["session"])
    with lease.lock, activity.on(lease.cursor):
        return _write(lease.cursor, args["sql"], args)


def _write(cursor: duckdb.DuckDBPyConnection, sql: str, args: dict[str, Any]) -> int:
    params = from_json(args["params"]) or None
    write = _arrow if args["format"] == "arrow" else _copy
    return write(cursor, sql, params, args)


def _copy(cursor: duckdb.DuckDBPyConnection, sql: str, params: Any, args: dict[str, Any]) -> int:
    try:
        options = COPY_OPTIONS[args["format"]]
    except KeyError:
        raise InvalidInput(
            f"{args['format']!r} is not a format; choose one of "
            f"{', '.join(sorted([*COPY_OPTIONS, 'arrow']))}."
        ) from None
    # Excel has no more rows: the one too many tells that they would not all fit.
    limited = f"SELECT * FROM ({sql}) LIMIT {EXCEL_ROWS + 1}" if args["format"] == "excel" else sql
    cursor.execute(f"COPY ({limited}) TO {literal(args['path'])} ({options})", params)
    row = cursor.fetchone()
    rows: int = row[0] if row else 0
    if args["format"] == "excel" and rows > EXCEL_ROWS:
        raise LimitExceeded(
            f"A sheet holds at most {EXCEL_ROWS:,} rows, and the result has more.",
            hint="Filter it, or choose CSV or Parquet.",
        )
    return rows


def _arrow(cursor: duckdb.DuckDBPyConnection, sql: str, params: Any, args: dict[str, Any]) -> int:
    cursor.execute(sql, params)
    names = [str(each[0]) for each in cursor.description]
    types = [str(each[1]) for each in cursor.description]
    reader = cursor.to_arrow_reader(20_480)
    plain = Plainer(reader.schema, types)
    schema = pa.schema(
        [field.with_name(name) for field, name in zip(plain.schema, names, strict=True)]
    )
    rows = 0
    with os.fdopen(_create(args["path"]), "wb") as file, pa.ipc.new_stream(file, schema) as stream:
        for batch in reader:
            named = pa.RecordBatch.from_arrays(plain(batch).columns, schema=schema)
            stream.write_batch(named)
            rows += batch.num_rows
    return rows


def _create(path: str) -> int:
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)


def unique(names: list[str]) -> list[str]:
    """Make column names unique and not empty, as a file format needs them: a, a_1, column_3."""
    taken: set[str] = set()
    chosen: list[str] = []
    for at, name in enumerate(names):
        base = name or f"column_{at + 1}"
        free: Callable[[str], bool] = lambda each: each.lower() not in taken  # noqa: E731
        pick = (
            base
            if free(base)
            else next(
                f"{base}_{count}" for count in range(1, len(names) + 1) if free(f"{base}_{count}")
            )
        )
        taken.add(pick.lower())
        chosen.append(pick)
    return chosen
