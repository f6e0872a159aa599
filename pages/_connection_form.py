"""Add a database or a service, or edit one: choose a kind, fill in, test, save."""

from __future__ import annotations

from typing import Any

import streamlit as st

from core.connections.models import Connection
from core.connector import Checked, Connector
from core.errors import MillpondError
from core.workbench import Workspace
from pages._form import all_options
from pages._helpers import duration, escaped, show_error

CHOSEN = "connection-kind"
"""The name of the kind whose form is open, in the session's state."""


def show_kinds(here: Workspace) -> None:
    """Draw a card for each kind, or the form of the one that was chosen."""
    kinds = {
        name: kind for name, kind in here.connections.kinds.found.items() if kind.group != "file"
    }
    chosen = kinds.get(st.session_state.get(CHOSEN, ""))
    if chosen is None:
        _show_cards(list(kinds.values()))
        return
    head = st.container(horizontal=True, vertical_alignment="center")
    head.markdown(f":material/{chosen.icon}: **{chosen.label}**", width="stretch")
    head.button("Other kinds", icon=":material/arrow_back:", on_click=_choose, args=("",))
    if connection_form(here, chosen):
        st.session_state.pop(CHOSEN, None)
        st.rerun()


def _show_cards(kinds: list[Connector[Any]]) -> None:
    columns = st.columns(3)
    for at, kind in enumerate(sorted(kinds, key=lambda each: each.label)):
        with columns[at % 3].container(border=True, height="stretch"):
            st.markdown(f":material/{kind.icon}: **{kind.label}**")
            st.caption(kind.help)
            st.button(
                f"Connect to {kind.label}",
                key=f"kind-{kind.name}",
                on_click=_choose,
                args=(kind.name,),
                width="stretch",
            )


def connection_form(here: Workspace, kind: Connector[Any], saved: Connection | None = None) -> bool:
    """Draw the form of a new connection, or of one that is there; True once it is saved."""
    key = f"connection-{saved.id if saved else kind.name}"
    with st.form(key, border=False):
        alias = saved.alias if saved else here.connections.suggest_alias(kind.name)
        if saved is None:
            alias = st.text_input(
                "Name in SQL",
                alias,
                key=f"{key}-alias",
                max_chars=63,
                help="Its tables are called name.schema.table.",
            )
        given = saved.options if saved else {}
        options = all_options(kind.Options, given, key, saved=saved is not None)
        row = st.container(horizontal=True)
        saving = row.form_submit_button("Save", type="primary")
        testing = row.form_submit_button("Test", icon=":material/network_check:")
        keeping = saved is None and row.form_submit_button(
            "Save without connecting", help="It is kept switched off, until it can be reached."
        )
    try:
        if testing:
            with st.spinner("Connecting"):
                _show_checked(
                    here.connections.test(kind.name, options, alias=saved.alias if saved else None)
                )
        if saving or keeping:
            with st.spinner("Connecting"):
                _save(here, kind, saved, alias, options, connect=not keeping)
            return True
    except MillpondError as error:
        show_error(error)
    return False


def _save(
    here: Workspace,
    kind: Connector[Any],
    saved: Connection | None,
    alias: str,
    options: dict[str, Any],
    *,
    connect: bool,
) -> None:
    if saved is None:
        here.connections.add(alias.strip(), kind.name, options, connect=connect)
    else:
        here.connections.change(saved.alias, options)
    st.toast(f"{alias} is saved.", icon=":material/check:")


def _show_checked(checked: Checked) -> None:
    facts = [f"{name}: {value}" for name, value in checked.facts]
    who = checked.version or "It"
    st.success(
        escaped(f"{who} answered in {duration(checked.seconds)}. ") + escaped(" · ".join(facts)),
        icon=":material/check_circle:",
    )
    for note in checked.notes:
        st.caption(f":material/info: {escaped(note)}")


def _choose(name: str) -> None:
    st.session_state[CHOSEN] = name
