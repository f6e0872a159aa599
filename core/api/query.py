"""POST /v1/query: run SQL and answer its rows, in the form that the caller accepts.

The answer begins when the last row is known to be there, or one more than wanted: only then can
its status and `Millpond-Truncated` be true. It is streamed from disk, in bounded memory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from core.api.caller import Here, TakesJson
from core.api.downloads import PassingFile, in_turn
from core.api.negotiation import ARROW, CHOICES, CSV, JSON, NDJSON, PARQUET, choose
from core.api.oneshot import OneShot
from core.api.rowtexts import json_lines, json_object

router = APIRouter(tags=["Queries"])

_FILES = {CSV: "csv", ARROW: "arrow", PARQUET: "parquet"}
_CLIENT_GONE = 499  # nobody reads it; nginx's number, for the access log


class Statements(BaseModel):
    """SQL to run, and values for its `$parameters`."""

    model_config = ConfigDict(extra="forbid")

    sql: str = Field(description="One statement or several, divided by semicolons.")
    params: dict[str, Any] = Field({}, description="Values for $name, by name.")
    timeout: float | None = Field(
        None, gt=0, description="Seconds it may run, at most MILLPOND_QUERY_TIMEOUT."
    )

    on: str = Field(
        "", description="Alias of a connection whose own engine runs it, in its own dialect."
    )


class OneShotQuery(Statements):
    """A query and how much of its result is wanted."""

    limit: int | None = Field(
        None, ge=0, description="Rows to answer at most, up to MILLPOND_API_ROW_LIMIT."
    )


class RowsOfQuery(BaseModel):
    """The answer as application/json."""

    id: str
    columns: list[dict[str, str]] = Field(description="Name and DuckDB type of each.")
    rows: list[list[Any]] = Field(description="Numbers that JSON cannot hold are texts.")
    row_count: int
    truncated: bool = Field(description="There were more rows than are answered.")
    elapsed: float = Field(description="Seconds.")
    affected: int | None = Field(description="Rows that a statement changed.")


_ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {
        "model": RowsOfQuery,
        "description": "The rows. The header Millpond-Truncated tells whether there were more "
        "than the limit; Millpond-Query is the id under which the history has it.",
        "content": {media: {} for media in CHOICES if media != JSON},
    },
    204: {"description": "No statement has rows, and the form wanted is not JSON."},
}


@router.post("/v1/query", responses=_ANSWERS, dependencies=[TakesJson])
async def run_query(body: OneShotQuery, request: Request, workspace: Here) -> Response:
    """Run SQL and answer the rows of the last statement that has any.

    The Accept header chooses the form. It runs in a session of its own: temporary tables and open
    transactions end with it. A caller that goes away cancels it.
    """
    media = choose(", ".join(request.headers.getlist("accept")))
    most = workspace.engine.settings.api_row_limit
    limit = most if body.limit is None else min(body.limit, most)
    call = await run_in_threadpool(
        partial(
            OneShot,
            workspace,
            body.sql,
            body.params,
            limit=limit,
            timeout=body.timeout,
            on=body.on,
        )
    )
    try:
        if not await call.arrive(request):
            call.end()
            return Response(status_code=_CLIENT_GONE)
        return await _answer(call, media, request)
    except BaseException:
        call.end()
        raise


async def _answer(call: OneShot, media: str, request: Request) -> Response:
    headers = {"Millpond-Query": call.run.id, "Millpond-Truncated": str(call.truncated).lower()}
    result = call.result
    if media == JSON:
        return _Streamed(json_object(call), call.end, media, headers)
    if result is None or not result.columns:
        call.end()
        affected = (result.affected if result else None) or 0
        return Response(status_code=204, headers=headers | {"Millpond-Affected": str(affected)})
    if media == NDJSON:
        return _Streamed(json_lines(call), call.end, media, headers)
    limit = call.limit if call.truncated else None
    write = partial(call.session.export_result, call.run, result, format=_FILES[media], limit=limit)
    path = await in_turn(request, write)
    call.end()
    return PassingFile(path, media_type=media, headers=headers)


class _Streamed(StreamingResponse):
    """Streams, and then lets go of what it streamed from, also when the caller goes away."""

    def __init__(
        self,
        content: Iterator[bytes],
        end: Callable[[], None],
        media_type: str,
        headers: dict[str, str],
    ) -> None:
        self._end = end
        super().__init__(content, media_type=media_type, headers=headers)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._end()
