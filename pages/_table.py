"""One table's page: its columns, its data, what it is made by, how many rows it has."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

import streamlit as st

from core.catalog.drafts import all_rows, chart, first_rows, profile, row_count
from core.catalog.models import WORKSPACE, Table
from core.errors import MillpondError
from core.queries.runs import Entry
from core.structure import Structure
from core.workbench import Workspace
from pages._helpers import ago, count, escaped, file_size, go_button, show_error
from pages._notes import edit_note, notes_grid, show_note
from pages._profile import show_profile
from pages._query_state import GLANCE
from pages._refused import show_refusal
from pages._relations import show_relations
from pages._result import show_progress, show_result
from pages._table_snapshot import show_table_snapshot
from pages._tree import TITLES
from pages._used_by import show_used_by

VIEWS = ["Columns", "Profile", "Data", "Used by", "Definition", "Relations"]
SNAPSHOT = "Snapshot"
"""Of the tables of a source: the workspace's own are here already."""


def show_table(here: Workspace, table: Table) -> None:
    """Draw the page of a table. Raises what the engine cannot tell."""
    described = here.catalog.describe(table)
    counting = here.queries.find(_document(here, "count", table))
    st.title(escaped(table.name))
    st.caption(_facts(table, described, counting))
    show_note(here, table, described.comment)
    _show_bar(here, table, described, counting)
    views = VIEWS if table.catalog == WORKSPACE else [*VIEWS, SNAPSHOT]
    view = st.segmented_control(
        "Show", views, default="Columns", key="table-view", label_visibility="collapsed"
    )
    if view == "Data":
        _show_data(here, table)
    elif view == "Profile" and table.on:
        _show_profile_elsewhere(here, table)
    elif view == "Profile":
        show_profile(here, table)
    elif view == "Used by":
        show_used_by(here, table)
    elif view == "Definition":
        _show_definition(described)
    elif view == "Relations":
        show_relations(here, table)
    elif view == SNAPSHOT:
        show_table_snapshot(here, table)
    else:
        _show_columns(here, table, described)


def _facts(table: Table, described: Structure, counting: Entry | None) -> str:
    facts = [f"{table.kind} in {escaped(TITLES.get(table.catalog, table.catalog))}"]
    if table.schema != "main":
        facts.append(f"schema {escaped(table.schema)}")
    counted = _counted(counting)
    about = described.rows if table.rows is None else table.rows
    if counted is not None:
        facts.append(count(counted, "row"))
    elif about is not None:
        facts.append(f"about {count(about, 'row')}")
    facts.append(count(len(table.columns), "column"))
    if described.bytes is not None:
        facts.append(file_size(described.bytes))
    return " · ".join(facts)


def _show_bar(here: Workspace, table: Table, described: Structure, counting: Entry | None) -> None:
    bar = st.container(horizontal=True, vertical_alignment="center")
    bar.button(
        "All tables", icon=":material/arrow_back:", on_click=st.query_params.clear, type="tertiary"
    )
    with bar:
        _draft_button(
            "Query this", table, first_rows, icon=":material/terminal:", key="query", type="primary"
        )
        _draft_button(
            "Chart",
            table,
            chart,
            icon=":material/bar_chart:",
            key="chart",
            help="Puts a count into the editor, by month or by what has few values.",
        )
        _draft_button(
            "Profile in SQL",
            table,
            profile,
            icon=":material/query_stats:",
            key="profile",
            help="Puts a query into the editor: rows, nulls, distinct values and limits by column.",
        )
    bar.button(
        "Count exactly",
        icon=":material/tag:",
        on_click=_ask,
        args=(here, _document(here, "count", table), row_count(table), table.on),
        disabled=counting is not None and not counting.run.ended,
        help="Reads the table, where nothing else knows how many rows it has.",
    )
    with bar:
        edit_note(here, table, described.comment)
    if counting is not None and not counting.run.ended:
        show_progress(counting)
    elif counting is not None and counting.run.error is not None:
        show_error(counting.run.error)


def _draft_button(
    label: str, table: Table, draft: Callable[[Table], str], *, key: str, **look: str
) -> None:
    """Draw what opens an editor with a draft, to be run where the table is read.

    Nothing where the dialect of that cannot say it.
    """
    with suppress(MillpondError):
        params = {"sql": draft(table)} | ({"on": table.on} if table.on else {})
        go_button(label, "query", key=f"{key}-table", params=params, **look)


def _document(here: Workspace, what: str, table: Table) -> str:
    """Name a question to a table as it is now: after a change, it is another."""
    return f"{what}/{here.engine.changes}/{table.address}"


def _ask(here: Workspace, document: str, sql: str, on: str) -> Entry:
    """Start a question of this page, in place of an older answer; `on` is who reads the table."""
    older = here.queries.find(document)
    if older is not None:
        here.queries.forget(older.run.id)
    entry = here.queries.run(sql, document=document, on=on, logged=False)
    entry.run.wait_rows(GLANCE)
    return entry


def _let_go(entry: Entry) -> None:
    """End the session of a run that has ended: those that people write in are few."""
    if entry.run.ended:
        entry.session.close()


def _counted(entry: Entry | None) -> int | None:
    if entry is None:
        return None
    _let_go(entry)
    if entry.run.state != "done" or entry.run.result is None:
        return None
    return int(entry.session.page(entry.run, entry.run.result).frame.item(0, 0))


def _show_data(here: Workspace, table: Table) -> None:
    question = (_document(here, "table", table), all_rows(table), table.on)
    entry = here.queries.find(question[0]) or _ask(here, *question)
    _let_go(entry)
    if entry.run.ended:
        row = st.container(horizontal=True, vertical_alignment="center")
        row.caption(f"Read {ago(entry.run.started_at)}.", width="content")
        row.button("Read again", on_click=_ask, args=(here, *question), type="tertiary")
    show_result(entry)
    show_refusal(here, entry.run.error)


def _show_profile_elsewhere(here: Workspace, table: Table) -> None:
    """Say where the profile of a table is that DuckDB does not read."""
    taken = here.snapshots.find(table)
    if taken is None:
        st.caption(
            "A profile reads a table again and again, and DuckDB does not read this one. Take a "
            "snapshot of it, under Snapshot: that has a profile."
        )
        return
    st.caption(f"DuckDB does not read this table. Its snapshot, taken {ago(taken.taken_at)}, does.")
    st.button(
        "Profile of the snapshot",
        icon=":material/query_stats:",
        on_click=st.query_params.from_dict,
        args=({"table": taken.address},),
    )


def _show_columns(here: Workspace, table: Table, described: Structure) -> None:
    declared = any(each.declared for each in described.columns)
    rows = [
        {
            "Column": each.name,
            "Type": each.type,
            **({"Declared": each.declared} if declared else {}),
            "Null": each.nullable,
            "Default": each.default,
            "Key": ", ".join(described.keys(each.name)).lower(),
            "Comment": each.comment,
        }
        for each in described.columns
    ]
    notes_grid(here, table, rows)


def _show_definition(described: Structure) -> None:
    if described.sql:
        st.code(described.sql, language="sql", wrap_lines=True)
    else:
        st.caption("The engine does not know what this was made by.")
    if described.constraints:
        st.subheader("Constraints")
        rows = [
            {"Kind": each.kind.lower(), "Columns": ", ".join(each.columns), "SQL": each.sql}
            for each in described.constraints
        ]
        st.dataframe(rows, hide_index=True)
    if described.indexes:
        st.subheader("Indexes")
        rows = [
            {"Name": each.name, "Unique": each.unique, "SQL": each.sql}
            for each in described.indexes
        ]
        st.dataframe(rows, hide_index=True)
