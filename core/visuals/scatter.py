"""Points: two numbers against each other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import polars as pl

from core.engine.relation import Query
from core.engine.results import Column
from core.errors import InvalidInput
from core.visual import Options, Visual
from core.visuals._axes import axis, present
from core.visuals._canvas import canvas, nothing
from core.visuals._columns import category, find, number, role
from core.visuals._points import points, sample
from core.visuals._series import WEBGL_ABOVE, series
from core.visuals._text import measured, plain
from core.visuals._theme import colour, palette, steps

if TYPE_CHECKING:
    import plotly.graph_objects as go


class ScatterOptions(Options):
    """A scatter chart's options."""

    size: str = ""


class Scatter(Visual[ScatterOptions]):
    """Draws a point per row; a colour column of numbers becomes a scale."""

    name = "scatter"
    label = "Scatter"
    icon = "scatter_plot"
    Options = ScatterOptions

    def query(self, columns: Sequence[Column], options: ScatterOptions) -> Query:
        if not options.y:
            raise InvalidInput("Choose a column for Y.", hint="A scatter chart needs X and Y.")
        if options.aggregate != "none":
            return points(columns, options)
        chosen = {"x": axis(columns, options.x)}
        if options.colour:
            scaled = role(columns, options.colour) == "number"
            at = find(columns, options.colour)
            shade = number(columns, options.colour) if scaled else category(at)
            chosen["shade" if scaled else "colour"] = shade
        if options.size:
            chosen["size"] = f"greatest(0, {number(columns, options.size)})"
        chosen |= {f"y{at}": number(columns, name) for at, name in enumerate(options.y)}
        return sample(chosen, present(columns, options.x, options.y[0]))

    def figure(self, frame: pl.DataFrame, options: ScatterOptions, *, dark: bool) -> go.Figure:
        import plotly.graph_objects as go

        if frame.is_empty():
            return nothing(options.title, dark=dark)
        figure, form = canvas(frame, options, dark=dark)
        trace = go.Scattergl if frame.height > WEBGL_ABOVE else go.Scatter
        names = measured(options)
        for at, dots in enumerate(series(frame, options)):
            marker = {"color": colour(at, dark), "size": 7, "opacity": 0.75}
            if "colour" not in frame.columns:
                marker |= _scaled(frame, options, dark)
            figure.add_trace(
                trace(
                    name=dots.name,
                    x=dots.x,
                    y=dots.y,
                    mode="markers",
                    marker=marker,
                    hovertemplate=f"{plain(options.x or 'row')}: %{{x}}<br>"
                    f"{plain(names[at % len(names)])}: %{{y:{form}}}",
                )
            )
        return figure


def _scaled(frame: pl.DataFrame, options: ScatterOptions, dark: bool) -> dict[str, Any]:
    """Return what a column of numbers does to the markers: their colour, their size."""
    marker: dict[str, Any] = {}
    if "shade" in frame.columns:
        # The lightest step of the scale would vanish into the background.
        scale = steps(palette(dark).scale[1:])
        marker |= {"color": frame["shade"].to_list(), "colorscale": scale, "showscale": True}
        marker["colorbar"] = {"title": {"text": plain(options.colour)}, "outlinewidth": 0}
    if "size" in frame.columns:
        sizes = frame["size"].fill_null(0)
        largest = sizes.max()
        reach = float(largest) if isinstance(largest, int | float) and largest else 1.0
        marker |= {"size": sizes.to_list(), "sizemode": "area", "sizemin": 3}
        marker["sizeref"] = 2 * reach / 30**2
    return marker
