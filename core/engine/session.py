"""The narrow waist that everything goes through: run, page, progress, cancel, explain, export.

A session is a DuckDB cursor of its own in the workspace's engine: its temporary tables, its
transaction and its variables are private, and its statements wait for each other.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.engine.engine import Engine
from core.engine.filters import Filter
from core.engine.parameters import to_json
from core.engine.plan import PlanNode, plan
from core.engine.references import References, references
from core.engine.relation import Query
from core.engine.results import Page, ResultSet
from core.engine.run import Arrival, Run
from core.engine.views import Sort, count_query, page_query, rows_query
from core.errors import InvalidInput, MillpondError

if TYPE_CHECKING:
    import polars as pl
    import pyarrow as pa

FORMATS = {"csv": ".csv", "parquet": ".parquet", "json": ".jsonl", "excel": ".xlsx"}
FORMATS |= {"arrow": ".arrow"}

PAGE_LIMIT = 10_000


class Session:
    """One user's way into the engine. Safe to use from several threads."""

    def __init__(self, engine: Engine, name: str) -> None:
        self._engine = engine
        self.name = name

    def start(
        self,
        sql: str,
        params: Mapping[str, Any] | None = None,
        *,
        timeout: float | None = None,
        on: str = "",
        into: str = "",
        composed: bool = False,
    ) -> Run:
        """Start a text of statements and return at once; its errors are in the run.

        A connection that it runs `on`, by its alias, gets it as it is, in its own dialect; `into`,
        SQL of core's that reads PUSHED, keeps what that gives. What core `composed` names no files
        that it should not, and is not looked through for them: 0.5 s for a profile.
        Raises LimitExceeded and InvalidInput for a text that cannot be sent.
        """
        return self._engine.run(
            sql,
            params or {},
            session=self.name,
            timeout=timeout,
            on=on,
            into=into,
            composed=composed,
        )

    def run(
        self,
        sql: str,
        params: Mapping[str, Any] | None = None,
        *,
        timeout: float | None = None,
        on: str = "",
        composed: bool = False,
    ) -> Run:
        """Run a text of statements to its end, as `start` does. Raises what went wrong."""
        run = self.start(sql, params, timeout=timeout, on=on, composed=composed)
        run.wait()
        if run.error is not None:
            raise run.error
        return run

    def page(
        self,
        run: Run,
        result: ResultSet,
        offset: int = 0,
        limit: int = 200,
        *,
        sorts: Sequence[Sort] = (),
        filters: Sequence[Filter] = (),
    ) -> Page:
        """Return rows of a result in the order and with the filters asked for.

        While rows still arrive it answers from those there are, and says so.
        """
        arrival = run.arrival(result.id)
        now = arrival.result
        offset, limit = max(0, offset), max(0, min(limit, PAGE_LIMIT))
        arriving = not (now.complete or run.ended)
        if not sorts and not filters:
            # Here: polars takes 0.3 s to import, and the app's first page shows no rows.
            from core.engine.frames import frame_of

            table = arrival.rows(offset, limit)
            return Page(frame_of(table), offset, now.rows, now.rows, arriving)
        query = page_query(now.columns, sorts, filters, offset, limit)
        frame = self.over(run, result, query)
        matching = now.rows
        if filters:
            counted = self.over(run, result, count_query(now.columns, filters))
            matching = int(counted.item(0, 0))
        return Page(frame, offset, now.rows, matching, arriving)

    def batches(self, run: Run, result: ResultSet) -> Iterator[pa.RecordBatch]:
        """Yield all rows of a result in order, while they arrive, in columns c0, c1, ...

        About 8 MB are held here at a time. Raises what ended the run too early.
        """
        arrival, row = run.arrival(result.id), 0
        while run.wait_past(result.id, row).rows > row:
            end = arrival.stretch_end(row)
            yield from arrival.rows(row, end - row).to_batches()
            row = end
        if not arrival.result.complete and run.error is not None:
            raise run.error

    def over(self, run: Run, result: ResultSet, query: Query) -> pl.DataFrame:
        """Answer a question about a result: SQL composed by core over the relation `result`."""
        from core.engine.frames import read_frame

        arrival = run.arrival(result.id)
        answer = self._engine.call("over", body=arrival.body, **_subject(arrival), **_query(query))
        return read_frame(answer.body)

    def explain(
        self, sql: str, params: Mapping[str, Any] | None = None, *, analyze: bool = False
    ) -> PlanNode:
        """Return the plan as a tree; with `analyze` the statement runs, and its times are told."""
        answer = self._engine.call(
            "explain",
            session=self.name,
            sql=sql,
            params=to_json(params or {}),
            analyze=analyze,
            statement_limit=self._engine.settings.statement_limit,
        )
        return plan(answer.head["plan"])

    def references(self, sql: str) -> References:
        """Tell what a text reads and writes, without running it."""
        return references(sql)

    def export(self, sql: str, params: Mapping[str, Any] | None, *, format: str) -> Path:
        """Run a query into a file of the workspace, and return its path; the caller removes it."""
        return self._export(
            format,
            session=self.name,
            sql=sql,
            params=to_json(params or {}),
            statement_limit=self._engine.settings.statement_limit,
        )

    def export_result(
        self,
        run: Run,
        result: ResultSet,
        *,
        format: str,
        sorts: Sequence[Sort] = (),
        filters: Sequence[Filter] = (),
        limit: int | None = None,
    ) -> Path:
        """Write a kept result, or its first `limit` rows, into a file of the workspace.

        Sorted and filtered as asked; the caller removes the file.
        """
        arrival = run.arrival(result.id)
        query = rows_query(arrival.result.columns, sorts, filters, limit)
        names = [column.name for column in arrival.result.columns]
        return self._export(
            format, body=arrival.body, **_subject(arrival), **_query(query), names=names
        )

    def close(self) -> None:
        """End the session: what was temporary in it is gone."""
        self._engine.release(self.name)

    def _export(self, format: str, **args: Any) -> Path:
        """Have a file written; nothing is left of one that could not be finished."""
        if format not in FORMATS:
            raise InvalidInput(
                f"{format!r} is not a format.", hint=f"Choose one of {', '.join(sorted(FORMATS))}."
            )
        path = self._engine.exports / f"{uuid.uuid4().hex}{FORMATS[format]}"
        try:
            self._engine.call("export", **args, format=format, path=str(path))
        except MillpondError:
            # A worker that was killed could not tidy up; tmp_ is what DuckDB writes first.
            for left in (path, path.with_name(f"tmp_{path.name}")):
                left.unlink(missing_ok=True)
            raise
        return path


def _subject(arrival: Arrival) -> dict[str, Any]:
    types = [column.type for column in arrival.result.columns]
    return {"result": arrival.result.id, "batches": len(arrival.extents), "types": types}


def _query(query: Query) -> dict[str, Any]:
    return {"sql": query.sql, "params": to_json(query.params)}
