"""Lines: numbers along a time or another number."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from core.engine.relation import Query
from core.engine.results import Column
from core.visual import Options, Visual
from core.visuals._canvas import canvas, nothing
from core.visuals._points import points
from core.visuals._series import WEBGL_ABOVE, series
from core.visuals._theme import DASHES, colour, palette

if TYPE_CHECKING:
    import plotly.graph_objects as go
    import polars as pl


class LineOptions(Options):
    """A line chart's options."""

    markers: bool = False


class Line(Visual[LineOptions]):
    """Draws one line per measure and colour, from left to right."""

    name = "line"
    label = "Line"
    icon = "show_chart"
    Options = LineOptions

    def query(self, columns: Sequence[Column], options: LineOptions) -> Query:
        return points(columns, options, order="x")

    def figure(self, frame: pl.DataFrame, options: LineOptions, *, dark: bool) -> go.Figure:
        import plotly.graph_objects as go

        if frame.is_empty():
            return nothing(options.title, dark=dark)
        figure, form = canvas(frame, options, dark=dark)
        trace = go.Scattergl if frame.height > WEBGL_ABOVE else go.Scatter
        for at, line in enumerate(series(frame, options)):
            dash = DASHES[at // len(palette(dark).series) % len(DASHES)]
            figure.add_trace(
                trace(
                    name=line.name,
                    x=line.x,
                    y=line.y,
                    mode="lines+markers" if options.markers or len(line.x) == 1 else "lines",
                    line={"color": colour(at, dark), "width": 2, "dash": dash},
                    hovertemplate=f"%{{y:{form}}}",
                )
            )
        figure.update_layout(hovermode="x unified")
        return figure
