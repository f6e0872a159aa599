"""The colours of charts in light and dark.

The series colours derive from Okabe and Ito's, which stay apart in the common kinds of colour
blindness; each has at least 3:1 contrast with its background (WCAG 2.2, 1.4.11).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Palette:
    """The colours of one theme, as `#rrggbb`; surface and text are those of the pages."""

    surface: str
    text: str
    muted: str
    grid: str
    series: tuple[str, ...]
    scale: tuple[str, ...]
    """From few to many."""


LIGHT = Palette(
    surface="#FFFFFF",
    text="#14211F",
    muted="#566562",
    grid="#E3EAE8",
    series=(
        "#0072B2", "#D55E00", "#00805E", "#A8568A", "#8F6500", "#2A7FB8", "#6B6B6B", "#7A6FC4",
    ),
    scale=("#EAF3FA", "#9CC8E4", "#4A98C9", "#0072B2", "#003F66"),
)  # fmt: skip
DARK = Palette(
    surface="#101817",
    text="#E4ECEA",
    muted="#A3B3AF",
    grid="#2C3A37",
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


def steps(scale: Sequence[str]) -> list[list[Any]]:
    """Return a scale of colours as plotly takes it: pairs of a place, 0 to 1, and a colour."""
    return [[at / (len(scale) - 1), colour] for at, colour in enumerate(scale)]
