"""The Chart view of a result: a form for the options, and the figure."""

from __future__ import annotations

from typing import Any

import streamlit as st

from core.engine.results import ResultSet
from core.plugins import discover
from core.queries.runs import Entry
from core.visual import Aggregate, Options, Visual
from core.visuals import suggest

AGGREGATES = [*Aggregate.__args__]


@st.cache_resource
def _kinds() -> dict[str, Visual[Any]]:
    return discover("core.visuals", Visual).found


def show_chart(entry: Entry, result: ResultSet) -> None:
    """Draw the form and the chart."""
    if not result.rows:
        st.caption("There are no rows to draw.")
        return
    kinds = _kinds()
    names = list(dict.fromkeys(column.name for column in result.columns))
    kind, chosen_first = suggest(result.columns, result.rows)
    first = kinds[kind].Options(**chosen_first)
    key = f"chart-{hash(result.columns)}"
    row = st.container(horizontal=True, vertical_alignment="bottom")
    chosen = row.selectbox(
        "Type",
        [*kinds],
        index=[*kinds].index(kind),
        key=f"{key}-kind",
        width=150,
        format_func=lambda each: kinds[each].label,
    )
    x = row.selectbox(
        "X", ["", *names], index=_at(["", *names], first.x), key=f"{key}-x", width=180
    )
    y = row.multiselect("Y", names, default=list(first.y), key=f"{key}-y", width=260)
    colour = row.selectbox(
        "Colour", ["", *names], index=_at(["", *names], first.colour), key=f"{key}-c", width=180
    )
    aggregate = row.selectbox(
        "Aggregate", AGGREGATES, index=AGGREGATES.index(first.aggregate), key=f"{key}-a", width=130
    )
    visual = kinds[chosen]
    fields: dict[str, Any] = {"x": x, "y": tuple(y), "colour": colour, "aggregate": aggregate}
    if "row" in visual.Options.model_fields:
        fields["row"] = row.selectbox("Row", ["", *names], key=f"{key}-row", width=180)
        if not (x and fields["row"]):
            st.caption("Choose a column for X and one for Row.")
            return
    options = visual.Options(**fields)
    st.plotly_chart(_figure(entry, result, visual, options), theme=None, key=f"{key}-figure")


def _figure(entry: Entry, result: ResultSet, visual: Visual[Any], options: Options) -> Any:
    """Build the figure once for each state of result, options and theme."""
    dark = st.context.theme.type == "dark"
    key = (result.id, result.rows, visual.name, options, dark)
    known = st.session_state.get("figure")
    if known is None or known[0] != key:
        query = visual.query(result.columns, options)
        frame = entry.session.over(entry.run, result, query)
        known = st.session_state["figure"] = (key, visual.figure(frame, options, dark=dark))
    return known[1]


def _at(names: list[str], name: str) -> int:
    return names.index(name) if name in names else 0
