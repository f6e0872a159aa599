"""The connections page: what can be queried and how it is, and ways to add more."""

from __future__ import annotations

from contextlib import suppress

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.connections.models import Connection
from core.connections.service import Source
from core.errors import MillpondError
from core.workbench import Workspace
from pages._add_file import show_added, show_path, show_upload
from pages._connection_form import connection_form, show_kinds
from pages._helpers import (
    ago,
    count,
    duration,
    errors_shown,
    escaped,
    go_button,
    show_error,
    workspace,
)

EDITED = "connection-edited"
"""The alias of the connection whose form is open, in the session's state."""

REMOVED = "connection-removed"
"""The alias of the connection that is to be removed if its uses do not matter."""

_LOOK = 3.0
"""Seconds to look for what uses a connection."""

_NAMED = 20

_WAIT = 3.0
"""Seconds between two looks at connections that are away."""


def render() -> None:
    """Draw the page."""
    here = workspace()
    st.title("Connections")
    show_added(here)
    with errors_shown():
        here.engine.start()
        st.fragment(lambda: _show_list(here), key="connections", run_every=_pause(here))()
    st.subheader("Add a connection")
    server, upload, path, folders = st.tabs(
        ["A database or service", "Upload a file", "A file or folder here", "Allowed folders"]
    )
    with server, errors_shown():
        show_kinds(here)
    with upload, errors_shown():
        show_upload(here)
    with path, errors_shown():
        show_path(here)
    with folders, errors_shown():
        _show_folders(here)
    for name, reason in here.connections.kinds.broken.items():
        st.warning(
            f"The connector {name} cannot be used: {escaped(reason)}",
            icon=":material/extension_off:",
        )


def _pause(here: Workspace) -> float | None:
    """Look again by itself only while something is away and may come back."""
    return _WAIT if any(each.state == "away" for each in here.connections.list()) else None


def _show_list(here: Workspace) -> None:
    here.engine.try_again()
    sources = here.connections.list()
    if not sources:
        st.info("No sources yet. Add a database, upload a file, or name one on this machine.")
    for source in sources:
        _show_source(here, source)


def _show_source(here: Workspace, source: Source) -> None:
    connection, kind = source.connection, source.kind
    with st.container(border=True, gap="xxsmall"):
        head = st.container(horizontal=True, vertical_alignment="center")
        icon = f":material/{kind.icon}:" if kind else ":material/help:"
        head.markdown(f"{icon} **{escaped(connection.alias)}**{_badges(source)}", width="stretch")
        if source.state == "ready":
            with head:
                go_button(
                    "Tables",
                    "schema",
                    key=f"tables-{connection.id}",
                    params={"search": connection.alias},
                    type="tertiary",
                )
        if kind is not None and kind.group != "file":
            _show_server_buttons(here, connection, head)
        else:
            head.button(
                "Look again",
                key=f"look-{connection.id}",
                on_click=_look_again,
                args=(here, connection.alias),
                type="tertiary",
                help="After the file has changed: find its columns and bad rows anew.",
            )
        with head.popover("More", type="tertiary", key=f"more-{connection.id}"):
            _show_more(here, source)
        label = kind.label if kind else connection.connector
        st.caption(" · ".join([label, escaped(source.place), *_health(connection)]))
        if st.session_state.get(REMOVED) == connection.alias:
            _show_uses(here, connection.alias)
        told = st.session_state.pop(f"checked-{connection.alias}", None) or source.problem
        if told:
            show_error(told)
        if st.session_state.get(EDITED) == connection.alias and kind is not None:
            st.divider()
            if connection_form(here, kind, connection):
                st.session_state.pop(EDITED, None)
                st.rerun()


def _badges(source: Source) -> str:
    badges = [":gray-badge[sample]"] if source.connection.sample else []
    if source.connection.options.get("allow_writing"):
        badges.append(":orange-badge[may write]")
    if source.state != "ready":
        is_file = source.kind is not None and source.kind.group == "file"
        word = {"off": ":gray-badge[off]", "away": ":red-badge[away]"}[source.state]
        badges.append(":red-badge[broken]" if is_file and source.state == "away" else word)
    elif source.kind is not None and source.kind.remote:
        badges.append(":green-badge[ready]")
    return "".join(f" {badge}" for badge in badges)


def _health(connection: Connection) -> list[str]:
    """Say how the last test went, in pieces for one line."""
    health = connection.health
    if health is None:
        return []
    if health.problem:
        return [f"could not be reached {ago(health.checked_at)}"]
    took = "" if health.seconds is None else f"answered in {duration(health.seconds)} "
    return [escaped(health.version), f"{took}{ago(health.checked_at)}"]


def _show_server_buttons(here: Workspace, connection: Connection, head: DeltaGenerator) -> None:
    head.button(
        "Test",
        key=f"test-{connection.id}",
        on_click=_check,
        args=(here, connection.alias),
        type="tertiary",
        help="Connect once and see who answers.",
    )
    head.button(
        "Edit",
        key=f"edit-{connection.id}",
        on_click=_edit,
        args=(connection.alias,),
        type="tertiary",
    )


def _show_more(here: Workspace, source: Source) -> None:
    connection = source.connection
    alias, key = connection.alias, connection.id
    name = st.text_input("Name in SQL", alias, key=f"name-{key}", max_chars=63)
    row = st.container(horizontal=True)
    row.button(
        "Rename",
        key=f"rename-{key}",
        disabled=name == alias or not name.strip(),
        on_click=_act,
        args=(here, "rename", alias, name.strip()),
        help="Queries that use the old name no longer find it.",
    )
    row.button(
        "Duplicate",
        key=f"double-{key}",
        on_click=_act,
        args=(here, "duplicate", alias, here.connections.suggest_alias(alias)),
        help="A second one with the same options, switched off until you change it.",
    )
    if connection.enabled:
        row.button(
            "Switch off",
            key=f"off-{key}",
            on_click=_act,
            args=(here, "enable", alias, False),
            help="It is kept, and not attached.",
        )
    else:
        row.button("Switch on", key=f"on-{key}", on_click=_act, args=(here, "enable", alias, True))
    st.button(
        "Remove",
        key=f"remove-{key}",
        icon=":material/delete:",
        on_click=_remove,
        args=(here, alias),
        help="The source itself is not touched; an uploaded copy is deleted.",
    )


def _show_folders(here: Workspace) -> None:
    st.caption(
        "SQL may read the folder that Millpond was started in, without its hidden entries, "
        "and the folders named here. Everything else is refused by the system."
    )
    for grant in here.connections.folders():
        row = st.container(horizontal=True, vertical_alignment="center")
        row.markdown(f"`{grant.path}` · {'read and write' if grant.mode == 'write' else 'read'}")
        row.button(
            "Take back",
            key=f"grant-{grant.path}",
            on_click=_disallow,
            args=(here, grant.path),
            type="tertiary",
        )
    with st.form("allow", clear_on_submit=True):
        path = st.text_input("Folder or file to allow")
        write = st.checkbox("SQL may write there, too")
        if st.form_submit_button("Allow") and path:
            grant = here.connections.allow(path, "write" if write else "read")
            st.toast(f"{grant.path} is allowed.", icon=":material/check:")
            st.rerun()


def _disallow(here: Workspace, path: str) -> None:
    with errors_shown():
        here.connections.disallow(path)


def _edit(alias: str) -> None:
    opened = st.session_state.get(EDITED)
    st.session_state[EDITED] = None if opened == alias else alias


def _check(here: Workspace, alias: str) -> None:
    try:
        here.connections.check(alias)
    except MillpondError as error:
        st.session_state[f"checked-{alias}"] = error
    else:
        st.toast(f"{alias} answers.", icon=":material/check:")


def _act(here: Workspace, verb: str, alias: str, argument: str | bool) -> None:
    done = {"rename": "renamed", "duplicate": "duplicated", "enable": "switched"}
    try:
        getattr(here.connections, verb)(alias, argument)
    except MillpondError as error:
        st.session_state[f"checked-{alias}"] = error
        st.toast(error.message, icon=":material/error:")
    else:
        st.toast(f"{alias} was {done[verb]}.", icon=":material/check:")


def _look_again(here: Workspace, alias: str) -> None:
    # What goes wrong is shown at the source, which is broken then.
    with suppress(MillpondError):
        st.session_state["added"] = (alias, here.connections.look_again(alias))


def _show_uses(here: Workspace, alias: str) -> None:
    """Say what breaks without a connection, and let people decide."""
    usage = here.catalog.source_used_by(alias, _LOOK)
    breaks = "this breaks" if len(usage.uses) == 1 else f"these {len(usage.uses):,} break"
    with st.container(border=True):
        st.markdown(f":material/warning: Without **{escaped(alias)}**, {breaks}:")
        for at, use in enumerate(usage.uses[:_NAMED]):
            go_button(
                f"{escaped(use.title)} · {use.kind}",
                use.page,
                key=f"breaks-{alias}-{at}",
                type="tertiary",
                params=dict(use.params),
            )
        if len(usage.uses) > _NAMED:
            st.caption(f"{count(len(usage.uses) - _NAMED)} more.")
        if usage.left:
            st.caption(f"{count(usage.left, 'text')} of SQL could not be read in time.")
        row = st.container(horizontal=True)
        row.button(
            "Remove anyway",
            key=f"remove-anyway-{alias}",
            on_click=_remove,
            args=(here, alias, True),
        )
        row.button(
            "Keep it",
            key=f"keep-{alias}",
            on_click=lambda: st.session_state.pop(REMOVED, None),
        )


def _remove(here: Workspace, alias: str, sure: bool = False) -> None:
    """Take a connection away; one that something uses only for who has seen what."""
    with errors_shown():
        if not sure and here.catalog.source_used_by(alias, _LOOK).uses:
            st.session_state[REMOVED] = alias
            return
        st.session_state.pop(REMOVED, None)
        here.connections.remove(alias)
        st.toast(f"{alias} was removed.", icon=":material/check:")
