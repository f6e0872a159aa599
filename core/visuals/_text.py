"""The words and numbers on a chart: names of values, labels, formats."""

from __future__ import annotations

from html import escape
from typing import Any

import polars as pl

from core.visual import Options
from core.visuals._points import effective


def plain(text: str) -> str:
    """Keep a text from being read as markup, which plotly allows in every label."""
    return escape(text, quote=False)


def number_format(largest: float) -> str:
    """Return the d3 format in which numbers up to `largest` are read easily."""
    return ",.4~f" if largest >= 0.01 or largest == 0 else ".4~g"


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
