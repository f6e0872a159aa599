"""What every page needs: the workspace, errors as people should see them, and words for figures."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import streamlit as st

from core.errors import MillpondError, QueryCancelled, QueryError
from core.workbench import Workbench, Workspace, shared


def workbench() -> Workbench:
    """Return the open workbench. Raises ConfigError where it cannot be opened."""
    return shared()


def workspace() -> Workspace:
    """Open the workspace for whoever looks at the page."""
    return shared().workspace()


def show_error(error: MillpondError) -> None:
    """Say what went wrong, where, and what to do."""
    place = ""
    if isinstance(error, QueryError) and error.line:
        place = f" *(line {error.line}, column {error.column})*"
    hint = f"  \n{escaped(error.hint)}" if error.hint else ""
    if isinstance(error, QueryCancelled):
        st.info(f"{escaped(error.message)}{hint}", icon=":material/block:")
        return
    st.error(f"{escaped(error.message)}{place}{hint}", icon=":material/error:")


def go_button(label: str, to: str, *, key: str, **look: Any) -> None:
    """Draw a button that opens a page of this app; `look` may hold `params` for its address."""
    params = look.pop("params", None)
    if st.button(label, key=key, **look):
        st.switch_page(st.session_state["pages"][to], query_params=params)


@contextmanager
def errors_shown() -> Iterator[None]:
    """Show a MillpondError where it arises, and go on with the page."""
    try:
        yield
    except MillpondError as error:
        show_error(error)


def follow_catalog(here: Workspace) -> None:
    """Draw the page again when servers that are slow to list their tables have done it."""
    if not here.catalog.is_fresh:
        st.fragment(lambda: _look_for_catalog(here), key="catalog-news", run_every=1.0)()


def _look_for_catalog(here: Workspace) -> None:
    here.catalog.list()
    if here.catalog.is_fresh:
        st.rerun()
    when = here.catalog.read_at
    st.caption(f":material/sync: Asking for tables{'' if when is None else f'; known {ago(when)}'}")


def escaped(text: str) -> str:
    """Keep a message from being read as Markdown."""
    for sign in "\\`*_[]$<>~#:":
        text = text.replace(sign, f"\\{sign}")
    return text


def count(number: int | None, noun: str = "", ending: str = "s") -> str:
    """Write a number with separators, and its noun with the plural's ending where that is right."""
    if number is None:
        return "-"
    words = f"{number:,}"
    if not noun:
        return words
    return f"{words} {noun}" if number == 1 else f"{words} {noun}{ending}"


def file_size(size: int) -> str:
    """Write a number of bytes as a person would say it: 340 bytes, 12 kB, 3.4 MB."""
    for unit, word in ((1e9, "GB"), (1e6, "MB")):
        if size >= unit:
            return f"{size / unit:.1f} {word}"
    return f"{size / 1e3:.0f} kB" if size >= 1000 else count(size, "byte")


def duration(seconds: float) -> str:
    """Write a time as a person would say it: 12 ms, 3.4 s, 2 min 5 s."""
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 60:
        return f"{seconds:.1f} s"
    return f"{int(seconds // 60)} min {int(seconds % 60)} s"


def ago(moment: datetime) -> str:
    """Write how long ago something was."""
    seconds = (datetime.now(UTC) - moment).total_seconds()
    for size, word in ((86_400, "day"), (3_600, "hour"), (60, "minute")):
        if seconds >= size:
            return f"{count(int(seconds // size), word)} ago"
    return "just now"


def until(moment: datetime) -> str:
    """Write when something will be, by how long that is: now, in 5 minutes, in 3 days."""
    seconds = (moment - datetime.now(UTC)).total_seconds()
    if seconds < 1:
        return "now"
    sizes = ((172_800, 86_400, "day"), (5_400, 3_600, "hour"), (90, 60, "minute"))
    for least, size, word in sizes:
        if seconds >= least:
            return f"in {count(round(seconds / size), word)}"
    return f"in {count(round(seconds), 'second')}"


def local_time(moment: datetime) -> str:
    """Write a moment by the clock of whoever looks at the page."""
    zone = ZoneInfo(st.context.timezone or "UTC")
    return f"{moment.astimezone(zone):%a %Y-%m-%d %H:%M}"


def first_line(sql: str, width: int = 80) -> str:
    """Return a query in one line, cut to a width."""
    line = " ".join(sql.split())
    return line if len(line) <= width else line[: width - 1] + "…"
