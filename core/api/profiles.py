"""/v1/catalog/profile: what is in a table, from a sample at once, or of all rows in a while."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from core.api.caller import Here, TakesJson
from core.api.problems import problem_of
from core.catalog.exact import ExactPass
from core.catalog.models import Table
from core.catalog.personal import likely
from core.catalog.table_profile import TableProfile
from core.engine.profile import ColumnProfile
from core.errors import NotFound
from core.workbench import Workspace

router = APIRouter(prefix="/v1/catalog/profile", tags=["Catalog"])

Named = Annotated[str, Query(alias="table", description="A table's name, short or in full.")]


class BinTold(BaseModel):
    """How many values lie between two measures; times are seconds since 1970."""

    model_config = ConfigDict(from_attributes=True)

    low: float
    high: float
    count: int
    label: str


class ColumnTold(BaseModel):
    """A column's figures; null: it has no such thing, or its values are likely personal."""

    name: str
    type: str
    nulls: int
    nans: int
    distinct: int
    minimum: str | None
    maximum: str | None
    mean: float | None
    deviation: float | None
    quantiles: list[tuple[float, float | str]] = Field(description="Share and value.")
    approximate: bool = Field(description="Whether the quantiles are estimates.")
    top: list[tuple[str, int]] = Field(description="The most frequent values, and how often.")
    bins: list[BinTold]
    lengths: tuple[int, float, int] | None = Field(description="Least, mean, most characters.")
    shapes: list[tuple[str, float]] = Field(description="A, a and 9 for a letter and a digit.")
    likely: str | None = Field(description="What personal data it likely holds.")


class PassTold(BaseModel):
    """The exact profile under way, or the last one that has ended."""

    running: bool
    progress: float = Field(description="From 0 to 1.")
    started_at: datetime
    error: dict[str, Any] | None = Field(description="What went wrong, as a problem.")


class ProfileTold(BaseModel):
    """A table's profile."""

    table: str
    taken_at: datetime
    exact: bool
    basis: str = Field(description="What the figures are of.")
    rows: int | None = Field(description="Of the table; null where nobody knows.")
    looked_at: int
    columns: list[ColumnTold]
    changes: list[str] = Field(description="Since the exact profile before, as sentences.")
    under_way: PassTold | None


class WhichTable(BaseModel):
    """The table whose rows are all counted."""

    model_config = ConfigDict(extra="forbid")

    table: str = Field(description="Its name, short or in full.")


@router.get("")
def get_profile(
    named: Named,
    workspace: Here,
    sample: Annotated[bool, Query(description="Look anew, at a sample.")] = False,
) -> ProfileTold:
    """Answer the last exact profile of a table, or where there is none one of a sample."""
    table = _table(workspace, named)
    kept = workspace.profiles.kept(table)
    profile = workspace.profiles.first(table, again=sample) if sample or not kept else kept[0]
    changes = [] if sample else [each.sentence for each in workspace.profiles.drift(kept)]
    exact = workspace.profiles.under_way(table)
    return _told(table, profile, changes, exact)


@router.post("", status_code=202, dependencies=[TakesJson])
def start_profile(body: WhichTable, workspace: Here) -> PassTold:
    """Start the exact profile of a table; one that is under way is told of."""
    return _pass(workspace.profiles.start_exact(_table(workspace, body.table)))


@router.delete("", status_code=202, responses={204: {"description": "None was under way."}})
def cancel_profile(named: Named, workspace: Here) -> Response:
    """Cancel the exact profile of a table that is under way."""
    exact = workspace.profiles.under_way(_table(workspace, named))
    if exact is None or exact.ended:
        return Response(status_code=204)
    exact.cancel()
    return Response(status_code=202)


def _table(workspace: Workspace, name: str) -> Table:
    table = workspace.catalog.find(name)
    if table is None:
        raise NotFound(f"There is no table {name}.", hint="GET /api/v1/catalog lists them.")
    return table


def _told(
    table: Table, profile: TableProfile, changes: list[str], exact: ExactPass | None
) -> ProfileTold:
    return ProfileTold(
        table=table.address,
        taken_at=profile.taken_at,
        exact=profile.exact,
        basis=profile.basis,
        rows=profile.rows,
        looked_at=profile.looked_at,
        columns=[_column(each) for each in profile.columns],
        changes=changes,
        under_way=None if exact is None else _pass(exact),
    )


def _column(profile: ColumnProfile) -> ColumnTold:
    found = likely(profile)
    facts = {name: getattr(profile, name) for name in _SAME}
    return ColumnTold(
        name=profile.column.name,
        type=profile.column.type,
        likely=None if found is None else found.words,
        **facts,
    )


_SAME = set(ColumnTold.model_fields) - {"name", "type", "likely"}


def _pass(exact: ExactPass) -> PassTold:
    return PassTold(
        running=not exact.ended,
        progress=1.0 if exact.ended and exact.error is None else exact.progress,
        started_at=exact.started_at,
        error=None if exact.error is None else problem_of(exact.error),
    )
