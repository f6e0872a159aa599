"""Boxes: the middle half of a number, and how far the rest reaches, per category."""

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
from core.visuals._columns import category, find, number
from core.visuals._points import LIMIT
from core.visuals._text import labels, plain
from core.visuals._theme import colour

if TYPE_CHECKING:
    import plotly.graph_objects as go

_FACTS = ("count", "low", "q1", "median", "q3", "high", "mean")


class BoxOptions(Options):
    """A box chart's options; aggregate has no meaning here."""

    most: int = Field(30, ge=1, le=200, description="Categories shown: those of most rows.")


class Box(Visual[BoxOptions]):
    """Draws a box per category of x and measure, computed in the engine from every row.

    Whiskers reach 1.5 box lengths, or the extreme value where that is nearer.
    """

    name = "box"
    label = "Box"
    icon = "candlestick_chart"
    Options = BoxOptions

    def query(self, columns: Sequence[Column], options: BoxOptions) -> Query:
        """Ask for one row per category, seven figures per measure: `q10` is the first's q1."""
        if not options.y:
            raise InvalidInput("Choose a column of numbers for Y.")
        x = category(find(columns, options.x)) if options.x else "'All'"
        parts = []
        for at, name in enumerate(options.y):
            value = number(columns, name)
            parts += [
                f"count({value}) AS count{at}, min({value}) AS low{at}, max({value}) AS high{at}, "
                f"avg({value}) AS mean{at}, quantile_cont({value}, 0.25) AS q1{at}, "
                f"median({value}) AS median{at}, quantile_cont({value}, 0.75) AS q3{at}"
            ]
        return Query(
            f"SELECT *, count(*) OVER () AS total FROM (SELECT {x} AS x, {', '.join(parts)} "
            f"FROM result GROUP BY 1) WHERE count0 > 0 ORDER BY count0 DESC, x LIMIT {LIMIT}"
        )

    def figure(self, frame: pl.DataFrame, options: BoxOptions, *, dark: bool) -> go.Figure:
        import plotly.graph_objects as go

        if frame.is_empty():
            return nothing(options.title, dark=dark)
        shown = frame.head(options.most).sort("x")
        note = ""
        if frame["total"][0] > shown.height:
            note = f"The {shown.height} of {frame['total'][0]:,} categories with most rows"
        figure = blank(options.title, note, dark=dark)
        for at, name in enumerate(options.y):
            q1, q3 = shown[f"q1{at}"], shown[f"q3{at}"]
            reach = 1.5 * (q3 - q1)
            figure.add_trace(
                go.Box(
                    name=plain(name),
                    x=labels(shown["x"]),
                    q1=q1.to_list(),
                    median=shown[f"median{at}"].to_list(),
                    q3=q3.to_list(),
                    mean=shown[f"mean{at}"].to_list(),
                    lowerfence=_nearer(shown[f"low{at}"], q1 - reach, "max"),
                    upperfence=_nearer(shown[f"high{at}"], q3 + reach, "min"),
                    marker={"color": colour(at, dark)},
                    line={"width": 1.5},
                )
            )
        figure.update_layout(boxmode="group", showlegend=len(options.y) > 1)
        figure.update_xaxes(type="category", title={"text": plain(options.x)})
        one = plain(options.y[0]) if len(options.y) == 1 else ""
        figure.update_yaxes(title={"text": one})
        return figure


def _nearer(extreme: pl.Series, fence: pl.Series, how: str) -> list[float | None]:
    both = pl.DataFrame({"extreme": extreme, "fence": fence})
    pick = pl.max_horizontal if how == "max" else pl.min_horizontal
    return both.select(pick("extreme", "fence")).to_series().to_list()
