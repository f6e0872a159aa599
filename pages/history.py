"""The history page: every query that ran, and those that people saved."""

from __future__ import annotations

import streamlit as st

from core.errors import MillpondError
from core.queries.models import HistoryEntry
from core.workbench import Workspace
from pages._helpers import (
    ago,
    count,
    errors_shown,
    escaped,
    first_line,
    go_button,
    show_error,
    workspace,
)

STATES = ["all", "done", "failed", "cancelled", "running", "interrupted"]
PAGE = 200


def render() -> None:
    """Draw the page."""
    here = workspace()
    st.title("History")
    view = st.segmented_control(
        "Show", ["Runs", "Saved queries"], default="Runs", label_visibility="collapsed"
    )
    with errors_shown():
        if view == "Saved queries":
            _show_saved(here)
        else:
            _show_runs(here)


def _show_runs(here: Workspace) -> None:
    row = st.container(horizontal=True, vertical_alignment="bottom")
    text = row.text_input("Search", placeholder="a word in the SQL or the error")
    state = row.selectbox("State", STATES, width=160)
    entries = here.queries.history(text, state=None if state == "all" else state, limit=PAGE)
    if not entries:
        st.caption(
            "No query fits." if text or state != "all" else "Queries that you run appear here."
        )
        return
    rows = [_row(entry) for entry in entries]
    picked = st.dataframe(
        rows,
        hide_index=True,
        placeholder="",
        height=420 if len(rows) > 10 else "auto",
        column_config=_COLUMNS,
        key="runs",
        on_select="rerun",
        selection_mode="single-row",
    )
    if len(entries) == PAGE:
        st.caption(f"The latest {PAGE}; search to find older ones.")
    chosen = picked.selection.rows
    if chosen and chosen[0] < len(entries):
        _show_entry(entries[chosen[0]])
    else:
        st.caption("Select a row to read the whole query and to open it.")


_COLUMNS = {
    "Started": st.column_config.DatetimeColumn(format="YYYY-MM-DD HH:mm:ss"),
    "SQL": st.column_config.TextColumn(width="large"),
    "Seconds": st.column_config.NumberColumn(format="%.3f"),
}


def _row(entry: HistoryEntry) -> dict[str, object]:
    return {
        "Started": entry.started_at,
        "State": entry.state,
        "SQL": first_line(entry.sql, 300),
        "Rows": entry.rows,
        "Seconds": entry.elapsed,
        "Who": entry.actor,
        "Runs on": entry.connection or "engine",
        "Error": first_line(entry.error, 200),
    }


def _show_entry(entry: HistoryEntry) -> None:
    with st.container(border=True):
        if entry.error:
            st.error(escaped(entry.error), icon=":material/error:")
        st.code(entry.sql[:20_000], language="sql")
        go_button("Open in the editor", "query", key="open-run", params={"sql": entry.sql})


def _show_saved(here: Workspace) -> None:
    text = st.text_input("Search", placeholder="a word in name, description, tags or SQL")
    found = here.queries.list_saved(text)
    if not found:
        st.caption("No saved query fits." if text else "Save a query on the Query page to keep it.")
        return
    st.caption(count(len(found), "query").replace("querys", "queries"))
    for saved in found:
        with st.container(border=True):
            head = st.container(horizontal=True, vertical_alignment="center")
            tags = " ".join(f":gray-badge[{tag}]" for tag in saved.query.tags)
            head.markdown(f"**{saved.query.name}** {tags}", width="stretch")
            with head:
                go_button(
                    "Open",
                    "query",
                    key=f"open-{saved.document.id}",
                    type="tertiary",
                    params={"query": saved.document.id},
                )
            head.button(
                "Delete",
                key=f"delete-{saved.document.id}",
                type="tertiary",
                on_click=_delete,
                args=(here, saved.document.id),
            )
            if saved.query.description:
                st.markdown(saved.query.description)
            st.code(
                saved.query.sql, language="sql", height=120 if "\n" in saved.query.sql else None
            )
            st.caption(f"Saved by {saved.document.updated_by}, {ago(saved.document.updated_at)}.")


def _delete(here: Workspace, query_id: str) -> None:
    try:
        here.queries.delete_saved(query_id)
        st.toast("Deleted.", icon=":material/check:")
    except MillpondError as error:
        show_error(error)
