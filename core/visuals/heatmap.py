"""Cells: a number for each pair of two categories."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import polars as pl
from pydantic import Field

from core.engine.relation import Query
from core.engine.results import Column
from core.errors import InvalidInput
from core.visual import Options, Visual
from core.visuals._axes import axis, present
from core.visuals._canvas import blank, nothing
from core.visuals._points import effective, grouped, measures
from core.visuals._text import labels, measured, number_format, plain
from core.visuals._theme import palette, steps

if TYPE_CHECKING:
    import plotly.graph_objects as go


class HeatmapOptions(Options):
    """A heatmap's options: `y` is the number in the cells, colour has no meaning here."""

    row: str = Field("", title="Row", description="Column up the side.")


class Heatmap(Visual[HeatmapOptions]):
    """Draws a cell per value of x and of row, coloured by the number there."""

    name = "heatmap"
    label = "Heatmap"
    icon = "grid_on"
    Options = HeatmapOptions

    def query(self, columns: Sequence[Column], options: HeatmapOptions) -> Query:
        """Ask for `x`, `side`, `y0` and `total`."""
        if not options.x or not options.row:
            raise InvalidInput("Choose a column for X and one for Row.")
        how = effective(options)
        values = measures(columns, options.y[:1], "avg" if how == "none" else how)
        keys = {
            "x": axis(columns, options.x, options.unit),
            "side": axis(columns, options.row, options.unit),
        }
        where = present(columns, options.x, options.row)
        return grouped(keys, values, where, "y0 DESC NULLS LAST, x, side")

    def figure(self, frame: pl.DataFrame, options: HeatmapOptions, *, dark: bool) -> go.Figure:
        import plotly.graph_objects as go

        drawn = frame.drop_nulls(["x", "side"])
        if drawn.is_empty():
            return nothing(options.title, dark=dark)
        note = ""
        if frame["total"][0] > frame.height:
            note = f"The {frame.height:,} largest of {frame['total'][0]:,} cells"
        figure = blank(options.title, note, dark=dark)
        across, up = (drawn[name].unique().sort() for name in ("x", "side"))
        cells = {(x, side): value for x, side, value in drawn["x", "side", "y0"].rows()}
        name = measured(options)[0]
        if options.y and options.aggregate == "none":
            name = f"avg of {options.y[0]}"
        largest = drawn["y0"].abs().max()
        form = number_format(float(largest) if isinstance(largest, int | float) else 0.0)
        figure.add_trace(
            go.Heatmap(
                x=labels(across),
                y=labels(up),
                z=[[cells.get((x, side)) for x in across] for side in up],
                hoverongaps=False,
                colorscale=steps(palette(dark).scale),
                colorbar={"title": {"text": plain(name)}, "outlinewidth": 0},
                hovertemplate=f"%{{x}}, %{{y}}<br>%{{z:{form}}}<extra></extra>",
            )
        )
        for update, column, values in (
            (figure.update_xaxes, options.x, across),
            (figure.update_yaxes, options.row, up),
        ):
            kind = "date" if values.dtype.is_temporal() else "category"
            update(title={"text": plain(column)}, type=kind, showgrid=False)
        return figure
