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
from core.engine.worker.gate import check
from core.engine.worker.over import Results, relation
from core.engine.worker.plain import Plainer
from core.engine.worker.runs import placed
from core.engine.worker.statements import bind, parts, split
from core.errors import InvalidInput, LimitExceeded, QueryError
from core.workers.child import Call

EXCEL_ROWS = 1_048_575

COPY_OPTIONS = {
    "csv": "FORMAT csv, HEADER true",
    "json": "FORMAT json",
    "parquet": "FORMAT parquet, COMPRESSION zstd",
    "excel": "FORMAT xlsx, HEADER true, SHEET_ROW_LIMIT 1048577",
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
        for left in (target, target.with_name(f"tmp_{target.name}")):  # DuckDB's own, meanwhile
            with suppress(FileNotFoundError):
                left.unlink()
        raise translate(error, args["sql"], database.readable, database.hosts) from error
    call.finish({"rows": rows, "bytes": target.stat().st_size})


def _export_result(
    database: Database, table: pa.Table, activity: Activity, args: dict[str, Any]
) -> int:
    """Export a kept result; `sql` selects from `result` what is wanted, in its order."""
    sql: str = args["sql"]
    names = unique(args["names"])
    values = [_kept(f"c{at}", kind, args["format"]) for at, kind in enumerate(args["types"])]
    named = ", ".join(f"{v} AS {quoted(name)}" for v, name in zip(values, names, strict=True))
    with database.system(activity) as cursor, activity.on(cursor):
        cursor.register("spool", table)
        try:
            source = f"WITH result AS ({relation(args['types'], table)}) "
            return _write(cursor, f"{source} SELECT {named} FROM ({sql}) AS chosen", args)
        finally:
            cursor.unregister("spool")


def _export_query(database: Database, activity: Activity, args: dict[str, Any]) -> int:
    texts = split(args["sql"], args["statement_limit"])
    if len(texts) > 1:
        raise InvalidInput("An export takes one statement.", hint="Choose one of them.")
    text = texts[0]
    with database.session(args["session"], activity) as cursor:
        try:
            statement = parts(cursor, text.sql)[-1]
            reachable = database.readable + database.listed
            check(statement, text.sql, args["params"], reachable, str(database.folder))
            return _write(cursor, _with_names(cursor, text.sql, args), args)
        except Exception as error:
            # Every statement made of it has the text from its second line on.
            refusal = translate(error, f"\n{text.sql}", database.readable, database.hosts)
            if isinstance(refusal, QueryError) and refusal.line:
                refusal.line -= 1
            raise placed(refusal, text) from error


def _with_names(cursor: duckdb.DuckDBPyConnection, sql: str, args: dict[str, Any]) -> str:
    """Give columns whose names are repeated or empty names that a file can have."""
    _run(cursor, f"DESCRIBE\n{sql}", args)
    columns = [(str(row[0]), str(row[1])) for row in cursor.fetchall()]
    names = [quoted(name) for name in unique([name for name, _ in columns])]
    values = [
        _kept(name, kind, args["format"]) for name, (_, kind) in zip(names, columns, strict=True)
    ]
    if values == [quoted(name) for name, _ in columns]:
        return sql
    named = ", ".join(f"{v} AS {name}" for v, name in zip(values, names, strict=True))
    return f"SELECT {named} FROM (\n{sql}\n) AS chosen({', '.join(names)})"


def _kept(column: str, kind: str, format: str) -> str:
    """Return a column as a format keeps every digit of it: Parquet has no integers of 128 bits.

    DuckDB would write them as floating point, and sums are such integers.
    """
    kinds = {"HUGEINT": "DECIMAL(38, 0)", "UHUGEINT": "VARCHAR", "BIGNUM": "VARCHAR"}
    wide = format == "parquet" and kind in kinds
    return f"CAST({column} AS {kinds[kind]})" if wide else column


def _run(cursor: duckdb.DuckDBPyConnection, sql: str, args: dict[str, Any]) -> None:
    params = from_json(args["params"])
    for statement in parts(cursor, sql):
        cursor.execute(statement, bind(statement, params))


def _write(cursor: duckdb.DuckDBPyConnection, sql: str, args: dict[str, Any]) -> int:
    return (_arrow if args["format"] == "arrow" else _copy)(cursor, sql, args)


def _copy(cursor: duckdb.DuckDBPyConnection, sql: str, args: dict[str, Any]) -> int:
    options = COPY_OPTIONS[args["format"]]
    # Excel has no more rows: the one too many tells that they would not all fit.
    if args["format"] == "excel":
        sql = f"SELECT * FROM (\n{sql}\n) LIMIT {EXCEL_ROWS + 1}"
    os.close(_create(args["path"]))  # DuckDB keeps its mode: nobody else may read it
    _run(cursor, f"COPY (\n{sql}\n) TO {literal(args['path'])} ({options})", args)
    row = cursor.fetchone()
    rows: int = row[0] if row else 0
    if args["format"] == "excel" and rows > EXCEL_ROWS:
        raise LimitExceeded(
            f"A sheet holds at most {EXCEL_ROWS:,} rows, and the result has more.",
            hint="Filter it, or choose CSV or Parquet.",
        )
    return rows


def _arrow(cursor: duckdb.DuckDBPyConnection, sql: str, args: dict[str, Any]) -> int:
    _run(cursor, sql, args)
    columns = [(str(each[0]), str(each[1])) for each in cursor.description or ()]
    reader = cursor.to_arrow_reader(20_480)
    plain = Plainer(reader.schema, [kind for _, kind in columns], [name for name, _ in columns])
    rows = 0
    file = os.fdopen(_create(args["path"]), "wb")
    with file, pa.ipc.new_stream(file, plain.schema) as stream:
        for batch in reader:
            stream.write_batch(plain(batch))
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
