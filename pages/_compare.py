"""Two schemas side by side, on the schema page: what differs, the SQL for it, and snapshots."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import streamlit as st

from core.catalog.alters import Dialect, alters
from core.catalog.differences import STATES, Comparison, State, TableChange
from core.catalog.places import Place, snapshot_address
from core.catalog.snapshots import Snapshot
from core.workbench import Workspace
from pages._compare_table import show_change
from pages._helpers import ago, count, errors_shown, escaped, local_time
from pages._snapshots import show_snapshots

VIEWS = ["Differences", "SQL", "Snapshots"]
PAGE = 100
"""Tables listed at once."""
LINES = 1_000
"""Lines of SQL shown; the file that is downloaded has them all."""
COLOURS: dict[State, str] = {"added": "green", "removed": "red", "changed": "orange"}
DIALECTS: dict[Dialect, str] = {"duckdb": "DuckDB", "postgres": "PostgreSQL"}


@dataclass(frozen=True)
class _Compared:
    """A comparison that this browser tab has made, of which sides and when."""

    sides: tuple[str, str]
    comparison: Comparison
    at: datetime


def show_compare(here: Workspace) -> None:
    """Draw the comparison of the two sides that the address names."""
    st.title("Compare schemas")
    st.button(
        "All tables", icon=":material/arrow_back:", on_click=st.query_params.clear, type="tertiary"
    )
    with errors_shown():
        places, snapshots = here.comparisons.places(), here.comparisons.snapshots()
        sides = _show_choice(places, snapshots)
        view = st.segmented_control(
            "Show", VIEWS, default=VIEWS[0], key="compare-view", label_visibility="collapsed"
        )
        if view == "Snapshots":
            show_snapshots(here, places, snapshots)
        elif sides is None:
            st.info("Choose what to compare: two schemas, or one and a snapshot of it.")
        else:
            _show_compared(_compared(here, sides), sql=view == "SQL")


def _show_choice(places: Sequence[Place], snapshots: Sequence[Snapshot]) -> tuple[str, str] | None:
    labels = {each.address: each.address for each in places}
    labels |= {snapshot_address(each.id): _label(each) for each in snapshots}
    sides = []
    for key, column in zip(("left", "right"), st.columns(2), strict=True):
        wanted = st.query_params.get(key, "")
        options = [*labels, *([wanted] if wanted and wanted not in labels else [])]
        chosen = column.selectbox(
            key.capitalize(),
            options,
            index=options.index(wanted) if wanted else None,
            format_func=lambda each: labels.get(each, each),
            placeholder="a schema or a snapshot",
            key=f"compare-{key}-{wanted}",
        )
        if chosen and chosen != wanted:
            st.query_params[key] = chosen
        sides.append(chosen)
    left, right = sides
    return (left, right) if left and right else None


def _label(snapshot: Snapshot) -> str:
    name = f" · {snapshot.name}" if snapshot.name else ""
    place = Place(snapshot.catalog, snapshot.schema).address
    return f"{place} as of {local_time(snapshot.taken_at)}{name}"


def _compared(here: Workspace, sides: tuple[str, str]) -> _Compared:
    """Compare, unless this tab has just done that: drawing a page again reads no source."""
    known = st.session_state.get("compared")
    if isinstance(known, _Compared) and known.sides == sides:
        return known
    st.session_state.pop("compared", None)
    with st.spinner("Reading both schemas"):
        made = _Compared(sides, here.comparisons.compare(*sides), datetime.now(UTC))
    st.session_state["compared"] = made
    return made


def _show_compared(compared: _Compared, *, sql: bool) -> None:
    comparison = compared.comparison
    row = st.container(horizontal=True, vertical_alignment="center")
    row.markdown(_summary(comparison), width="content")
    row.caption(f"Compared {ago(compared.at)}", width="content")
    row.button(
        "Compare again",
        icon=":material/refresh:",
        on_click=st.session_state.pop,
        args=("compared",),
        type="tertiary",
    )
    if comparison.equal:
        st.success(
            f"Nothing differs: {count(comparison.same, 'table')} "
            f"{'is' if comparison.same == 1 else 'are'} the same on both sides.",
            icon=":material/check:",
        )
    elif sql:
        _show_sql(comparison)
    else:
        _show_differences(comparison)
    if comparison.reordered and not sql:
        names = ", ".join(comparison.reordered[:10])
        more = (
            f" and {count(len(comparison.reordered) - 10)} more"
            if comparison.reordered[10:]
            else ""
        )
        st.caption(f"Columns in another order, which is not counted: {escaped(names)}{more}")


def _summary(comparison: Comparison) -> str:
    told = [
        f":{COLOURS[state]}-badge[{comparison.count(state):,} {state}]"
        for state in STATES
        if comparison.count(state)
    ]
    return " ".join([*told, f":gray-badge[{comparison.same:,} the same]"])


def _show_differences(comparison: Comparison) -> None:
    row = st.container(horizontal=True, vertical_alignment="bottom")
    text = row.text_input(
        "Filter", placeholder="a word in the name of a table or column", key="compare-filter"
    )
    states = row.pills(
        "State", STATES, selection_mode="multi", key="compare-states", format_func=str.capitalize
    )
    found = [each for each in comparison.changes if _fits(each, text, states)]
    if not found:
        st.caption("No table that differs fits.")
        return
    guesses = {each.right: f"perhaps renamed from {each.left}" for each in comparison.renames}
    guesses |= {each.left: f"perhaps renamed to {each.right}" for each in comparison.renames}
    pages = -(-len(found) // PAGE)
    at = min(st.session_state.get("compare-page", 1), pages) - 1
    shown = found[at * PAGE : (at + 1) * PAGE]
    picked = st.dataframe(
        [
            {
                "Table": each.name,
                "State": each.state,
                "Kind": each.kind,
                "What differs": _told(each, guesses.get(each.name, "")),
            }
            for each in shown
        ],
        hide_index=True,
        placeholder="",
        height=320 if len(shown) > 8 else "auto",
        column_config={"What differs": st.column_config.TextColumn(width="large")},
        key="compare-tables",
        on_select="rerun",
        selection_mode="single-row",
    )
    if pages > 1:
        st.pagination(pages, key="compare-page")
    chosen = picked.selection.rows
    if len(shown) == 1:
        show_change(comparison, shown[0])
    elif chosen and chosen[0] < len(shown):
        show_change(comparison, shown[chosen[0]])
    else:
        st.caption("Select a table to see both sides of it.")


def _told(change: TableChange, guess: str) -> str:
    if told := change.told():
        return ", ".join(told)
    whole = change.right or change.left
    columns = count(len(whole.columns), "column") if whole else ""
    return f"{columns}, {guess}" if guess else columns


def _fits(change: TableChange, text: str, states: Sequence[State]) -> bool:
    if states and change.state not in states:
        return False
    names = [change.name, *(each.left.name for each in change.columns if each.left)]
    names += [each.right.name for each in change.columns if each.right]
    told = "\n".join(names).lower()
    return all(word in told for word in text.lower().split())


def _show_sql(comparison: Comparison) -> None:
    row = st.container(horizontal=True, vertical_alignment="bottom")
    dialect = row.segmented_control(
        "Written for",
        list(DIALECTS),
        default=comparison.spoken,
        format_func=DIALECTS.__getitem__,
        key=f"compare-dialect-{comparison.spoken}",
    )
    sql = alters(comparison, dialect or comparison.spoken)
    lines = sql.splitlines()
    row.download_button(
        "Download",
        sql,
        file_name="change.sql",
        mime="application/sql",
        icon=":material/download:",
        on_click="ignore",
    )
    if len(lines) > LINES:
        st.warning(f"The first {LINES:,} of {len(lines):,} lines. Download it to have them all.")
    st.code("\n".join(lines[:LINES]), language="sql", height=480 if len(lines) > 24 else "content")
