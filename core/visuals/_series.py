"""From an answer's frame to named series and axes: what kinds with x and y share."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import polars as pl

from core.visual import Options
from core.visuals._points import effective
from core.visuals._theme import blank, number_format, plain

if TYPE_CHECKING:
    import plotly.graph_objects as go

MOST_SERIES = 12
WEBGL_ABOVE = 1_000


@dataclass(frozen=True)
class Series:
    """One line, or one colour of bars: x and y of the same length."""

    name: str
    x: list[Any]
    y: list[float | None]


def series(frame: pl.DataFrame, options: Options) -> Iterator[Series]:
    """Split a frame by colour and by measure; of many colours only the largest remain."""
    for group, part in _by_colour(frame):
        for at, name in enumerate(measured(options)):
            label = name if group is None else group
            if group is not None and len(options.y) > 1:
                label = f"{group}, {name}"
            yield Series(plain(label), labels(part["x"]), part[f"y{at}"].to_list())


def _by_colour(frame: pl.DataFrame) -> Iterator[tuple[str | None, pl.DataFrame]]:
    if "colour" not in frame.columns:
        yield None, frame
        return
    for group in colours(frame)[:MOST_SERIES]:
        yield group, frame.filter(pl.col("colour") == group)


def colours(frame: pl.DataFrame) -> list[str]:
    """List the colours of a frame, the one with the largest sum first."""
    size = pl.col("y0").abs().sum() if "y0" in frame.columns else pl.len()
    ranked = frame.group_by("colour").agg(size.alias("size"))
    return ranked.sort("size", "colour", descending=[True, False])["colour"].to_list()


def labels(values: pl.Series) -> list[Any]:
    """Return the values of an axis; text is kept from being read as markup."""
    listed = values.to_list()
    return [plain(each) for each in listed] if values.dtype == pl.String else listed


def measured(options: Options) -> list[str]:
    """Name the values as a reader would: `avg of delay`, `rows`, or the column itself."""
    aggregate = effective(options)
    if not options.y:
        return ["rows"]
    if aggregate == "none":
        return list(options.y)
    how = "distinct values" if aggregate == "distinct" else aggregate
    return [f"{how} of {name}" for name in options.y]


def note(frame: pl.DataFrame, options: Options) -> str:
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


def canvas(
    frame: pl.DataFrame, options: Options, *, dark: bool, also: str = ""
) -> tuple[go.Figure, str]:
    """Make a figure with titled axes, and the hover format of its values."""
    notes = [each for each in (note(frame, options), also) if each]
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
