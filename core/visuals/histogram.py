"""Bars of equal width: how the values of one column are spread."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import polars as pl
from pydantic import Field

from core.engine.relation import Query
from core.engine.results import Column
from core.errors import InvalidInput
from core.visual import Options, Visual
from core.visuals._axes import drawable
from core.visuals._canvas import blank, nothing
from core.visuals._columns import category, find, number, role
from core.visuals._points import LIMIT
from core.visuals._series import MOST_SERIES, colours
from core.visuals._text import plain
from core.visuals._theme import colour

if TYPE_CHECKING:
    import plotly.graph_objects as go


class HistogramOptions(Options):
    """A histogram's options; y and aggregate have no meaning here."""

    bins: int = Field(30, ge=2, le=200)


class Histogram(Visual[HistogramOptions]):
    """Counts the rows in equal bins of a number or a time, in the engine."""

    name = "histogram"
    label = "Histogram"
    icon = "equalizer"
    Options = HistogramOptions

    def query(self, columns: Sequence[Column], options: HistogramOptions) -> Query:
        """Ask for `low`, `high`, `y0` and `total`, and `colour` where asked for."""
        if not options.x or role(columns, options.x) == "category":
            raise InvalidInput(
                "A histogram needs a number or a time for X.", hint="For categories choose Bar."
            )
        measure = _measure(columns, options.x)
        group = category(find(columns, options.colour)) if options.colour else "''"
        width = f"((hi - lo) / {options.bins})"
        place = f"coalesce(least(floor((v - lo) / nullif({width}, 0)), {options.bins - 1}), 0)"
        low, high = f"lo + bin * {width}", f"lo + (bin + 1) * {width}"
        if role(columns, options.x) == "time":
            low, high = (f"make_timestamp(CAST(({edge}) * 1e6 AS BIGINT))" for edge in (low, high))
        return Query(
            f"SELECT {low} AS low, {high} AS high, colour, y0, count(*) OVER () AS total FROM "
            f"(SELECT {place} AS bin, colour, lo, hi, count(*) AS y0 FROM "
            f"(SELECT {measure} AS v, {group} AS colour FROM result) AS seen, "
            f"(SELECT min({measure}) AS lo, max({measure}) AS hi FROM result) AS span "
            f"WHERE v IS NOT NULL GROUP BY ALL) ORDER BY low, colour LIMIT {LIMIT}"
        )

    def figure(self, frame: pl.DataFrame, options: HistogramOptions, *, dark: bool) -> go.Figure:
        import plotly.graph_objects as go

        if frame.is_empty():
            return nothing(options.title, dark=dark)
        groups = colours(frame)
        note = ""
        if len(groups) > MOST_SERIES:
            note = f"The {MOST_SERIES} largest of {len(groups):,} series"
        figure = blank(options.title, note, dark=dark)
        for at, group in enumerate(groups[:MOST_SERIES]):
            part = frame.filter(pl.col("colour") == group)
            figure.add_trace(
                go.Bar(
                    name=plain(group),
                    x=part["low"].to_list(),
                    y=part["y0"].to_list(),
                    width=_widths(part),
                    offset=0,
                    customdata=part["high"].to_list(),
                    marker={"color": colour(at, dark)},
                    hovertemplate="%{x} to %{customdata}<br>%{y:,} rows",
                )
            )
        figure.update_layout(barmode="stack", bargap=0, showlegend=bool(options.colour))
        figure.update_traces(marker_line_width=0)
        figure.update_xaxes(title={"text": plain(options.x)})
        figure.update_yaxes(title={"text": "rows"})
        return figure


def _measure(columns: Sequence[Column], name: str) -> str:
    if role(columns, name) == "number":
        return f"({number(columns, name)})"
    moment = f"CAST(c{find(columns, name)} AS TIMESTAMP)"
    return f"(CASE WHEN {drawable(moment)} THEN epoch({moment}) END)"


def _widths(part: pl.DataFrame) -> list[Any]:
    """Return the widths of bars, in milliseconds on a time axis; one value alone gets some."""
    width = part["high"] - part["low"]
    if part.schema["low"].is_temporal():
        return [each or 86_400_000 for each in width.dt.total_milliseconds().to_list()]
    return [each or 1 for each in width.to_list()]
