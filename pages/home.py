"""The first page: what this is, where to go on, and what there is to query."""

from __future__ import annotations

import streamlit as st

import sample_data
from core.queries.models import HistoryEntry
from core.workbench import Workspace
from pages._helpers import (
    ago,
    count,
    duration,
    errors_shown,
    escaped,
    first_line,
    go_button,
    workspace,
)

STATES = {
    "done": ":material/check:",
    "failed": ":material/error:",
    "cancelled": ":material/block:",
    "running": ":material/sync:",
    "interrupted": ":material/power_off:",
}


def render() -> None:
    """Draw the page."""
    here = workspace()
    st.title("Millpond")
    st.markdown(
        "Query files and databases together, in one SQL. Everything runs on this machine: "
        "add a file, write a query, look at what it gives."
    )
    actions = st.container(horizontal=True)
    with actions:
        go_button(
            "New query",
            "query",
            key="new",
            icon=":material/terminal:",
            type="primary",
            shortcut="Alt+Q",
        )
        go_button("Add a source", "connections", key="add", icon=":material/add:", shortcut="Alt+S")
        go_button("History", "history", key="history", icon=":material/history:", shortcut="Alt+H")
    left, right = st.columns([3, 2], gap="large")
    with left, errors_shown():
        _show_recent(here)
    with right, errors_shown():
        _show_sources(here)


def _show_recent(here: Workspace) -> None:
    newest = {entry.sql: entry for entry in reversed(here.queries.history(limit=50))}
    recent = sorted(newest.values(), key=lambda entry: entry.started_at, reverse=True)[:6]
    if not recent:
        _show_examples()
        return
    st.subheader("Recent queries")
    for entry in recent:
        with st.container(border=True, gap="xxsmall"):
            row = st.container(horizontal=True, vertical_alignment="center")
            row.markdown(
                f"{STATES[entry.state]} `{first_line(entry.sql).replace('`', ' ')}`",
                width="stretch",
            )
            with row:
                go_button(
                    "Open",
                    "query",
                    key=f"open-{entry.id}",
                    type="tertiary",
                    params={"sql": entry.sql},
                )
            st.caption(_facts(entry))
    with st.expander("Examples on the sample data"):
        _show_examples(title=False)


def _facts(entry: HistoryEntry) -> str:
    if entry.error:
        return escaped(first_line(entry.error, 120))
    facts = [ago(entry.started_at), duration(entry.elapsed)]
    if entry.rows is not None:
        facts.append(count(entry.rows, "row"))
    return " · ".join(facts)


def _show_examples(*, title: bool = True) -> None:
    if title:
        st.subheader("Try one of these")
    for example in sample_data.EXAMPLES:
        go_button(
            example.title,
            "query",
            key=f"example-{example.title}",
            type="tertiary",
            icon=":material/play_arrow:",
            params={"sql": example.sql},
        )


def _show_sources(here: Workspace) -> None:
    st.subheader("Sources")
    sources = here.connections.list()
    if not sources:
        st.caption("No sources yet. Add a file, and it can be queried by its name.")
        return
    about = {sample.alias: sample.description for sample in sample_data.SAMPLES}
    for source in sources:
        name, kind = source.connection.alias, source.kind
        icon = f":material/{kind.icon}:" if kind else ":material/help:"
        state = " :red-badge[broken]" if source.problem else ""
        st.markdown(f"{icon} **{name}**{state}")
        words = about.get(name) if source.connection.sample else kind.label if kind else ""
        st.caption(source.problem.message if source.problem else words or "")
