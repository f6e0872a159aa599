"""The result under the editor: rows, chart, summary and plan of the tab's latest run."""

from __future__ import annotations

import time
from collections.abc import Callable

import streamlit as st

from core.engine.results import Column, ResultSet, display_rows
from core.engine.session import FORMATS
from core.queries.runs import Entry
from pages._chart import show_chart
from pages._components.grid import result_grid
from pages._helpers import count, duration, errors_shown, show_error
from pages._plan import show_plan
from pages._summary import show_summary

FIRST_PAGE = 200

LOOK_EVERY = 0.8
"""Seconds between two looks at a run under way. Each costs a browser 50 ms of a core: more of them
keep ten waiting tabs from drawing anything else."""
LOOK = 0.5
"""Seconds that a look waits for the run's end: it is seen at once then. A click waits as long."""
FOLLOW_EVERY, FOLLOW, STEP = 2.4, 2.0, 0.25
"""The same where nothing of the page comes after it: a look then follows the run in steps, each of
which draws a bar only, and lets a click through."""

_RIGHT = ("INT", "DECIMAL", "DOUBLE", "FLOAT", "BIGNUM")


def show_result(entry: Entry) -> None:
    """Draw the run: its progress while it runs, its error, its rows."""
    run = entry.run
    if run.ended:
        _show_outcome(entry)
        return
    place = st.container()
    _show_outcome(entry)
    with place:
        show_progress(entry, last=True)


def _show_outcome(entry: Entry) -> None:
    run = entry.run
    if run.error is not None:
        show_error(run.error)
    shown = [each for each in run.results if each.columns]
    if not shown:
        if run.state == "done":
            _show_changes(run.results, run.elapsed)
        return
    result = _chosen(shown)
    views: dict[str, Callable[[], None]] = {
        "Rows": lambda: _show_rows(entry, result),
        "Chart": lambda: show_chart(entry, result),
        "Summary": lambda: show_summary(entry, result),
        "Plan": lambda: show_plan(entry),
    }
    bar = st.container(horizontal=True, vertical_alignment="center")
    view = bar.segmented_control(
        "View", [*views], default="Rows", key="result-view", label_visibility="collapsed"
    )
    bar.caption(_facts(entry, result))
    with errors_shown():
        views[view or "Rows"]()


def _facts(entry: Entry, result: ResultSet) -> str:
    words = [f"{count(result.rows, 'row')}" + ("" if result.complete else ", still arriving")]
    words.append(count(len(result.columns), "column"))
    words.append(duration(result.elapsed if result.complete else entry.run.elapsed))
    return " · ".join(words)


def _chosen(results: list[ResultSet]) -> ResultSet:
    """Let people choose where several statements gave rows; the last is shown first."""
    if len(results) == 1:
        return results[0]
    labels = {each.id: f"Statement {each.statement + 1}" for each in results}
    chosen = st.pills(
        "Result",
        [*labels],
        format_func=lambda each: labels[each],
        default=results[-1].id,
        key=f"result-{results[-1].id}",
        label_visibility="collapsed",
    )
    return next((each for each in results if each.id == chosen), results[-1])


def _show_rows(entry: Entry, result: ResultSet) -> None:
    page = entry.session.page(entry.run, result, 0, FIRST_PAGE)
    result_grid(
        "result-grid",
        result=result.id,
        columns=[_described(column) for column in result.columns],
        rows=display_rows(page.frame),
        total=result.rows,
        complete=result.complete,
        url=f"api/v1/results/{result.id}/rows",
        export_url=f"api/v1/results/{result.id}/export",
        formats=[*FORMATS],
    )


def _described(column: Column) -> dict[str, str]:
    number = any(sign in column.type for sign in _RIGHT) and not column.type.endswith(("]", ")"))
    number = number or column.type.startswith("DECIMAL")
    return {"name": column.name, "type": column.type, "align": "right" if number else "left"}


def _show_changes(results: tuple[ResultSet, ...], elapsed: float) -> None:
    affected = sum(each.affected or 0 for each in results)
    done = count(len(results), "statement")
    st.success(
        f"Done: {done}, {count(affected, 'row')} affected, {duration(elapsed)}.",
        icon=":material/check:",
    )


def show_progress(entry: Entry, *, last: bool = False) -> None:
    """Draw how far a run is, with its Cancel, and draw the page again when there is more.

    On a page of which it is drawn `last` it stays with the run.
    """
    run, seen = entry.run, len(entry.run.results)
    patience = FOLLOW if last else 0.0  # the page has waited before it came here

    @st.fragment(run_every=FOLLOW_EVERY if last else LOOK_EVERY)
    def progress() -> None:
        nonlocal patience
        row = st.container(horizontal=True, vertical_alignment="center")
        bar = row.empty()
        stopping = run.cancelling_since is not None
        row.button(
            "Cancel",
            icon=":material/stop:",
            on_click=run.cancel,
            key=f"cancel-{run.id}",
            disabled=stopping,
        )
        until = time.monotonic() + patience
        while True:
            bar.progress(min(1.0, max(0.0, run.progress / 100)), text=_told(entry))
            left = until - time.monotonic()
            if run.wait(max(0.0, min(left, STEP if last else LOOK))) or len(run.results) > seen:
                st.rerun()
            if left <= 0:
                break
        patience = FOLLOW if last else LOOK

    progress()


def _told(entry: Entry) -> str:
    run = entry.run
    if run.cancelling_since is not None:
        return "Stopping"
    rows = run.result.rows if run.result else 0
    arrived = f", {count(rows, 'row')} so far" if rows else ""
    percent = f"{run.progress:.0f} %, " if run.progress > 0 else ""
    return f"Running: {percent}{duration(run.elapsed)}{arrived}"
