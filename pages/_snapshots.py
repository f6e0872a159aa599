"""Snapshots of schemas: take one, see them, compare, delete, and let a job take more."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import streamlit as st

from core.catalog.places import Place, snapshot_address
from core.catalog.snapshots import Snapshot
from core.errors import MillpondError
from core.jobs.models import Plan
from core.workbench import Workspace
from pages._helpers import ago, count, escaped, local_time, show_error

PAGE = 50
OFTEN = {"every hour": "7 * * * *", "every day": "7 6 * * *", "every week": "7 6 * * 1"}


def show_snapshots(here: Workspace, places: Sequence[Place], snapshots: Sequence[Snapshot]) -> None:
    """Draw the forms and the list."""
    if told := st.session_state.pop("snapshot-told", None):
        if isinstance(told, MillpondError):
            show_error(told)
        else:
            st.success(told, icon=":material/check:")
    addresses = [each.address for each in places]
    wanted = next((st.query_params[each] for each in ("right", "left")
                   if st.query_params.get(each) in addresses), None)  # fmt: skip
    _show_taking(here, addresses, addresses.index(wanted) if wanted else 0)
    with st.expander("Watch a schema", icon=":material/visibility:"):
        _show_watch(here, addresses, addresses.index(wanted) if wanted else 0)
    if not snapshots:
        st.caption("No snapshots yet. Take one now, and see later what has changed since.")
        return
    pages = -(-len(snapshots) // PAGE)
    at = min(st.session_state.get("snapshots-page", 1), pages) - 1
    for each in snapshots[at * PAGE : (at + 1) * PAGE]:
        _show_snapshot(here, each, Place(each.catalog, each.schema).address, addresses)
    if pages > 1:
        st.pagination(pages, key="snapshots-page")


def _show_taking(here: Workspace, addresses: list[str], at: int) -> None:
    row = st.container(horizontal=True, vertical_alignment="bottom")
    place = row.selectbox("Schema", addresses, index=at, key="snapshot-place")
    name = row.text_input("Name", placeholder="may be empty", key="snapshot-name")
    row.button(
        "Take a snapshot",
        icon=":material/photo_camera:",
        type="primary",
        on_click=_act,
        args=(lambda: _taken(here, place, name),),
        disabled=not addresses,
    )


def _taken(here: Workspace, place: str, name: str) -> str:
    snapshot, kept = here.comparisons.take(place, name)
    if kept:
        return f"Kept {escaped(place)} with {count(snapshot.tables, 'table')}."
    return f"Nothing has changed since the snapshot of {local_time(snapshot.taken_at)}."


def _show_watch(here: Workspace, addresses: list[str], at: int) -> None:
    st.caption("A job looks at it, and keeps a snapshot when something has changed.")
    channels = {each.channel.id: each.channel.name for each in here.notify.channels()}
    row = st.container(horizontal=True, vertical_alignment="bottom")
    place = row.selectbox("Schema", addresses, index=at, key="watch-place")
    often = row.selectbox("How often", list(OFTEN), index=1, key="watch-often")
    told = row.multiselect(
        "Tell on",
        list(channels),
        format_func=channels.__getitem__,
        placeholder="nobody" if channels else "no channels yet",
        key="watch-channels",
    )
    row.button(
        "Watch",
        icon=":material/visibility:",
        on_click=_act,
        args=(lambda: _watched(here, place, often, told),),
        disabled=not addresses,
    )


def _watched(here: Workspace, place: str, often: str, channels: list[str]) -> str:
    plan = Plan(
        kind="schema-watch",
        title=f"Watch {place}"[:200],
        options={"place": place, "channels": channels},
        cron=OFTEN[often],
        zone=st.context.timezone or "UTC",
    )
    here.jobs.run_now(here.jobs.add(plan).id)
    return f"{escaped(place)} is watched {often}; the first look is under way. See Jobs."


def _show_snapshot(here: Workspace, each: Snapshot, place: str, addresses: list[str]) -> None:
    with st.container(border=True):
        row = st.container(horizontal=True, vertical_alignment="center")
        name = f" · {escaped(each.name)}" if each.name else ""
        seen = f" · still so {ago(each.seen_at)}" if each.seen_at > each.taken_at else ""
        row.markdown(
            f"**{escaped(place)}**{name}  \n:small[{local_time(each.taken_at)} by "
            f"{escaped(each.taken_by)} · {count(each.tables, 'table')}{seen}]",
            width="stretch",
        )
        row.button(
            "Compare with now",
            icon=":material/compare_arrows:",
            key=f"since-{each.id}",
            on_click=_compare,
            args=(snapshot_address(each.id), place),
            disabled=place not in addresses,
            help=None if place in addresses else "This schema is not there now.",
        )
        row.button(
            "Delete",
            key=f"delete-{each.id}",
            type="tertiary",
            on_click=_act,
            args=(lambda: here.comparisons.delete(each.id),),
        )


def _compare(left: str, right: str) -> None:
    st.query_params.from_dict({"compare": "1", "left": left, "right": right})
    st.session_state["compare-view"] = "Differences"
    st.session_state.pop("compared", None)


def _act(call: Callable[[], str | None]) -> None:
    """Do what a button says, and keep what came of it: a callback draws nothing itself."""
    try:
        told = call()
    except MillpondError as error:
        st.session_state["snapshot-told"] = error
        return
    if told:
        st.session_state["snapshot-told"] = told
