"""What the query page knows in one browser tab: its text, its parameters, its run.

The tab's name is in the address, and runs are kept on the server under it: so a reload, or the same
address opened elsewhere, finds the run again.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import streamlit as st

from core.engine.lexer import parameters
from core.errors import MillpondError, QueryError
from core.queries.runs import Entry
from core.queries.typed import typed, written
from core.workbench import Workspace
from pages._components.editor import Diagnostic, EditorEvent, editor_text

EDITOR = "query-editor"
KEPT_TABS = 20
GLANCE = 0.5
"""Seconds to wait for a run before its progress is drawn: most are done by then, and what is drawn
for a moment only keeps the browser from drawing the rows."""


@dataclass
class QueryState:
    """One tab's state. `revision` tells the editor to take `text` over."""

    tab: str
    text: str = ""
    revision: int = 0
    saved_id: str = ""
    saved_revision: int = 0
    problem: MillpondError | None = None
    catalog: int = 0
    """Which state of the catalog the page shows, as `engine.changes` counts them."""
    on: str = ""
    """The connection whose own engine runs the text; empty: DuckDB."""
    followed: str = ""
    """The last run whose changes to the catalog the page has followed."""
    values: dict[str, str] = field(default_factory=dict)
    """What is given for each parameter, as `take_values` last saw it."""
    saved_values: Mapping[str, Any] = field(default_factory=dict)
    """What a saved query brought along."""

    def current_text(self) -> str:
        """Return the editor's text as it is now."""
        return editor_text(EDITOR, self.text, revision=self.revision)

    def replace(self, text: str) -> None:
        """Put another text into the editor."""
        self.text = text
        # Unique among all tabs, for they share one editor.
        st.session_state["query-revision"] = st.session_state.get("query-revision", 0) + 1
        self.revision = st.session_state["query-revision"]

    def run_on(self, alias: str) -> None:
        """Let a connection's own engine run the text from now on, "" for DuckDB."""
        self.on = st.session_state[self.on_key] = alias

    @property
    def on_key(self) -> str:
        """The key of the field in which the connection is chosen."""
        return f"runs-on-{self.tab}"

    def parameters(self) -> tuple[str, ...]:
        """Return the names of the `$parameters` in the text, each once.

        On a connection it has none: its engine gets the text as it is, and ? may be an operator.
        """
        return () if self.on else parameters(self.current_text())

    def value_key(self, name: str) -> str:
        """Return the key of a parameter's field: a text that replaces another has its own."""
        return f"parameter-{self.revision}-{name}"

    def take_values(self) -> None:
        """Take over what the fields hold, which an event may bring before they are drawn again."""
        for name, before in self.values.items():
            self.values[name] = st.session_state.get(self.value_key(name), before)

    def given(self) -> dict[str, Any]:
        """Return the values to bind: one that has no field yet is not among them."""
        names = self.parameters()
        return {name: self._value(name) for name in names if name in self.values}

    def _value(self, name: str) -> Any:
        """Read a field; one left as it was filled gives what was saved, be it a list or a date."""
        text, saved = self.values[name], self.saved_values.get(name)
        return saved if text == written(saved) else typed(text)

    def start(self, workspace: Workspace, event: EditorEvent) -> Entry | None:
        """Start what the editor asks for, and give it a moment to answer."""
        self.problem = None
        self.take_values()
        try:
            entry = workspace.queries.run(
                event.sql,
                self.given(),
                document=self.tab,
                text=event.whole,
                offset=event.offset,
                on=self.on,
            )
        except MillpondError as error:
            self.problem = error
            return None
        entry.run.wait_rows(GLANCE)
        return entry


def query_state(workspace: Workspace) -> QueryState:
    """Return the state of the tab that the address names.

    Without a name it is the tab that this browser showed last; a link that fills the editor opens
    one of its own.
    """
    states: dict[str, QueryState] = st.session_state.setdefault("query-states", {})
    current = st.session_state.get("query-tab", "")
    if current in states:
        states[current].take_values()
    linked = "sql" in st.query_params or "query" in st.query_params
    tab = st.query_params.get("tab", "") or ("" if linked else current) or new_tab()
    if tab != current:
        if current in states:
            states[current].text = states[current].current_text()
        states[tab] = _entered(states.pop(tab, None) or _opened(tab, workspace))
        st.session_state["query-tab"] = tab
        for oldest in [*states][:-KEPT_TABS]:
            del states[oldest]
    if st.query_params.get("tab") != tab:
        st.query_params["tab"] = tab
    _follow_link(states[tab], workspace)
    return states[tab]


def new_tab() -> str:
    """Make up a name for a tab."""
    return secrets.token_hex(4)


def _opened(tab: str, workspace: Workspace) -> QueryState:
    entry = workspace.queries.find(tab)
    return QueryState(tab, entry.text if entry else "")


def _entered(state: QueryState) -> QueryState:
    state.replace(state.text)
    return state


def _follow_link(state: QueryState, workspace: Workspace) -> None:
    """Take `?query=` and `?sql=` over once: they fill the editor and never run anything."""
    on = st.query_params.pop("on", "")
    if sql := st.query_params.pop("sql", None):
        state.run_on(on)
        state.replace(sql)
    wanted = st.query_params.get("query", "")
    if wanted and wanted != state.saved_id:
        try:
            saved = workspace.queries.saved(wanted)
        except MillpondError as error:
            state.problem = error
            del st.query_params["query"]
        else:
            state.saved_id, state.saved_revision = wanted, saved.document.revision
            state.run_on(saved.query.on)
            state.replace(saved.query.sql)
            state.saved_values = saved.query.parameters
            state.values = {name: written(each) for name, each in state.saved_values.items()}


def diagnostics(entry: Entry | None) -> list[Diagnostic]:
    """Return where the editor should underline the run's error."""
    error = entry.run.error if entry else None
    if entry is None or not isinstance(error, QueryError) or not error.line:
        return []
    lines = entry.run.sql.split("\n")[: error.line]
    start = sum(len(line) + 1 for line in lines[:-1]) + error.column - 1
    end = start
    text = entry.run.sql
    while end < len(text) and (text[end].isalnum() or text[end] == "_"):
        end += 1
    at = entry.offset
    return [Diagnostic(at + start, at + max(end, start + 1), error.message, hint=error.hint)]
