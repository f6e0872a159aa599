"""Run statements: each is executed once, its first rows go out at once, all are spooled."""

from __future__ import annotations

import time
from itertools import chain
from typing import Any

import duckdb
import pyarrow as pa

from core.engine.parameters import from_json
from core.engine.spool import BATCH_BYTES, SpoolWriter
from core.engine.worker.activity import Activity
from core.engine.worker.behind import Behind
from core.engine.worker.database import Database
from core.engine.worker.errors import translate
from core.engine.worker.gate import attached, check, check_attached
from core.engine.worker.plain import Plainer
from core.engine.worker.pushed import pushed
from core.engine.worker.sources import Attached
from core.engine.worker.statements import Text, bind, parts, split
from core.errors import ConnectError, Forbidden, MillpondError, QueryError
from core.workers.child import Call

BATCH_ROWS = 20_480
"""Ten DuckDB vectors: the first batch of 10 M rows takes 1.6 ms, against 12 ms for 122,880."""

FIRST_ROWS = 1_000

INLINE_BYTES = 64 * 1024
"""A result this small is not spooled: making the file would take longer than the query."""

REPORT_SECONDS = 0.1

_CHANGES = ("INSERT", "UPDATE", "DELETE", "COPY", "CREATE", "MERGE_INTO", "EXPORT")


def run(database: Database, activity: Activity, call: Call, on: Attached | None) -> None:
    """Answer op `run`: parts tell what each statement gives, the end tells that all is done.

    With a source to run `on`, its own engine gets the text as it is, as one statement; what it
    gives is kept where `into` says, if that does.
    """
    args = call.args
    if on is not None:
        with database.session(args["session"], activity) as cursor:
            try:
                statement = _Statement(database, activity, call, 0)
                statement.push(cursor, on, args["sql"], args["into"])
            except Exception as error:
                raise translate(error, "", database.readable, database.hosts) from error
        call.finish({"statements": 1})
        return
    params = from_json(args["params"])
    texts = split(args["sql"], args["statement_limit"])
    with database.session(args["session"], activity) as cursor:
        for index, text in enumerate(texts):
            try:
                _Statement(database, activity, call, index).run(cursor, text, params)
            except Exception as error:
                refusal = translate(error, text.sql, database.readable, database.hosts)
                if isinstance(refusal, Forbidden | ConnectError):
                    database.check_usable()
                raise placed(refusal, text) from error
    call.finish({"statements": len(texts)})


class _Statement:
    """One statement under way, and what has been reported of it."""

    def __init__(self, database: Database, activity: Activity, call: Call, index: int) -> None:
        self._database, self._activity, self._call = database, activity, call
        self._reachable = database.readable + database.listed
        self._own = str(database.folder)
        self._limit: int = call.args["spool_limit"]
        self._index = index
        self._path = database.spools / f"{call.args['run']}-{index}.arrow"
        self._started = time.perf_counter()
        self._reported = 0
        self._report_at = 0.0

    def run(self, cursor: duckdb.DuckDBPyConnection, text: Text, params: dict[str, Any]) -> None:
        statement, types = None, []
        before = attached(cursor) if "attach" in text.sql.lower() else set()
        for statement in parts(cursor, text.sql):
            self._activity.check()
            values = bind(statement, params)
            if not self._call.args["composed"]:
                check(statement, text.sql, values or {}, self._reachable, self._own)
            if statement.type.name not in ("SELECT", "EXPLAIN"):
                self._database.touch(self._call.args["session"])
            cursor.execute(statement, values)
        if statement is None:
            return
        kind = statement.type.name
        if kind == "ATTACH":
            check_attached(cursor, before)
            self._done(kind, 0)
            return
        if cursor.description:
            types = [(str(each[0]), str(each[1])) for each in cursor.description]
        if types and not (kind in _CHANGES and types == [("Count", "BIGINT")]):
            if types == [("Success", "BOOLEAN")] and kind not in ("SELECT", "CALL", "EXPLAIN"):
                self._done(kind, 0)
            else:
                self._spool(cursor, kind, types)
            return
        row = cursor.fetchone() if types else None
        self._done(kind, row[0] if row else 0)

    def push(self, cursor: duckdb.DuckDBPyConnection, on: Attached, sql: str, into: str) -> None:
        """Let a source run the text, and spool what it gives as any other result, or keep it."""
        if into:
            self._database.touch(self._call.args["session"])
        with pushed(self._database, self._activity, cursor, on, sql, into):
            if into:
                row = cursor.fetchone()
                self._done("INSERT", row[0] if row else 0)
                return
            columns = [(str(each[0]), str(each[1])) for each in cursor.description or ()]
            self._spool(cursor, "SELECT", columns)

    def _spool(
        self, cursor: duckdb.DuckDBPyConnection, kind: str, columns: list[tuple[str, str]]
    ) -> None:
        reader = cursor.to_arrow_reader(BATCH_ROWS)
        plain = Plainer(reader.schema, [name for _, name in columns])
        batches = (plain(batch) for batch in reader if batch.num_rows)
        first = next(batches, None) or plain.empty()
        small = first.num_rows <= FIRST_ROWS and first.nbytes <= INLINE_BYTES
        # A batch that is not full should be the last: then all goes in one frame.
        second = next(batches, None) if small else None
        if small and second is None:
            self._send_first(columns, first, self._ending(kind, None))
            return
        self._send_first(columns, first, {"kind": kind})
        second = second or next(batches, None)
        with SpoolWriter(self._path, plain.schema, self._limit) as writer:

            def keep(batch: pa.RecordBatch) -> None:
                writer.write(batch)
                self._report(writer)

            keep(first)
            if second is not None:
                with Behind(keep, on_failure=cursor.interrupt) as behind:
                    for batch in chain((second,), batches):
                        behind.put(batch)
        self._done(kind, None, writer)

    def _send_first(
        self, columns: list[tuple[str, str]], batch: pa.RecordBatch, told: dict[str, Any]
    ) -> None:
        shown = batch.slice(0, FIRST_ROWS)
        while shown.nbytes > 4 * 2**20 and shown.num_rows > 1:
            shown = shown.slice(0, shown.num_rows // 2)
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, batch.schema) as stream:
            stream.write_batch(shown)
        head = {"index": self._index, "columns": columns, "rows": batch.num_rows}
        self._call.send(head | told, sink.getvalue())

    def _report(self, writer: SpoolWriter) -> None:
        """Tell where batches lie: the first at once, then as soon as there is a stretch to read."""
        now, fresh = time.perf_counter(), writer.extents[self._reported :]
        if now >= self._report_at or sum(each.length for each in fresh) >= BATCH_BYTES:
            self._call.send({"index": self._index, "extents": fresh})
            self._reported = len(writer.extents)
            self._report_at = now + REPORT_SECONDS

    def _done(self, kind: str, affected: int | None, writer: SpoolWriter | None = None) -> None:
        head = {"index": self._index, **self._ending(kind, affected)}
        if writer is not None:
            head["extents"] = writer.extents[self._reported :]
        self._call.send(head)

    def _ending(self, kind: str, affected: int | None) -> dict[str, Any]:
        elapsed = time.perf_counter() - self._started
        return {"kind": kind, "done": True, "affected": affected, "elapsed": elapsed}


def placed(error: MillpondError, text: Text) -> MillpondError:
    """Move an error's position from its statement to the whole text."""
    if isinstance(error, QueryError) and error.line:
        if error.line == 1:
            error.column += text.column
        error.line += text.line
    return error
