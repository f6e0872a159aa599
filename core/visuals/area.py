"""Areas: parts of a whole along a time or a number, one on top of the other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

import polars as pl

from core.engine.relation import Query
from core.engine.results import Column
from core.visual import Options, Visual
from core.visuals._canvas import canvas, nothing
from core.visuals._points import points
from core.visuals._series import series
from core.visuals._theme import colour

if TYPE_CHECKING:
    import plotly.graph_objects as go


class AreaOptions(Options):
    """An area chart's options."""

    mode: Literal["stack", "percent", "overlay"] = "stack"


class Area(Visual[AreaOptions]):
    """Draws one area per measure and colour, stacked unless told otherwise."""

    name = "area"
    label = "Area"
    icon = "area_chart"
    Options = AreaOptions

    def query(self, columns: Sequence[Column], options: AreaOptions) -> Query:
        return points(columns, options, order="x")

    def figure(self, frame: pl.DataFrame, options: AreaOptions, *, dark: bool) -> go.Figure:
        import plotly.graph_objects as go

        if frame.is_empty():
            return nothing(options.title, dark=dark)
        figure, form = canvas(frame, options, dark=dark)
        percent = options.mode == "percent"
        for at, area in enumerate(series(frame, options)):
            # Stacks do not exist in webgl; 10,000 points at most are well within SVG.
            figure.add_trace(
                go.Scatter(
                    name=area.name,
                    x=area.x,
                    y=area.y,
                    mode="lines",
                    line={"color": colour(at, dark), "width": 1.5},
                    fill="tozeroy" if options.mode == "overlay" else None,
                    stackgroup=None if options.mode == "overlay" else "all",
                    groupnorm="percent" if percent else None,
                    hovertemplate="%{y:.1f} %" if percent else f"%{{y:{form}}}",
                )
            )
        figure.update_layout(hovermode="x unified")
        if percent:
            figure.update_yaxes(ticksuffix=" %", range=[0, 100])
        return figure
