"""The Profile of a table: what is in each column, from a sample at once, exactly in a while."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

from core.catalog.drift import Change, percent
from core.catalog.exact import ExactPass
from core.catalog.models import Table
from core.catalog.personal import likely
from core.catalog.table_profile import TableProfile
from core.engine.profile import ColumnProfile
from core.jobs.models import Plan
from core.workbench import Workspace
from pages._helpers import (
    ago,
    count,
    duration,
    errors_shown,
    escaped,
    first_line,
    local_time,
    show_error,
)
from pages._summary import quantile_columns

COLUMNS_SHOWN = 50
"""Columns on the page at once: of 2,000 nobody reads more, and a first profile takes as long."""
_CHANGES_SHOWN = 5


def show_profile(here: Workspace, table: Table) -> None:
    """Draw the profile of a table. Raises what the engine cannot read."""
    exact = here.profiles.under_way(table)
    kept = here.profiles.kept(table)
    chosen = _chosen(kept)
    _show_changes(here.profiles.drift(kept[kept.index(chosen) :] if chosen else kept), kept)
    bar = st.container(horizontal=True, vertical_alignment="center")
    part = _part(bar, len(table.columns))
    _show_buttons(here, table, bar, exact, part)
    if exact is not None and not exact.ended:
        _show_progress(exact)
    elif exact is not None and exact.error is not None:
        show_error(exact.error)
    with errors_shown():
        basis, rows = _figures(here, table, chosen, exact, part)
        st.caption(f"{basis}.")
        _show_columns(rows)
        _show_values(rows, table)
    _show_nightly(here, table)


def _figures(
    here: Workspace,
    table: Table,
    chosen: TableProfile | None,
    exact: ExactPass | None,
    part: slice,
) -> tuple[str, list[ColumnProfile]]:
    """Return what the figures are of, and those of the columns on the page."""
    places = range(len(table.columns))[part]
    if chosen is not None and _fits(chosen, table):
        shown = list(chosen.columns[part])
        basis = f"Exact, {chosen.basis}, as of {local_time(chosen.taken_at)}"
    else:
        with st.spinner("Looking at a sample"):
            first = here.profiles.first(table, part)
        shown = list(first.columns)
        basis = f"{first.basis[0].upper()}{first.basis[1:]}, {ago(first.taken_at)}"
    if exact is None or exact.ended:
        return basis, shown
    counted = here.profiles.so_far(exact)
    if counted:
        basis += f"; {count(len(counted), 'column')} counted exactly so far"
    rows = [counted.get(at, each) for at, each in zip(places, shown, strict=True)]
    return basis, rows


def _fits(profile: TableProfile, table: Table) -> bool:
    """A kept profile is of the table as it was: after a change, a first look tells more."""
    return tuple(each.column for each in profile.columns) == table.columns


def _chosen(kept: Sequence[TableProfile]) -> TableProfile | None:
    """Let people choose a kept profile; the last is shown, unless they want a new look."""
    if not kept:
        return None
    labels = {at: f"Exact, {local_time(each.taken_at)}" for at, each in enumerate(kept)}
    at = st.selectbox(
        "Profile",
        [*labels, -1],
        format_func=lambda at: labels.get(at, "A new look, at a sample"),
        key="profile-kept",
        width=320,
        help=f"The last {len(kept)} exact profiles are kept, up to 20 of a table.",
    )
    return None if at == -1 else kept[at]


def _show_changes(changes: Sequence[Change], kept: Sequence[TableProfile]) -> None:
    if not changes:
        if len(kept) > 1:
            st.caption(f"Nothing has drifted since {local_time(kept[1].taken_at)}.")
        return
    shown = changes[:_CHANGES_SHOWN]
    lines = [f"- {_sentence(each)}" for each in shown]
    if len(changes) > len(shown):
        lines.append(f"- {count(len(changes) - len(shown), 'smaller change')} more")
    st.warning("Since the profile before:\n\n" + "\n".join(lines), icon=":material/trending_up:")


def _sentence(change: Change) -> str:
    text = change.sentence[0].upper() + change.sentence[1:]
    return escaped(text).replace(r"\`", "`" if "`" not in change.column else r"\`")


def _part(bar: Any, columns: int) -> slice:
    pages = -(-columns // COLUMNS_SHOWN)
    if pages < 2:
        return slice(0, COLUMNS_SHOWN)
    page = bar.selectbox(
        "Columns",
        range(pages),
        format_func=lambda at: (
            f"Columns {at * COLUMNS_SHOWN + 1:,} to "
            f"{min(columns, (at + 1) * COLUMNS_SHOWN):,} of {columns:,}"
        ),
        key="profile-part",
        label_visibility="collapsed",
        width=260,
    )
    return slice(page * COLUMNS_SHOWN, (page + 1) * COLUMNS_SHOWN)


def _show_buttons(
    here: Workspace, table: Table, bar: Any, exact: ExactPass | None, part: slice
) -> None:
    bar.button(
        "Count all rows",
        icon=":material/functions:",
        on_click=here.profiles.start_exact,
        args=(table,),
        disabled=exact is not None and not exact.ended,
        key="profile-exact",
        help="Reads the whole table in the background, and keeps the figures.",
    )
    bar.button(
        "Refresh",
        icon=":material/refresh:",
        on_click=_refresh,
        args=(here, table, part),
        key="profile-again",
        type="tertiary",
        help="Looks at another sample of the table as it is now.",
    )


def _show_nightly(here: Workspace, table: Table) -> None:
    """Offer to keep a profile every night, or tell of the job that does."""
    jobs = [each.job for each in here.jobs.list() if each.job.kind == "profile"]
    ours = next((each for each in jobs if table.address in each.options.get("tables", ())), None)
    if ours is not None:
        st.caption(f"Kept by the job *{escaped(ours.title)}*, {escaped(ours.schedule.words())}.")
        return
    st.button(
        "Keep one every night",
        icon=":material/bedtime:",
        on_click=_keep_nightly,
        args=(here, table),
        key="profile-nightly",
        type="tertiary",
        help="Plans a job that counts all rows at 03:00. It can be changed on the Jobs page.",
    )


def _keep_nightly(here: Workspace, table: Table) -> None:
    plan = Plan(
        kind="profile",
        title=f"Profile of {table.reference}"[:200],
        options={"tables": [table.address]},
        cron="0 3 * * *",
        zone=st.context.timezone or "UTC",
    )
    with errors_shown():
        here.jobs.add(plan)


def _refresh(here: Workspace, table: Table, part: slice) -> None:
    with errors_shown():
        here.profiles.first(table, part, again=True)
    if "profile-kept" in st.session_state:
        st.session_state["profile-kept"] = -1


def _show_progress(exact: ExactPass) -> None:
    """Draw how far the exact pass is, and the page again when a column has come."""
    seen = len(exact.seen())

    @st.fragment(run_every=0.5)
    def progress() -> None:
        if exact.ended or len(exact.seen()) > seen:
            st.rerun()
        row = st.container(horizontal=True, vertical_alignment="center")
        words = "Stopping" if exact.stopping else f"Counting: {exact.progress:.0%}"
        row.progress(exact.progress, text=f"{words}, {duration(exact.elapsed)}")
        row.button(
            "Cancel",
            icon=":material/stop:",
            on_click=exact.cancel,
            key="profile-cancel",
            disabled=exact.stopping,
        )

    progress()


_WIDEST = 22
"""Characters of an end that fit: of a longer text to the right its beginning would be cut off."""
_LOOK = {
    **{
        name: st.column_config.TextColumn(alignment="right", width=160)
        for name in ("Min", "Median", "Max")
    },
    "Null": st.column_config.ProgressColumn(format="percent", min_value=0, max_value=1),
    "Shape": st.column_config.BarChartColumn(y_min=0),
    "Distinct": st.column_config.NumberColumn(format="localized"),
    "Mean": st.column_config.NumberColumn(format="%.6g"),
}


def _show_columns(profiles: Sequence[ColumnProfile]) -> None:
    if not profiles:
        st.caption("The table has no columns.")
        return
    height = "content" if len(profiles) <= 20 else 740
    rows = [_row(each) for each in profiles]
    if not any(row["Likely"] for row in rows):
        for row in rows:
            del row["Likely"]
    st.dataframe(rows, column_config=_LOOK, hide_index=True, placeholder="", height=height)


def _row(each: ColumnProfile) -> dict[str, Any]:
    personal = likely(each)
    return {
        "Column": each.column.name,
        "Type": each.column.type,
        "Likely": personal.kind if personal else None,
        "Null": each.nulls / each.rows if each.rows else 0.0,
        "Distinct": each.distinct,
        "Shape": [one.count for one in each.bins] or None,
        "Min": "hidden" if personal else first_line(each.minimum or "", _WIDEST),
        "Median": quantile_columns(each).get("Median"),
        "Max": "hidden" if personal else first_line(each.maximum or "", _WIDEST),
        "Mean": each.mean,
        "Pattern": each.shapes[0][0] if each.shapes else None,
        "Length": _length(each),
    }


def _length(each: ColumnProfile) -> str | None:
    if each.lengths is None:
        return None
    least, mean, most = each.lengths
    return f"{least:,}" if least == most else f"{least:,} to {most:,}, mean {mean:,.1f}"


_SHARE = {"Share": st.column_config.ProgressColumn(format="percent", min_value=0, max_value=1)}


def _show_values(profiles: Sequence[ColumnProfile], table: Table) -> None:
    """Show one column's values in full, and why it is likely personal."""
    if not profiles:
        return
    names = {each.column.name: each for each in profiles}
    name = st.selectbox(
        "Look closer at", [*names], key=f"profile-column-{table.address}", width=320
    )
    each = names[name]
    personal = likely(each)
    if personal:
        st.info(
            f"{escaped(personal.words.capitalize())}. Its values are not shown here, nor kept "
            "with the profile.",
            icon=":material/shield_person:",
        )
    left, right = st.columns(2)
    filled = max(1, each.rows - each.nulls)
    if each.top:
        rows = [{"Value": value, "Rows": n, "Share": n / filled} for value, n in each.top]
        left.dataframe(rows, column_config=_SHARE, hide_index=True)
    elif not personal and filled > 1:
        left.caption("No value stands out: hardly any is there twice.")
    if each.quantiles:
        ends = {"Min": each.minimum, **quantile_columns(each), "Max": each.maximum}
        rows = [{"Below": name, "Value": value} for name, value in ends.items()]
        look = {"Value": st.column_config.TextColumn(alignment="right")}
        right.dataframe(rows, column_config=look, hide_index=True)
    if each.shapes:
        shapes = [{"Pattern": shape, "Share": percent(share)} for shape, share in each.shapes]
        right.dataframe(shapes, hide_index=True)
        right.caption("A, a and 9 stand for a capital, a small letter and a digit; + repeats.")
