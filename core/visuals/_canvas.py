"""The figure before anything is drawn in it: theme, title, notes, axes.

The only place that knows plotly's layout; plotly is imported when a figure is made, not before.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import polars as pl

from core.visual import Options
from core.visuals._points import effective
from core.visuals._series import MOST_SERIES
from core.visuals._text import measured, number_format, plain
from core.visuals._theme import palette

if TYPE_CHECKING:
    import plotly.graph_objects as go

_FONT = "'Source Sans', 'Source Sans 3', system-ui, sans-serif"


def blank(title: str, note: str, *, dark: bool) -> go.Figure:
    """Make a figure with nothing drawn yet; `note` stands small above the plot."""
    import plotly.graph_objects as go

    figure = go.Figure()
    figure.update_layout(template=_template(dark))
    if title:
        figure.update_layout(title={"text": plain(title)})
    if note:
        figure.add_annotation(
            text=plain(note), xref="paper", yref="paper", x=0, y=1, xanchor="left",
            yanchor="bottom", showarrow=False, font={"size": 12, "color": palette(dark).muted},
        )  # fmt: skip
    return figure


def nothing(title: str, *, dark: bool) -> go.Figure:
    """Make a figure that says that there is nothing to draw."""
    figure = blank(title, "", dark=dark)
    figure.add_annotation(
        text="No rows to draw.", xref="paper", yref="paper", x=0.5, y=0.5, showarrow=False
    )
    figure.update_xaxes(visible=False)
    figure.update_yaxes(visible=False)
    return figure


def canvas(
    frame: pl.DataFrame, options: Options, *, dark: bool, also: str = ""
) -> tuple[go.Figure, str]:
    """Make a figure with titled axes, and the hover format of its values."""
    notes = [each for each in (_note(frame, options), also) if each]
    figure = blank(options.title, ". ".join(notes), dark=dark)
    names = measured(options)
    figure.update_xaxes(title={"text": plain(options.x or ("" if _one(frame) else "row"))})
    figure.update_yaxes(title={"text": plain(names[0]) if len(names) == 1 else ""})
    if frame.schema["x"].is_temporal():
        figure.update_xaxes(type="date")
    elif frame.schema["x"] == pl.String:
        # Else '2013' and '007' would be drawn as numbers.
        figure.update_xaxes(type="category")
    figure.update_layout(showlegend="colour" in frame.columns or len(names) > 1)
    return figure, number_format(_largest(frame))


def _one(frame: pl.DataFrame) -> bool:
    return frame.schema["x"] == pl.String


def _largest(frame: pl.DataFrame) -> float:
    values = [frame[name].abs().max() for name in frame.columns if name.startswith("y")]
    return max((float(each) for each in values if isinstance(each, int | float)), default=0.0)


def _note(frame: pl.DataFrame, options: Options) -> str:
    """Say what is left out: points beyond the limit, colours beyond the first twelve."""
    parts = []
    total = frame["total"][0]
    if total > frame.height and effective(options) == "none":
        parts.append(f"A sample of {frame.height:,} of {total:,} rows")
    elif total > frame.height:
        parts.append(f"The first {frame.height:,} of {total:,} points")
    if "colour" in frame.columns and (count := frame["colour"].n_unique()) > MOST_SERIES:
        parts.append(f"the {MOST_SERIES} largest of {count:,} series")
    text = "; ".join(parts)
    return text[:1].upper() + text[1:]


@lru_cache(maxsize=2)
def _template(dark: bool) -> Any:
    import plotly.graph_objects as go

    colours = palette(dark)
    axis = {
        "gridcolor": colours.grid,
        "linecolor": colours.muted,
        "zerolinecolor": colours.muted,
        "zerolinewidth": 1,
        "tickcolor": colours.muted,
        "tickfont": {"color": colours.muted},
        "automargin": True,
        "separatethousands": True,
        "title": {"standoff": 12},
    }
    return go.layout.Template(
        layout={
            "paper_bgcolor": colours.surface,
            "plot_bgcolor": colours.surface,
            "font": {"color": colours.text, "size": 13, "family": _FONT},
            "title": {
                "x": 0,
                "xref": "paper",
                "y": 1,
                "yref": "container",
                "yanchor": "top",
                "pad": {"t": 8},
                "font": {"size": 16},
            },
            "colorway": list(colours.series),
            "hoverlabel": {
                "bgcolor": colours.surface,
                "bordercolor": colours.muted,
                "font": {"color": colours.text},
            },
            # Below the plot: above it stand the title, the note and plotly's own buttons.
            "legend": {
                "orientation": "h",
                "yref": "container",
                "yanchor": "bottom",
                "y": 0,
                "x": 0,
            },
            "margin": {"l": 8, "r": 16, "t": 56, "b": 8},
            "separators": ".,",
            "xaxis": {**axis, "showgrid": False},
            "yaxis": axis,
            "bargap": 0.15,
        }
    )
