"""The notifications page: who is told and how, what was sent, and what did not arrive."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from core.errors import MillpondError
from core.notify.models import Sent
from core.notify.service import ChannelStatus
from core.workbench import Workspace
from pages._channel_form import channel_form
from pages._helpers import (
    ago,
    count,
    errors_shown,
    escaped,
    show_error,
    until,
    workspace,
)

LATELY = 200
STATES = {"dead": "not delivered", "combined": "sent within another"}


def render() -> None:
    """Draw the page."""
    here = workspace()
    st.title("Notifications")
    if problem := st.session_state.pop("notify-problem", None):
        show_error(problem)
    with errors_shown():
        _show_incidents(here)
        _show_dead(here)
        channels = here.notify.channels()
        st.subheader("Channels")
        if not channels:
            st.info("Nobody is told yet. Add a channel: a mailbox, a chat, or a program of yours.")
        for status in channels:
            with st.container(border=True):
                _show_channel(here, status)
        _show_adding(here, is_first=not channels)
        _show_lately(here)
    for name, reason in here.notify.kinds.broken.items():
        st.warning(f"The channel {name} cannot be used: {reason}", icon=":material/extension_off:")


def _show_incidents(here: Workspace) -> None:
    incidents = here.notify.incidents()
    if not incidents:
        return
    st.subheader("Going on")
    for each in incidents:
        st.markdown(
            f":material/notification_important: **{escaped(each.title)}** · since "
            f"{ago(each.opened_at)} · seen {count(each.count, 'time')}, told once"
        )


def _show_dead(here: Workspace) -> None:
    """List what was given up, with what can be done."""
    dead = here.notify.sent("dead", limit=LATELY)
    if not dead:
        return
    st.subheader("Not delivered")
    for sent in dead:
        with st.container(border=True):
            row = st.container(horizontal=True, vertical_alignment="center")
            title = escaped(sent.message.headline)
            channel = escaped(sent.channel_name)
            row.markdown(
                f"**{title}** :gray-badge[{channel}] · {ago(sent.created_at)} · "
                f"{count(sent.attempts, 'attempt')}",
                width="stretch",
            )
            _act_button(row, "Send again", here.notify.again, sent.id)
            _act_button(row, "Discard", here.notify.discard, sent.id)
            show_error(MillpondError(sent.error, hint=sent.hint))


def _show_channel(here: Workspace, status: ChannelStatus) -> None:
    channel, kind = status.channel, status.kind
    icon = f":material/{kind.icon}:" if kind else ":material/help:"
    label = escaped(kind.label if kind else channel.kind)
    off = "" if channel.enabled else " :orange-badge[off]"
    row = st.container(horizontal=True, vertical_alignment="center")
    row.markdown(f"{icon} **{escaped(channel.name)}** :gray-badge[{label}]{off}", width="stretch")
    testing = row.button("Test", icon=":material/send:", key=f"test-{channel.id}")
    editing = f"editing-{channel.id}"
    row.button("Edit", key=f"edit-{channel.id}", on_click=_toggle, args=(editing,))
    with row.popover("Delete"):
        st.write("Its settings and what waits for it go with it.")
        _act_button(st, "Delete the channel", here.notify.delete, channel.id)
    st.text(status.place)  # no Markdown: it would make links of addresses
    if testing:
        _test(here, channel.id)
    if status.problem:
        show_error(status.problem)
    _show_waiting(here, status)
    for recipient in channel.left:
        left = st.container(horizontal=True, vertical_alignment="center")
        left.text(f"{recipient} has unsubscribed.", width="stretch")
        _act_button(left, "Put back", here.notify.resubscribe, channel.id, recipient)
    if st.session_state.get(editing) and kind is not None and channel_form(here, kind, channel):
        _toggle(editing)
        st.rerun()


def _show_waiting(here: Workspace, status: ChannelStatus) -> None:
    if not status.waiting:
        return
    row = st.container(horizontal=True, vertical_alignment="center")
    pause = status.channel.paused_until
    next_try = f", tried again {until(pause)}" if pause else ""
    row.caption(f"{count(status.waiting, 'message')} waiting{next_try}", width="stretch")
    _act_button(row, "Try now", here.notify.try_now, status.channel.id)


def _test(here: Workspace, id: str) -> None:
    with errors_shown(), st.spinner("Sending an example"):
        here.notify.test(id)
        st.success("The example was sent.", icon=":material/check:")


def _show_adding(here: Workspace, *, is_first: bool) -> None:
    kinds = here.notify.kinds.found
    with st.expander("Add a channel", expanded=is_first):
        name = st.selectbox("Kind", [*kinds], format_func=lambda each: kinds[each].label)
        st.caption(kinds[name].help)
        if channel_form(here, kinds[name]):
            st.rerun()


def _show_lately(here: Workspace) -> None:
    st.subheader("Sent lately")
    sent = here.notify.sent(limit=LATELY)
    if not sent:
        st.caption("What is sent appears here.")
        return
    st.dataframe(
        [_row(each) for each in sent],
        hide_index=True,
        placeholder="",
        height=420 if len(sent) > 10 else "auto",
        column_config=_COLUMNS,
    )
    if len(sent) == LATELY:
        st.caption(f"The latest {LATELY}.")


_COLUMNS = {
    "Time": st.column_config.DatetimeColumn(format="YYYY-MM-DD HH:mm:ss"),
    "Message": st.column_config.TextColumn(width="large"),
    "Reason": st.column_config.TextColumn(width="large"),
}


def _row(sent: Sent) -> dict[str, object]:
    refused = " ".join(f"{name}: {reason}" for name, reason in sent.refused.items())
    return {
        "Time": sent.created_at,
        "State": STATES.get(sent.state, sent.state),
        "Channel": sent.channel_name or "deleted",
        "Message": sent.message.headline,
        "Attempts": sent.attempts,
        "Reason": sent.error or refused,
    }


def _act_button(place: Any, label: str, call: Callable[..., object], *args: str) -> None:
    place.button(label, key="-".join((label, *args)), on_click=_act, args=(call, *args))


def _act(call: Callable[..., object], *args: str) -> None:
    try:
        call(*args)
    except MillpondError as error:
        st.session_state["notify-problem"] = error  # a callback draws nothing itself


def _toggle(key: str) -> None:
    st.session_state[key] = not st.session_state.get(key)
