"""/v1/results: the rows of a kept result, a page at a time or as a file."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Request
from pydantic import BaseModel, Field
from pydantic_core import to_json
from starlette.responses import Response

from core.api.caller import Here
from core.api.downloads import PassingFile, attachment, in_turn
from core.engine.results import ResultSet, display_rows
from core.engine.session import FORMATS
from core.engine.views import parse_filters, parse_sort
from core.errors import NotFound
from core.queries.runs import Entry

router = APIRouter(prefix="/v1/results/{id}", tags=["Results"])

PAGE_ROWS = 1000

Format = Literal["csv", "parquet", "json", "excel", "arrow"]

_MEDIA: dict[Format, str] = {
    "csv": "text/csv",
    "parquet": "application/vnd.apache.parquet",
    "json": "application/x-ndjson",
    "excel": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "arrow": "application/vnd.apache.arrow.stream",
}

_Id = Annotated[str, Path(description="A result's id, or a query's for its last result.")]
_Sort = Annotated[str, Query(description="Columns from 0, most important first: 2:desc,0:asc.")]
_Filter = Annotated[
    str, Query(description='As JSON: [{"column": 2, "op": ">", "value": "3"}], column null: any.')
]


class RowsPage(BaseModel):
    """Rows of a result from `offset` on."""

    offset: int
    rows: list[list[Any]]
    total: int = Field(description="Rows there are so far.")
    matching: int = Field(description="Rows that pass the filter.")
    arriving: bool = Field(description="Both may still grow.")


@router.get("/rows", responses={200: {"model": RowsPage, "description": "The page."}})
def get_rows(
    id: _Id,
    workspace: Here,
    offset: Annotated[int, Query(ge=0, le=10**15)] = 0,
    limit: Annotated[int, Query(ge=0, le=PAGE_ROWS)] = 200,
    sort: _Sort = "",
    filter: _Filter = "",
) -> Response:
    """Answer a page of a result, sorted and filtered as asked."""
    entry = workspace.queries.get(id)
    page = entry.session.page(
        entry.run,
        _result(entry, id),
        offset,
        limit,
        sorts=parse_sort(sort),
        filters=parse_filters(filter),
    )
    # Not by the model: checking 200 x 10 values takes longer than reading them.
    answer = {
        "offset": page.offset,
        "rows": display_rows(page.frame),
        "total": page.total,
        "matching": page.matching,
        "arriving": page.arriving,
    }
    return Response(
        to_json(answer), media_type="application/json", headers={"Cache-Control": "no-store"}
    )


@router.get(
    "/export",
    responses={
        200: {"description": "The file.", "content": {each: {} for each in _MEDIA.values()}}
    },
)
async def export_result(
    id: _Id,
    workspace: Here,
    request: Request,
    format: Format,
    sort: _Sort = "",
    filter: _Filter = "",
    name: Annotated[str, Query(max_length=300, description="File name without ending.")] = "",
) -> Response:
    """Answer a whole result as a file, sorted and filtered as asked."""
    entry = workspace.queries.get(id)
    write = partial(
        entry.session.export_result,
        entry.run,
        _result(entry, id),
        format=format,
        sorts=parse_sort(sort),
        filters=parse_filters(filter),
    )
    path = await in_turn(request, write)
    headers = {"Content-Disposition": attachment(name, FORMATS[format])}
    return PassingFile(path, media_type=_MEDIA[format], headers=headers)


def _result(entry: Entry, id: str) -> ResultSet:
    """Find the result that is meant. Raises NotFound, or what went wrong before there was one."""
    if "-" in id:
        return entry.run.arrival(id).result
    result = entry.run.result
    if result is None or not result.columns:
        raise entry.run.error or NotFound("This query has given no rows.")
    return result
