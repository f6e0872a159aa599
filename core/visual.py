"""The contract of a kind of chart: what one file in `core/visuals/` declares.

A chart is a question to the engine and a figure of its answer: the engine aggregates, cuts and
samples, so that a figure holds at most 10,000 points, and the figure says so where it was cut.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from core.engine.relation import Query
from core.engine.results import Column

if TYPE_CHECKING:
    import plotly.graph_objects as go
    import polars as pl

Aggregate = Literal["none", "count", "sum", "avg", "min", "max", "median", "distinct"]
Unit = Literal["exact", "auto", "minute", "hour", "day", "week", "month", "quarter", "year"]


class Options(BaseModel):
    """What a person chooses: columns by name (the first of that name), and how to treat them.

    One model drives the form, the API body and the check; kinds add their own.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    x: str = Field("", title="X", description="Column along the bottom.")
    y: tuple[str, ...] = Field((), title="Y", description="Columns to measure; one series each.")
    colour: str = Field("", title="Colour", description="Column that splits each series.")
    aggregate: Aggregate = Field(
        "none", title="Aggregate", description="How rows of one place become one value."
    )
    unit: Unit = Field(
        "auto", title="Time step", description="Step that aggregated times fall into."
    )
    title: str = Field("", title="Title", max_length=200)


O = TypeVar("O", bound=Options)  # noqa: E741 - the usual letter of the type it stands for


class Visual(Generic[O]):
    """A kind of chart. Stateless: one instance serves everybody."""

    name: ClassVar[str]
    label: ClassVar[str]
    icon: ClassVar[str]
    """A Material symbol, as in `:material/bar_chart:` without colons and prefix: `bar_chart`."""
    Options: ClassVar[type[Options]]

    def query(self, columns: Sequence[Column], options: O) -> Query:
        """Ask for what the figure needs, over the relation `result`.

        Raises InvalidInput, with the choices, for a column that is not there or does not fit.
        """
        raise NotImplementedError

    def figure(self, frame: pl.DataFrame, options: O, *, dark: bool) -> go.Figure:
        """Draw the answer to `query`. An empty answer gives an empty figure that says so."""
        raise NotImplementedError
