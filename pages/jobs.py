"""The jobs page: what runs now, what is planned, and how everything that ran has ended."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import streamlit as st

from core.errors import MillpondError
from core.jobs.models import Job, JobRun, JobStatus, RunState
from core.workbench import Workspace
from pages._helpers import (
    ago,
    count,
    duration,
    errors_shown,
    escaped,
    first_line,
    local_time,
    show_error,
    until,
    workspace,
)

STATES = ["all", "failed", "succeeded", "cancelled", "running", "waiting"]
ICONS = {
    "succeeded": ":material/check:",
    "failed": ":material/error:",
    "cancelled": ":material/block:",
    "running": ":material/sync:",
    "waiting": ":material/schedule:",
}
PAGE = 200
MOST_NOW = 20


def render() -> None:
    """Draw the page."""
    here = workspace()
    st.title("Jobs")
    if problem := st.session_state.pop("job-problem", None):
        show_error(problem)
    st.subheader("Now")
    st.fragment(lambda: _show_now(here), run_every=1.0, key="jobs-now")()
    view = st.segmented_control(
        "Show", ["Planned", "History"], default="Planned", label_visibility="collapsed"
    )
    with errors_shown():
        if view == "History":
            _show_history(here)
        else:
            _show_planned(here)


def _show_now(here: Workspace) -> None:
    with errors_shown():
        running = here.jobs.runs(state="running", limit=MOST_NOW)
        waiting = here.jobs.runs(state="waiting", limit=MOST_NOW)
        newest = [(each.id, each.state) for each in here.jobs.runs(limit=1)]
        _follow([*newest, *((each.id, each.state) for each in running)])
        if not running and not waiting:
            st.caption("Nothing runs, and nothing waits.")
        for run in running:
            _show_running(here, run)
        for run in waiting:
            _show_waiting(here, run)
        if len(waiting) == MOST_NOW:
            st.caption("More of them wait: see the history.")


def _follow(states: list[tuple[str, RunState]]) -> None:
    """Draw the whole page again when something has begun or ended: the rest of it tells of it."""
    before = st.session_state.get("jobs-states", states)
    st.session_state["jobs-states"] = states
    if before != states:
        st.rerun()


def _show_running(here: Workspace, run: JobRun) -> None:
    with st.container(border=True):
        row = st.container(horizontal=True, vertical_alignment="center")
        row.progress(run.progress.fraction or 0.0, text=f"**{escaped(run.title)}** {_told(run)}")
        row.button(
            "Cancel",
            icon=":material/stop:",
            key=f"cancel-{run.id}",
            on_click=_act,
            args=(here.jobs.cancel, run.id),
            disabled=run.cancel_requested,
        )
        if run.log:
            with st.expander("Log"):
                st.code(run.log, language=None, height=160)


def _told(run: JobRun) -> str:
    if run.cancel_requested:
        return "· stopping"
    told, facts = run.progress, [escaped(run.progress.phase)] if run.progress.phase else []
    if told.total:
        facts.append(f"{told.done:,.0f} of {told.total:,.0f}")
    elif told.done:
        facts.append(f"{told.done:,.0f}")
    if told.rate:
        facts.append(f"{told.rate:,.1f} a second")
    if told.eta is not None:
        facts.append(f"about {duration(told.eta)} left")
    if run.started_at:
        facts.append(f"for {duration((datetime.now(UTC) - run.started_at).total_seconds())}")
    return " ".join(f"· {each}" for each in facts)


def _show_waiting(here: Workspace, run: JobRun) -> None:
    with st.container(border=True):
        row = st.container(horizontal=True, vertical_alignment="center")
        when = until(run.not_before)
        words = f"{ICONS['waiting']} **{escaped(run.title)}** · starts {when}"
        if run.failures:
            words += f" · attempt {run.failures + 1} of {max(run.retries, 1) + 1}"
        row.markdown(words, width="stretch")
        row.button(
            "Cancel",
            icon=":material/close:",
            key=f"cancel-{run.id}",
            on_click=_act,
            args=(here.jobs.cancel, run.id),
        )
        if run.error:
            st.caption(f"Last attempt: {escaped(run.error)}")


def _show_planned(here: Workspace) -> None:
    planned = here.jobs.list()
    if not planned:
        st.caption("Nothing is planned. What can be repeated brings its own schedule.")
    for status in planned:
        with st.container(border=True):
            _show_job(here, status)


def _show_job(here: Workspace, status: JobStatus) -> None:
    job = status.job
    row = st.container(horizontal=True, vertical_alignment="center")
    own = " :gray-badge[Millpond's own]" if status.own else f" :gray-badge[{escaped(status.label)}]"
    row.markdown(f"**{escaped(job.title)}**{own}", width="stretch")
    row.toggle(
        "On",
        value=job.enabled,
        key=f"on-{job.id}-{job.enabled}",
        on_change=_act,
        args=(here.jobs.enable, job.id, not job.enabled),
        help="Off: it is not started by its schedule.",
    )
    row.button(
        "Run now",
        icon=":material/play_arrow:",
        key=f"run-{job.id}",
        on_click=_act,
        args=(here.jobs.run_now, job.id),
    )
    if not status.own:
        row.button(
            "Delete",
            key=f"delete-{job.id}",
            type="tertiary",
            on_click=_act,
            args=(here.jobs.delete, job.id),
        )
    st.caption(f"{escaped(job.schedule.words())} · {_next(job)}{_last(status)}")
    if problem := job.schedule.problem:
        show_error(problem)
    elif job.next_at:
        with st.expander("Next runs"):
            times = job.schedule.upcoming(10, after=datetime.now(UTC))
            st.dataframe(
                [{job.schedule.zone: f"{each:%a %Y-%m-%d %H:%M}", "Here": local_time(each)}
                 for each in times],
                hide_index=True,
                width=420,
            )  # fmt: skip


def _next(job: Job) -> str:
    if not job.enabled:
        return "switched off"
    return f"next {until(job.next_at)}" if job.next_at else "never"


def _last(status: JobStatus) -> str:
    run = status.last
    if run is None:
        return " · has not run yet"
    if not run.ended or run.finished_at is None:
        return f" · {run.state}"
    took = f", took {duration(run.elapsed)}" if run.elapsed is not None else ""
    return f" · last {ICONS[run.state]} {run.state} {ago(run.finished_at)}{took}"


def _show_history(here: Workspace) -> None:
    row = st.container(horizontal=True, vertical_alignment="bottom")
    text = row.text_input("Search", placeholder="a word in the title, the error or the log")
    state = row.selectbox("State", STATES, width=160)
    runs = here.jobs.runs(text, state=None if state == "all" else state, limit=PAGE)
    if not runs:
        st.caption("No run fits." if text or state != "all" else "What runs appears here.")
        return
    picked = st.dataframe(
        [_row(run) for run in runs],
        hide_index=True,
        placeholder="",
        height=420 if len(runs) > 10 else "auto",
        column_config=_COLUMNS,
        key="job-runs",
        on_select="rerun",
        selection_mode="single-row",
    )
    if len(runs) == PAGE:
        st.caption(f"The latest {PAGE}; search to find older ones.")
    chosen = picked.selection.rows
    if chosen and chosen[0] < len(runs):
        _show_run(here, runs[chosen[0]])
    else:
        st.caption("Select a row to read its log and to repeat it.")


_COLUMNS = {
    "Due": st.column_config.DatetimeColumn(format="YYYY-MM-DD HH:mm:ss"),
    "Job": st.column_config.TextColumn(width="medium"),
    "Seconds": st.column_config.NumberColumn(format="%.2f"),
    "Error": st.column_config.TextColumn(width="large"),
}


def _row(run: JobRun) -> dict[str, object]:
    return {
        "Due": run.due,
        "State": run.state,
        "Job": run.title,
        "Seconds": run.elapsed,
        "Attempts": run.attempt,
        "Started by": run.created_by,
        "Error": first_line(run.error, 200),
    }


def _show_run(here: Workspace, run: JobRun) -> None:
    with st.container(border=True):
        if run.error:
            hint = f"  \n{escaped(run.hint)}" if run.hint else ""
            st.error(f"{escaped(run.error)}{hint}", icon=":material/error:")
        if run.outcome:
            figures = [f"{escaped(name)}: {escaped(str(it))}" for name, it in run.outcome.items()]
            st.markdown(" · ".join(figures))
        if run.log:
            st.code(run.log, language=None, height=240 if run.log.count("\n") > 9 else None)
        else:
            st.caption("It wrote no log.")
        if run.state in ("failed", "cancelled"):
            st.button(
                "Run it again",
                icon=":material/replay:",
                key=f"retry-{run.id}",
                on_click=_act,
                args=(here.jobs.retry, run.id),
                help=f"{count(run.attempt, 'attempt')} so far; it starts with the same options.",
            )


def _act(call: Callable[..., object], *args: object) -> None:
    try:
        call(*args)
    except MillpondError as error:
        st.session_state["job-problem"] = error  # a callback draws nothing itself
