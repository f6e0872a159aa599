"""The query page: write SQL, run it, look at what it gives."""

from __future__ import annotations

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.connections.service import Source
from core.errors import MillpondError
from core.queries.models import LONGEST_NAME, SavedQuery
from core.workbench import Workspace
from pages._components.editor import EditorEvent, editor_schema, sql_editor
from pages._helpers import count, errors_shown, first_line, show_error, workspace
from pages._query_state import EDITOR, QueryState, diagnostics, new_tab, query_state
from pages._refused import show_refusal
from pages._result import show_result
from pages._tree import schema_names, show_tree

KEYS = """
| Keys | What they do |
|---|---|
| Ctrl+Enter | run the selection, or the statement at the cursor |
| Ctrl+Shift+Enter | run everything |
| Ctrl+Space | complete a name |
| Shift+Alt+F | format the SQL |
| Ctrl+/ | comment or uncomment the line |
| Ctrl+F | find and replace |
| Ctrl+Z, Ctrl+Y | undo, redo |
| Escape, then Tab | leave the editor |

On a Mac, Ctrl is Cmd.
"""


def render() -> None:
    """Draw the page."""
    here = workspace()
    state = query_state(here)
    _show_bar(here, state)
    st.fragment(lambda: _show_editor(here, state), key="query-editor")()
    _show_parameters(state)
    with st.sidebar:
        show_tree(here, state)
    state.catalog = here.engine.changes
    st.fragment(lambda: _show_outcome(here, state), key="query-result")()


def _show_editor(here: Workspace, state: QueryState) -> None:
    sql_editor(
        EDITOR,
        state.text,
        revision=state.revision,
        diagnostics=diagnostics(here.queries.find(state.tab)),
        placeholder="SELECT …   (Ctrl+Enter runs the statement at the cursor)",
        on_run=lambda event: _run(here, state, event),
        on_change=lambda _: _text_changed(state),
    )
    with errors_shown():  # after it: the catalog may wait for the engine's start
        catalog = here.catalog.list()
        editor_schema(
            EDITOR,
            lambda: schema_names(catalog),
            revision=str(here.engine.changes),
            functions=here.catalog.macros,
        )


def _run(here: Workspace, state: QueryState, event: EditorEvent) -> None:
    before = diagnostics(here.queries.find(state.tab))
    entry = state.start(here, event)
    _text_changed(state)  # the run brought the text along: its parameters may be new
    same = before == diagnostics(entry)
    st.rerun(["query-result"] if same else ["query-editor", "query-result"])


def _run_all(here: Workspace, state: QueryState) -> None:
    text = state.current_text()
    state.start(here, EditorEvent(sql=text, offset=0, whole=text, all=True))


def _text_changed(state: QueryState) -> None:
    if set(state.parameters()) != set(st.session_state.get("query-parameters", ())):
        st.rerun()


def _show_bar(here: Workspace, state: QueryState) -> None:
    bar = st.container(horizontal=True, vertical_alignment="center")
    bar.button(
        "Run all",
        icon=":material/play_arrow:",
        type="primary",
        on_click=_run_all,
        args=(here, state),
        help="Ctrl+Shift+Enter. Ctrl+Enter runs the statement at the cursor.",
    )
    bar.button(
        "New",
        icon=":material/add:",
        on_click=lambda: _go_to({"tab": new_tab()}),
        help="An empty editor; Back in the browser returns to this one.",
    )
    _show_runs_on(here, state, bar)
    with bar.popover("Save", icon=":material/save:"):
        _show_save(here, state)
    with bar.popover("Open", icon=":material/folder_open:"):
        _show_open(here)
    with bar.popover("Keys", icon=":material/keyboard:"):
        st.markdown(KEYS)
    others = [each for each in here.queries.running() if each.document != state.tab]
    if others:
        with bar.popover(f"{count(len(others))} running", icon=":material/sync:"):
            for each in others:
                st.code(first_line(each.run.sql), language="sql")
                st.button(
                    "Show",
                    key=f"show-{each.run.id}",
                    on_click=_go_to,
                    args=({"tab": each.document},),
                )


def _show_runs_on(here: Workspace, state: QueryState, bar: DeltaGenerator) -> None:
    """Let people choose who runs the text, once there is a choice."""
    engines = {each.connection.alias: each for each in here.connections.list() if each.runs_sql}
    if not engines:
        state.on = ""
        return
    choices = ["", *engines]
    if st.session_state.get(state.on_key) not in choices:
        st.session_state[state.on_key] = state.on if state.on in choices else ""
    state.on = bar.selectbox(
        "Runs on",
        choices,
        format_func=lambda alias: f"Runs on {alias}" if alias else "Runs on DuckDB",
        key=state.on_key,
        label_visibility="collapsed",
        width=200,
        help="DuckDB joins everything. A connection's own engine knows its own dialect only.",
    )
    if state.on and (kind := engines[state.on].kind) is not None:
        bar.button(
            "Translate",
            icon=":material/translate:",
            on_click=_translate,
            args=(here, state, engines[state.on]),
            help=f"Rewrite DuckDB's SQL in the dialect of {kind.label}, and have {state.on} look "
            "through it. Nothing is run.",
        )


def _translate(here: Workspace, state: QueryState, source: Source) -> None:
    """Put the translation in place of the text; what its engine has against it is said."""
    state.problem = None
    try:
        statements = here.queries.translate(state.current_text(), source.dialect)
        state.replace(";\n\n".join(statements))
        alias, dialect = source.connection.alias, source.dialect
        checked = [here.queries.analyse(each, alias, dialect) for each in statements]
    except MillpondError as error:
        state.problem = error
        return
    st.session_state["notice"] = (
        f"Translated. {alias} has looked through it: it can run."
        if all(checked)
        else f"Translated. {alias} cannot say beforehand whether it runs."
    )


def _go_to(params: dict[str, str]) -> None:
    st.query_params.from_dict(params)


def _show_save(here: Workspace, state: QueryState) -> None:
    known = None
    if state.saved_id:
        with errors_shown():
            known = here.queries.saved(state.saved_id)
    with st.form("save-query", border=False):
        name = st.text_input(
            "Name", value=known.query.name if known else "", max_chars=LONGEST_NAME
        )
        about = st.text_area("Description", value=known.query.description if known else "")
        tags = st.text_input(
            "Tags", value=", ".join(known.query.tags) if known else "", help="Separated by commas."
        )
        as_new = st.checkbox("Save as a new query") if known else True
        if not st.form_submit_button("Save", type="primary"):
            return
    try:
        if not name.strip():
            st.warning("Give the query a name.")
            return
        query = SavedQuery(
            name=name.strip(),
            description=about,
            tags=tags.split(","),
            sql=state.current_text(),
            parameters=state.given(),
            on=state.on,
        )
        saved = here.queries.save(
            query,
            id=None if as_new or known is None else known.document.id,
            revision=None if as_new or known is None else state.saved_revision,
        )
    except MillpondError as error:
        show_error(error)
        return
    state.saved_id, state.saved_revision = saved.document.id, saved.document.revision
    st.query_params["query"] = saved.document.id
    st.toast(f"Saved “{saved.query.name}”.", icon=":material/check:")


def _show_open(here: Workspace) -> None:
    saved = here.queries.list_saved()
    if not saved:
        st.caption("Queries that you save appear here.")
    for each in saved[:50]:
        st.button(
            each.query.name,
            key=f"load-{each.document.id}",
            type="tertiary",
            on_click=_go_to,
            args=({"query": each.document.id},),
            help=each.query.description or None,
        )


def _show_parameters(state: QueryState) -> None:
    names = state.parameters()
    st.session_state["query-parameters"] = names
    if not names:
        return  # values stay: they may only wait for DuckDB to be chosen again
    state.values = {name: state.values.get(name, "") for name in names}
    row = st.container(horizontal=True)
    for name in names:
        row.text_input(
            f"${name}",
            value=state.values[name],
            key=state.value_key(name),
            width=200,
            help="A number, true, false, null, a date such as 2013-01-31, or text. "
            "Put text that looks like a number into 'single quotes'.",
        )


def _show_outcome(here: Workspace, state: QueryState) -> None:
    if notice := st.session_state.pop("notice", ""):
        st.toast(notice, icon=":material/check:")
    if state.problem is not None:
        show_error(state.problem)
        return
    entry = here.queries.find(state.tab)
    if entry is None:
        st.caption("The result appears here. Ctrl+Enter runs the statement at the cursor.")
        return
    if entry.run.ended and state.followed != entry.run.id:
        state.followed = entry.run.id
        changed = any(each.kind not in ("SELECT", "EXPLAIN") for each in entry.run.results)
        if changed and state.catalog != here.engine.changes:
            st.rerun()  # it made or dropped something: the tree and the editor shall know
    show_result(entry)
    show_refusal(here, entry.run.error)
