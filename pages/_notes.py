"""Notes on a table's page: comment, tags and owner, to read, and for editors to write."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from core.catalog.models import WORKSPACE, Table
from core.catalog.note import LONGEST_COMMENT, Change, Note
from core.errors import MillpondError
from core.workbench import Workspace
from pages._helpers import errors_shown, escaped, first_line, show_error

_PROBLEM = "note-problem"
_REVISION = "notes-revision"


def show_note(here: Workspace, table: Table, comment: str) -> None:
    """Draw what is noted of the table; `comment` is its source's, where nobody has noted one."""
    note = here.catalog.notes.of(table).get("", Note())
    text = note.comment or comment
    if text:
        st.markdown(_paragraphs(text))
    if facts := note_facts(Note(tags=note.tags, owner=note.owner)):
        st.markdown(" ".join(facts))


def note_facts(note: Note) -> list[str]:
    """Return what is noted, each on one line of Markdown: tags, the owner, the comment's begin."""
    facts = [f":gray-badge[{escaped(tag)}]" for tag in note.tags]
    if note.owner:
        facts.append(f":material/person: {escaped(note.owner)}")
    if note.comment:
        facts.append(escaped(first_line(note.comment, 100)))
    return facts


def edit_note(here: Workspace, table: Table, comment: str) -> None:
    """Draw the button that opens the form of the table's own note, for those who may write it."""
    if not here.actor.may("editor"):
        return
    note = here.catalog.notes.of(table).get("", Note())
    with (
        st.popover("Describe", icon=":material/edit_note:", key="describe-table"),
        st.form("note", border=False),
    ):
        said = st.text_area(
            "Comment",
            value=note.comment or comment,
            max_chars=LONGEST_COMMENT,
            placeholder="What is in it, and what to watch out for",
            help=_where(table),
        )
        tags = st.multiselect(
            "Tags",
            sorted({*here.catalog.notes.tags(), *note.tags}),
            default=note.tags,
            accept_new_options=True,
            placeholder="Choose, or type a new one",
        )
        owner = st.text_input(
            "Owner", value=note.owner, placeholder="Who answers questions about it"
        )
        if not st.form_submit_button("Save", type="primary"):
            return
    changed = Change(comment=said, tags=tags, owner=owner)
    with errors_shown():
        here.catalog.notes.change(table, "", changed)
        st.toast("Saved.", icon=":material/check:")
        st.rerun()


def notes_grid(here: Workspace, table: Table, rows: list[dict[str, Any]]) -> None:
    """Draw the columns of a table, one row each with its `Column` and its source's `Comment`.

    Editors change comments and tags in place; each change is saved as it is made.
    """
    if problem := st.session_state.pop(_PROBLEM, None):
        show_error(problem)
    notes = here.catalog.notes.of(table)
    shown = [_with_note(row, notes) for row in rows]
    config = {
        "Comment": st.column_config.TextColumn(width="large", max_chars=LONGEST_COMMENT),
        "Tags": st.column_config.MultiselectColumn(
            options=list(here.catalog.notes.tags()), accept_new_options=True, color="auto"
        ),
    }
    if not here.actor.may("editor"):
        st.dataframe(shown, hide_index=True, placeholder="", column_config=config)
        return
    # Another key after each change: what was typed is then in the rows.
    key = f"notes-{table.address}-{st.session_state.get(_REVISION, 0)}"
    st.data_editor(
        shown,
        key=key,
        hide_index=True,
        placeholder="",
        column_config=config,
        disabled=[name for name in rows[0] if name != "Comment"] if rows else True,
        on_change=_save,
        args=(here, table, [str(row["Column"]) for row in rows], key),
    )
    st.caption(f"Comments and tags can be written here. {_where(table)}")


def _save(here: Workspace, table: Table, columns: list[str], key: str) -> None:
    edited: Mapping[int, Mapping[str, Any]] = st.session_state[key]["edited_rows"]
    st.session_state[_REVISION] = st.session_state.get(_REVISION, 0) + 1
    for at, cells in edited.items():
        change = Change(
            comment=(cells["Comment"] or "") if "Comment" in cells else None,
            tags=(cells["Tags"] or ()) if "Tags" in cells else None,
        )
        try:
            here.catalog.notes.change(table, columns[int(at)], change)
        except MillpondError as error:
            st.session_state[_PROBLEM] = error


def _with_note(row: dict[str, Any], notes: Mapping[str, Note]) -> dict[str, Any]:
    note = notes.get(str(row["Column"]), Note())
    return row | {"Comment": note.comment or row["Comment"], "Tags": [*note.tags]}


def _where(table: Table) -> str:
    if table.catalog == WORKSPACE:
        return "Comments are kept in the database, as COMMENT ON does."
    return "They are kept in Millpond; the source is not changed."


def _paragraphs(text: str) -> str:
    return "  \n".join(escaped(line) for line in text.splitlines())


def show_lost(here: Workspace) -> None:
    """Draw the notes whose table or column is not there, if there are any."""
    lost = here.catalog.notes.lost(here.catalog.list())
    if not lost:
        return
    with st.expander(f"Notes on what is not there ({len(lost)})", icon=":material/help:"):
        st.caption(
            "Their table or column was dropped or renamed, or its source is broken. "
            "They come back with it."
        )
        for at, (key, column, note) in enumerate(lost[:50]):
            row = st.container(horizontal=True, vertical_alignment="center")
            name = ".".join([*key, *([column] if column else [])])
            row.markdown(f"**{escaped(name)}**  \n" + " · ".join(note_facts(note)))
            if here.actor.may("editor"):
                row.button(
                    "Delete",
                    key=f"forget-{at}",
                    icon=":material/delete:",
                    type="tertiary",
                    on_click=here.catalog.notes.forget,
                    args=(key, column),
                )
