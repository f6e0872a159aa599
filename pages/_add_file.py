"""Add a file: uploaded, or where it lies; and tell what was found in it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import streamlit as st

from core.connector import Report
from core.errors import Forbidden, InvalidInput, MillpondError, NotFound
from core.workbench import Workspace
from pages._form import options_form
from pages._helpers import count, errors_shown, go_button, show_error
from pages._refused import show_refusal


def show_upload(here: Workspace) -> None:
    files = st.file_uploader(
        "Files",
        accept_multiple_files=True,
        key=f"upload-{st.session_state.get('uploads', 0)}",
        help="They are copied into this workspace's own folder.",
    )
    for file in files:
        with st.container(border=True):
            st.markdown(f"**{file.name}**, {file.size / 1e6:.1f} MB")
            with errors_shown():
                row = st.container(horizontal=True, vertical_alignment="bottom")
                alias = row.text_input(
                    "Name in SQL",
                    here.connections.suggest_alias(file.name),
                    key=f"alias-{file.file_id}",
                )
                with row:
                    name = _read_as(here, file.name, f"kind-{file.file_id}")
                options = options_form(here.connections.kinds.found[name], f"up-{file.file_id}")
                if st.button("Add", key=f"add-{file.file_id}", type="primary"):
                    _upload(here, file, alias, name, options)


def _upload(here: Workspace, file: Any, alias: str, kind: str, options: dict[str, Any]) -> None:
    bar = st.progress(0.0, "Copying")
    stored = here.connections.upload(
        file.name, file, progress=lambda done: bar.progress(min(1.0, done / max(1, file.size)))
    )
    bar.empty()
    try:
        _add(here, alias, kind, options | {"path": str(stored)})
    except MillpondError:
        stored.unlink(missing_ok=True)
        raise


def show_path(here: Workspace) -> None:
    path = st.text_input(
        "Path",
        placeholder=str(Path.cwd() / "data.csv"),
        help="A file, a folder, or a pattern such as /data/2024/*.parquet",
    )
    if not path:
        return
    full = str(Path(path).expanduser().absolute())
    kinds = here.connections.kinds.found
    row = st.container(horizontal=True, vertical_alignment="bottom")
    alias = row.text_input("Name in SQL", here.connections.suggest_alias(path))
    with row:
        name = _read_as(here, full, "kind-path")
    options = options_form(kinds[name], f"path-{name}") | {"path": full}
    if st.button("Add", type="primary", key="add-path"):
        try:
            _add(here, alias, name, options)
        except Forbidden as error:
            show_error(error)
            show_refusal(here, error)


def _read_as(here: Workspace, file: str, key: str) -> str:
    """Let people choose how a file is read; its name only makes a guess."""
    found = here.connections.kinds.found
    kinds = {name: kind for name, kind in found.items() if kind.group == "file"}
    try:
        is_folder = Path(file).is_dir() or "*" in file
        guess = "folder" if is_folder else here.connections.pick(file)
    except InvalidInput:
        guess = "csv"
    # The key holds the guess, so that another file starts with its own.
    return st.selectbox(
        "Read as",
        [*kinds],
        index=[*kinds].index(guess),
        format_func=lambda each: kinds[each].label,
        key=f"{key}-{guess}",
    )


def _add(here: Workspace, alias: str, kind: str, options: dict[str, Any]) -> None:
    report = here.connections.inspect(kind, options, alias)
    found = report.options.model_dump(mode="json") if report.options else options
    here.connections.add(alias, kind, found)
    st.session_state["uploads"] = st.session_state.get("uploads", 0) + 1
    st.session_state["added"] = (alias, report)
    st.rerun()


def show_added(here: Workspace) -> None:
    """Tell what the last look found, until it is closed."""
    if "added" not in st.session_state:
        return
    alias, report = st.session_state["added"]
    try:
        connection = here.connections.get(alias)
    except NotFound:  # it has been removed since
        return
    kind, options = connection.connector, connection.options
    with st.container(border=True):
        head = st.container(horizontal=True, vertical_alignment="center")
        head.markdown(f":material/check: **{alias}** can be queried as {', '.join(report.tables)}.")
        with head:
            sql = f"SELECT * FROM {report.tables[0]} LIMIT 1000" if report.tables else ""
            go_button("Query it", "query", key="query-added", params={"sql": sql}, type="primary")
        head.button("Close", type="tertiary", on_click=lambda: st.session_state.pop("added", None))
        for note in report.notes:
            st.caption(note)
        if report.rejected:
            _show_rejects(report)
            known = here.connections.kinds.found[kind].Options.model_fields
            if "bad_rows" in known and options.get("bad_rows") != "skip":
                st.button(
                    "Leave these rows out",
                    on_click=_leave_out,
                    args=(here, alias),
                    help="Until then, a query that meets one of them is refused.",
                )


def _leave_out(here: Workspace, alias: str) -> None:
    with errors_shown():
        options = here.connections.get(alias).options
        here.connections.change(alias, options | {"bad_rows": "skip"})
        del st.session_state["added"]
        st.toast(f"{alias} is read without its bad rows.", icon=":material/check:")


def _show_rejects(report: Report) -> None:
    st.warning(f"{count(report.rejected, 'row')} could not be read.", icon=":material/rule:")
    rows = [
        {
            "File": Path(each.file).name,
            "Line": each.line,
            "Column": each.column,
            "Reason": each.reason,
            "Text": each.text,
        }
        for each in report.rejects
    ]
    st.dataframe(rows, hide_index=True)
