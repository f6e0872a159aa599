"""What uses a table, on its page: saved queries and the views between, with links to each."""

from __future__ import annotations

import streamlit as st

from core.catalog.models import Table
from core.catalog.usage import Use
from core.workbench import Workspace
from pages._helpers import count, errors_shown, escaped, go_button

_SHOWN = 100
_EVERY = "every column"
_NAMED = 8


def show_used_by(here: Workspace, table: Table) -> None:
    """Draw the list, and go on looking while there are texts left."""
    with errors_shown():
        usage = here.catalog.used_by(table)
        names = [each.name for each in table.columns]
        chosen = st.selectbox(
            "Column", [_EVERY, *names], key=f"used-column-{table.address}", width=320
        )
        uses = usage.uses if chosen == _EVERY else usage.of_column(chosen)
        if usage.left:
            _show_rest(usage.left)
        elif not uses:
            st.info(
                "No saved query and no view reads it."
                if chosen == _EVERY
                else "No saved query and no view reads this column.",
                icon=":material/check:",
            )
        if uses:
            what = escaped(table.name if chosen == _EVERY else f"{table.name}.{chosen}")
            st.markdown(f"Without **{what}**, {_break(len(uses))}:")
        for at, use in enumerate(uses[:_SHOWN]):
            _show_use(at, use)
        if len(uses) > _SHOWN:
            st.caption(f"{count(len(uses) - _SHOWN)} more.")


def _break(uses: int) -> str:
    return "this breaks" if uses == 1 else f"these {uses:,} break"


def _show_rest(left: int) -> None:
    drawn = False

    @st.fragment(run_every=1)
    def rest() -> None:
        nonlocal drawn
        if drawn:
            st.rerun()
        drawn = True
        st.caption(f":material/hourglass_top: {count(left, 'text')} of SQL still to be read.")

    rest()


def _show_use(at: int, use: Use) -> None:
    row = st.container(horizontal=True, vertical_alignment="center", gap="small")
    with row:
        go_button(
            escaped(use.title),
            use.page,
            key=f"use-{at}",
            type="tertiary",
            icon=":material/table_view:" if use.page == "schema" else ":material/terminal:",
            params=dict(use.params),
        )
    row.caption(" · ".join(_facts(use)))


def _facts(use: Use) -> list[str]:
    facts = [use.kind]
    if use.writes:
        facts.append("writes it")
    if use.through:
        facts.append("through " + " and ".join(escaped(each) for each in reversed(use.through)))
    if not use.certain:
        facts.append("probably: its SQL could not be read in full")
    elif use.columns:
        more = len(use.columns) - _NAMED
        named = ", ".join(escaped(each) for each in use.columns[:_NAMED])
        facts.append(f"reads {named}" + (f" and {more} more" if more > 0 else ""))
    elif use.columns == ():
        facts.append("reads no column of it by name")
    return facts
