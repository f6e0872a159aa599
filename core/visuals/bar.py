"""Bars: a number per category."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

import polars as pl
from pydantic import Field

from core.engine.relation import Query
from core.engine.results import Column
from core.visual import Options, Visual
from core.visuals._canvas import canvas, nothing
from core.visuals._points import points
from core.visuals._series import series
from core.visuals._text import plain
from core.visuals._theme import colour

if TYPE_CHECKING:
    import plotly.graph_objects as go


class BarOptions(Options):
    """A bar chart's options."""

    mode: Literal["group", "stack", "percent"] = "group"
    horizontal: bool = False
    most: int = Field(50, ge=1, le=500, description="Categories shown: the largest ones.")


class Bar(Visual[BarOptions]):
    """Draws a bar per category and series: text by size, numbers and times in their order."""

    name = "bar"
    label = "Bar"
    icon = "bar_chart"
    Options = BarOptions

    def query(self, columns: Sequence[Column], options: BarOptions) -> Query:
        return points(columns, options)

    def figure(self, frame: pl.DataFrame, options: BarOptions, *, dark: bool) -> go.Figure:
        import plotly.graph_objects as go

        if frame.is_empty():
            return nothing(options.title, dark=dark)
        order: list[str] = []
        also = ""
        if frame.schema["x"] == pl.String:
            ranked = _by_size(frame)
            order = ranked[: options.most]
            if len(ranked) > len(order):
                also = _largest(frame, len(order), len(ranked))
                frame = frame.filter(pl.col("x").is_in(order))
                frame = frame.with_columns(pl.lit(frame.height).alias("total"))
        figure, form = canvas(frame, options, dark=dark, also=also)
        for at, bars in enumerate(series(frame, options)):
            along, value = (bars.y, bars.x) if options.horizontal else (bars.x, bars.y)
            figure.add_trace(
                go.Bar(
                    name=bars.name,
                    x=along,
                    y=value,
                    orientation="h" if options.horizontal else "v",
                    marker={"color": colour(at, dark)},
                    hovertemplate=_hover(form, options.horizontal),
                )
            )
        return _laid_out(figure, options, [plain(each) for each in order])


def _by_size(frame: pl.DataFrame) -> list[str]:
    size = pl.col("y0").abs().sum()
    ranked = frame.group_by("x").agg(size.alias("size"))
    return ranked.sort("size", "x", descending=[True, False])["x"].to_list()


def _largest(frame: pl.DataFrame, shown: int, there: int) -> str:
    total = frame["total"][0]
    if total == frame.height:
        return f"The {shown} largest of {there:,} categories"
    if "colour" in frame.columns:
        return f"The {shown} largest categories in {frame.height:,} of {total:,} points"
    return f"The {shown} largest of {total:,} categories"


def _hover(form: str, horizontal: bool) -> str:
    category, value = ("y", "x") if horizontal else ("x", "y")
    return f"%{{{category}}}<br>%{{{value}:{form}}}"


def _laid_out(figure: go.Figure, options: BarOptions, order: list[str]) -> go.Figure:
    modes = {"group": "group", "stack": "relative", "percent": "stack"}
    figure.update_layout(barmode=modes[options.mode])
    if options.mode == "percent":
        figure.update_layout(barnorm="percent")
    if order:
        figure.update_xaxes(categoryorder="array", categoryarray=order)
    if options.horizontal:
        across, along = figure.layout.xaxis.to_plotly_json(), figure.layout.yaxis.to_plotly_json()
        # The largest bar is on top.
        figure.update_layout(xaxis=along, yaxis=across, overwrite=True)
        figure.update_yaxes(autorange="reversed")
    if options.mode == "percent":
        (figure.update_xaxes if options.horizontal else figure.update_yaxes)(ticksuffix=" %")
    return figure
