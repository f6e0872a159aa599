"""A table's snapshot: take a local copy of it, once or again and again, and read that instead."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from core.catalog.models import Table
from core.catalog.table_snapshots import TableSnapshot, can_follow
from core.errors import MillpondError
from core.jobs.models import Job, JobRun, Plan
from core.workbench import Workspace
from pages._helpers import ago, count, escaped, go_button, local_time, show_error, until
from pages._snapshots import OFTEN

KIND = "table-snapshot"
ONCE = "now, once"
_LOOKED_AT = 50
"""Runs and jobs of this kind that are looked through for those of a table."""


def show_table_snapshot(here: Workspace, table: Table) -> None:
    """Draw what there is, what is under way, and the form for more."""
    taken, run, job = here.snapshots.find(table), _latest(here, table), _schedule(here, table)
    if told := st.session_state.pop("table-snapshot-told", None):
        show_error(told)
    if taken is None:
        st.caption(
            "A snapshot is a copy in this workspace. Queries of it are fast, and need neither the "
            "source nor its server."
        )
    else:
        _show_taken(here, table, taken)
    if job is not None:
        _show_schedule(here, job)
    if run is not None and not run.ended:
        _show_under_way(here, run)
        return
    if run is not None and run.state == "failed" and _is_news(run, taken):
        st.error(f"{escaped(run.error)}  \n{escaped(run.hint)}", icon=":material/error:")
    _show_form(here, table, taken)


def _show_taken(here: Workspace, table: Table, taken: TableSnapshot) -> None:
    follows = f" · new rows by `{taken.cursor}`" if taken.cursor else ""
    row = st.container(horizontal=True, vertical_alignment="center")
    row.markdown(
        f"**{count(taken.rows, 'row')}**, as they were {ago(taken.taken_at)}  \n"
        f":small[{local_time(taken.taken_at)}{follows}]",
        width="stretch",
    )
    columns = table.select.rpartition("\nFROM ")[0]
    with row:
        go_button(
            "Query the snapshot",
            "query",
            key="query-snapshot",
            icon=":material/terminal:",
            params={"sql": f"{columns}\nFROM {taken.address}\nLIMIT 1000"},
        )
    row.button(
        "Drop",
        key="drop-snapshot",
        type="tertiary",
        on_click=_act,
        args=(lambda: here.snapshots.drop(taken.name),),
        help="Deletes the copy. The source stays as it is.",
    )
    st.code(taken.address, language="sql")


def _show_schedule(here: Workspace, job: Job) -> None:
    row = st.container(horizontal=True, vertical_alignment="center")
    often = next((name for name, cron in OFTEN.items() if cron == job.schedule.cron), "by its job")
    when = f", next {until(job.next_at)}" if job.next_at else ", switched off"
    row.caption(f":material/schedule: Refreshed {often}{when}.", width="content")
    row.button(
        "Stop that",
        key="stop-snapshots",
        type="tertiary",
        on_click=_act,
        args=(lambda: here.jobs.delete(job.id),),
    )


def _show_under_way(here: Workspace, run: JobRun) -> None:
    @st.fragment(run_every=1.0)
    def progress() -> None:
        now = here.jobs.run(run.id)
        if now.ended:
            st.rerun()
        row = st.container(horizontal=True, vertical_alignment="center")
        words = "Copying" if now.state == "running" else "Waiting for its turn"
        row.progress(now.progress.fraction or 0.0, text=words)
        row.button(
            "Cancel",
            icon=":material/stop:",
            key="cancel-snapshot",
            on_click=_act,
            args=(lambda: here.jobs.cancel(run.id),),
            disabled=now.cancel_requested,
        )

    progress()


def _show_form(here: Workspace, table: Table, taken: TableSnapshot | None) -> None:
    cursors = ["", *(each.name for each in table.columns if can_follow(each))]
    known = taken.cursor if taken and taken.cursor in cursors else ""
    row = st.container(horizontal=True, vertical_alignment="bottom")
    cursor = row.selectbox(
        "Read",
        cursors,
        index=cursors.index(known),
        format_func=lambda name: f"what is new by {name}" if name else "all rows each time",
        help="By a column that only grows, such as an id or a time of change: rows that changed or "
        "were deleted below its highest value are not seen.",
        key="snapshot-cursor",
    )
    often = row.selectbox("How often", [ONCE, *OFTEN], key="snapshot-often")
    row.button(
        "Refresh" if taken else "Take a snapshot",
        icon=":material/refresh:" if taken else ":material/photo_camera:",
        type="primary",
        key="take-snapshot",
        on_click=_act,
        args=(lambda: _take(here, table, cursor, often),),
    )


def _take(here: Workspace, table: Table, cursor: str, often: str) -> None:
    options = {"table": table.address, "cursor": cursor}
    title = f"Snapshot of {table.reference}"[:200]
    if often == ONCE:
        here.jobs.submit(KIND, options, title=title)
        return
    plan = Plan(
        kind=KIND,
        title=title,
        options=options,
        cron=OFTEN[often],
        zone=st.context.timezone or "UTC",
    )
    if (old := _schedule(here, table)) is not None:
        here.jobs.change(old.id, plan)
        here.jobs.run_now(old.id)
    else:
        here.jobs.run_now(here.jobs.add(plan).id)


def _schedule(here: Workspace, table: Table) -> Job | None:
    """Return the job that refreshes a table's snapshot."""
    jobs = [each.job for each in here.jobs.list() if each.job.kind == KIND]
    return next((each for each in jobs if each.options["table"] == table.address), None)


def _latest(here: Workspace, table: Table) -> JobRun | None:
    runs = here.jobs.runs(f"Snapshot of {table.reference}"[:200], limit=_LOOKED_AT)
    mine = (each for each in runs if each.kind == KIND and each.options["table"] == table.address)
    return next(mine, None)


def _is_news(run: JobRun, taken: TableSnapshot | None) -> bool:
    """Tell whether a run ended after what there is was taken."""
    return taken is None or run.finished_at is None or run.finished_at > taken.taken_at


def _act(call: Callable[[], object]) -> None:
    """Do what a button says, and keep why it could not: a callback draws nothing itself."""
    try:
        call()
    except MillpondError as error:
        st.session_state["table-snapshot-told"] = error
