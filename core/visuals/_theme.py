"""The look of charts in light and dark: colours, type, grid, number formats.

The series colours derive from Okabe and Ito's, which stay apart in the common kinds of colour
blindness; each has at least 3:1 contrast with its background (WCAG 2.2, 1.4.11).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from html import escape
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import plotly.graph_objects as go


@dataclass(frozen=True)
class Palette:
    """The colours of one theme, as `#rrggbb`."""

    surface: str
    text: str
    muted: str
    grid: str
    series: tuple[str, ...]
    scale: tuple[str, ...]
    """From few to many."""


LIGHT = Palette(
    surface="#FFFFFF",
    text="#1F2933",
    muted="#5A6572",
    grid="#E4E8EC",
    series=(
        "#0072B2", "#D55E00", "#00805E", "#A8568A", "#8F6500", "#2A7FB8", "#6B6B6B", "#7A6FC4",
    ),
    scale=("#EAF3FA", "#9CC8E4", "#4A98C9", "#0072B2", "#003F66"),
)  # fmt: skip
DARK = Palette(
    surface="#0E1117",
    text="#E6EAEE",
    muted="#A3ADB8",
    grid="#2A313A",
    series=(
        "#56B4E9", "#E69F00", "#2BC49A", "#CC79A7", "#F0E442", "#FF8A4C", "#B8B8B8", "#8FA2FF",
    ),
    scale=("#16222E", "#1F4A6B", "#2E7FB3", "#56B4E9", "#C9E8FB"),
)  # fmt: skip

# Beyond the eight colours, series differ by dash as well.
DASHES = ("solid", "dash", "dot")


def palette(dark: bool) -> Palette:
    """Return the colours of a theme."""
    return DARK if dark else LIGHT


def colour(at: int, dark: bool) -> str:
    """Return the colour of series number `at`, from 0."""
    series = palette(dark).series
    return series[at % len(series)]


def plain(text: str) -> str:
    """Keep a text from being read as markup, which plotly allows in every label."""
    return escape(text, quote=False)


def number_format(largest: float) -> str:
    """Return the d3 format in which numbers up to `largest` are read easily."""
    return ",.4~f" if largest >= 0.01 or largest == 0 else ".4~g"


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
            "font": {"color": colours.text, "size": 13},
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


def steps(scale: Sequence[str]) -> list[list[Any]]:
    """Return a scale of colours as plotly takes it: pairs of a place, 0 to 1, and a colour."""
    return [[at / (len(scale) - 1), colour] for at, colour in enumerate(scale)]
