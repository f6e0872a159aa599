"""The search through values on the schema page: asked for, shown as it goes, and stopped."""

from __future__ import annotations

import streamlit as st

from core.catalog.values import SECONDS, Seeking, ValueHit
from core.workbench import Workspace
from pages._helpers import count, escaped, first_line

GLANCE = 0.3
"""Seconds to wait before progress is drawn: a few small tables are read by then."""
_SHOWN = 100


def show_values(here: Workspace, text: str) -> None:
    """Draw the button that begins it for a text, or what it has found."""
    if not text.strip():
        return
    seeking = here.catalog.find_seeking(text)
    if seeking is None:
        st.button(
            "Look in values too",
            key="seek",
            icon=":material/manage_search:",
            on_click=here.catalog.seek,
            args=(text,),
            help=f"Reads the tables for this text, for {SECONDS:.0f} s at most.",
        )
        return
    seeking.wait(GLANCE)
    hits = seeking.hits
    with st.container(border=True, gap="xxsmall"):
        st.markdown(f"**Values with “{escaped(text.strip())}”**")
        if not seeking.ended:
            _show_progress(seeking, len(hits))
        for at, hit in enumerate(hits[:_SHOWN]):
            _show_hit(at, hit)
        if len(hits) > _SHOWN:
            st.caption(f"{count(len(hits) - _SHOWN, 'column')} more.")
        if seeking.ended:
            st.caption(escaped(_told(seeking)))
            st.button(
                "Look again",
                key="seek-again",
                icon=":material/refresh:",
                on_click=here.catalog.seek,
                args=(text,),
                type="tertiary",
            )


def _told(seeking: Seeking) -> str:
    looked = count(seeking.done, "table")
    words = [f"Looked into {looked}." if seeking.hits else f"Nothing found in {looked}."]
    left = seeking.total - seeking.done + seeking.left_out
    if left:
        why = "Stopped" if seeking.cancelled else "Its time was over"
        words.append(f"{why}: {count(left, 'table')} not looked into.")
    if seeking.failed:
        reason = seeking.problem.message if seeking.problem else ""
        words.append(f"{seeking.failed} not read to the end, the last because: {reason}")
    return " ".join(words)


def _show_progress(seeking: Seeking, seen: int) -> None:
    @st.fragment(run_every=0.5)
    def progress() -> None:
        if seeking.ended or len(seeking.hits) > seen:
            st.rerun()
        row = st.container(horizontal=True, vertical_alignment="center")
        words = f"Looking: {seeking.done} of {count(seeking.total, 'table')}"
        row.progress(seeking.done / max(1, seeking.total), text=words)
        row.button(
            "Cancel",
            key="seek-cancel",
            icon=":material/stop:",
            on_click=seeking.cancel,
            disabled=seeking.cancelled,
        )

    progress()


def _show_hit(at: int, hit: ValueHit) -> None:
    row = st.container(horizontal=True, vertical_alignment="center")
    row.button(
        escaped(f"{hit.table.reference} · {hit.column}"),
        key=f"value-{at}",
        on_click=st.query_params.from_dict,
        args=({"table": hit.table.address},),
        type="tertiary",
        icon=":material/table:",
    )
    row.caption(escaped(first_line(hit.example, 100)))
