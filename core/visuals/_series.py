"""From an answer's frame to named series: what kinds with x and y share."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import polars as pl

from core.visual import Options
from core.visuals._text import labels, measured, plain

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
