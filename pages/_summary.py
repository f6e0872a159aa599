"""The Summary view: one line a column, with how its values lie."""

from __future__ import annotations

from typing import Any

import streamlit as st

from core.engine.profile import ColumnProfile, profile
from core.engine.results import ResultSet
from core.queries.runs import Entry
from pages._helpers import count


def show_summary(entry: Entry, result: ResultSet) -> None:
    """Draw the summary: a table of all columns, and one column's most frequent values."""
    profiles = _profiles(entry, result)
    notes = {each.note for each in profiles if each.note}
    for note in sorted(notes):
        st.caption(f"Figures are {note}." if note.startswith("from") else f"Here {note}.")
    st.dataframe(
        [_row(each) for each in profiles], column_config=_COLUMNS, hide_index=True, placeholder=""
    )
    with_top = {at: each for at, each in enumerate(profiles) if each.top}
    if not with_top:
        return
    chosen = st.selectbox(
        "Most frequent values of",
        [*with_top],
        width=320,
        format_func=lambda at: with_top[at].column.name or f"column {at + 1}",
        key=f"top-{result.id}",
    )
    each = with_top[chosen]
    filled = max(1, each.rows - each.nulls)
    rows = [{"Value": value, "Rows": rows, "Share": rows / filled} for value, rows in each.top]
    st.dataframe(rows, column_config=_TOP, hide_index=True, width=560)


_TOP = {"Share": st.column_config.ProgressColumn(format="percent", min_value=0, max_value=1)}
_COLUMNS = {
    "Null": st.column_config.ProgressColumn(format="percent", min_value=0, max_value=1),
    "Shape": st.column_config.BarChartColumn(y_min=0),
    "Mean": st.column_config.NumberColumn(format="%.6g"),
    "Deviation": st.column_config.NumberColumn(format="%.6g"),
}


def _profiles(entry: Entry, result: ResultSet) -> list[ColumnProfile]:
    """Profile once for each state of the result, and remember the last one."""
    key = (result.id, result.rows)
    known = st.session_state.get("profiles")
    if known is None or known[0] != key:
        with st.spinner("Looking at every column"):
            found = profile(
                result.columns,
                result.rows,
                lambda query: entry.session.over(entry.run, result, query),
            )
        known = st.session_state["profiles"] = (key, found)
    return list(known[1])


def _row(each: ColumnProfile) -> dict[str, Any]:
    return {
        "Column": each.column.name,
        "Type": each.column.type,
        "Null": each.nulls / each.rows if each.rows else 0.0,
        "Distinct": count(each.distinct),
        "Shape": [one.count for one in each.bins] or None,
        "Min": each.minimum,
        **quantile_columns(each),
        "Max": each.maximum,
        "Mean": each.mean,
        "Deviation": each.deviation,
    }


def quantile_columns(each: ColumnProfile) -> dict[str, str]:
    """Return the quantiles of a column as text, by their names."""
    sign = "≈ " if each.approximate else ""
    return {_quantile(share): sign + _shown(value) for share, value in each.quantiles}


def _quantile(share: float) -> str:
    return "Median" if share == 0.5 else f"{share:.0%}"


def _shown(value: float | str) -> str:
    # Of dates and times the engine gives the text.
    return f"{value:.6g}" if isinstance(value, float) else value
