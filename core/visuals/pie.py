"""Slices: what part of the whole each category is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import polars as pl
from pydantic import Field

from core.engine.relation import Query
from core.engine.results import Column
from core.errors import InvalidInput
from core.visual import Options, Visual
from core.visuals._canvas import blank, nothing
from core.visuals._columns import category, find
from core.visuals._points import LIMIT, effective, grouped, measures
from core.visuals._text import measured, number_format, plain
from core.visuals._theme import colour, palette

if TYPE_CHECKING:
    import plotly.graph_objects as go


class PieOptions(Options):
    """A pie chart's options."""

    hole: bool = True
    most: int = Field(8, ge=2, le=30, description="Slices; the rest goes into one more.")


class Pie(Visual[PieOptions]):
    """Draws a slice per category of x, by the sum of y or the count of rows."""

    name = "pie"
    label = "Pie"
    icon = "donut_large"
    Options = PieOptions

    def query(self, columns: Sequence[Column], options: PieOptions) -> Query:
        if not options.x:
            raise InvalidInput("Choose a column for X: its values are the slices.")
        how = effective(options)
        values = measures(columns, options.y[:1], "sum" if how == "none" else how)
        keys = {"x": category(find(columns, options.x))}
        return grouped(keys, values, "", "y0 DESC NULLS LAST, x")

    def figure(self, frame: pl.DataFrame, options: PieOptions, *, dark: bool) -> go.Figure:
        import plotly.graph_objects as go

        notes = []
        if not frame.is_empty() and frame["total"][0] > LIMIT:
            notes.append(f"The {LIMIT:,} largest of {frame['total'][0]:,} categories")
        whole = frame.filter(pl.col("y0") > 0).sort("y0", "x", descending=[True, False])
        if whole.is_empty():
            return nothing(options.title, dark=dark)
        if whole.height < frame.height:
            notes.append("Categories of zero or less have no slice")
        slices = whole.head(options.most)
        labels = [plain(each) for each in slices["x"].to_list()]
        values = slices["y0"].to_list()
        colours = [colour(at, dark) for at in range(len(labels))]
        if rest := whole.height - slices.height:
            if effective(options) in ("none", "count", "sum"):
                labels.append(f"{rest:,} others")
                values.append(whole["y0"][options.most :].sum())
                colours.append(palette(dark).grid)
            else:  # averages do not add up
                notes.append(f"The {slices.height} largest of {whole.height:,} categories")
        figure = blank(options.title, ". ".join(notes), dark=dark)
        form = number_format(max(values))
        figure.add_trace(
            go.Pie(
                name=plain(measured(options)[0]),
                labels=labels,
                values=values,
                hole=0.55 if options.hole else 0,
                sort=False,
                direction="clockwise",
                marker={"colors": colours, "line": {"color": palette(dark).surface, "width": 2}},
                textposition="outside",
                textinfo="label+percent",
                hovertemplate=f"%{{label}}<br>%{{value:{form}}} (%{{percent}})<extra></extra>",
            )
        )
        # Labels stand around the pie, so the note moves above them.
        figure.update_layout(showlegend=False, margin={"b": 40, "t": 80})
        figure.update_annotations(yshift=40)
        return figure
