"""How far the measuring of relations is, and what came of it."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from core.catalog.measuring import Measuring
from pages._helpers import count, escaped

GLANCE = 0.3
"""Seconds to wait before progress is drawn: for a few small tables it is over by then."""


def show_measuring(measuring: Measuring, again: Callable[[], object]) -> None:
    """Draw how far a measuring is with its Cancel, then what it could not tell."""
    if not measuring.ended:
        _show_progress(measuring, len(measuring.likely))
        return
    words = []
    if measuring.cancelled:
        words.append(f"Stopped after {measuring.done} of {count(measuring.total, 'guess', 'es')}.")
    if measuring.failed:
        reason = measuring.problem.message if measuring.problem else ""
        words.append(f"{measuring.failed} could not be measured, the last because: {reason}")
    if measuring.left_out:
        words.append(f"{count(measuring.left_out, 'guess', 'es')} more were not measured.")
    row = st.container(horizontal=True, vertical_alignment="center")
    if words:
        row.caption(escaped(" ".join(words)), width="content")
    row.button("Measure again", on_click=again, type="tertiary", icon=":material/refresh:")


def _show_progress(measuring: Measuring, seen: int) -> None:
    @st.fragment(run_every=0.5)
    def progress() -> None:
        if measuring.ended or len(measuring.likely) > seen:
            st.rerun()
        row = st.container(horizontal=True, vertical_alignment="center")
        words = f"Comparing values: {measuring.done} of {count(measuring.total, 'guess', 'es')}"
        row.progress(measuring.done / max(1, measuring.total), text=words)
        row.button(
            "Cancel",
            icon=":material/stop:",
            on_click=measuring.cancel,
            disabled=measuring.cancelled,
        )

    progress()
