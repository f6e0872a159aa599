"""One table's page: its columns, its data, what it is made by, how many rows it has."""

from __future__ import annotations

import streamlit as st

from core.catalog import Table
from core.engine.description import Description
from core.queries.runs import Entry
from core.workbench import Workspace
from pages._helpers import ago, count, escaped, go_button, show_error
from pages._query_state import GLANCE
from pages._refused import show_refusal
from pages._result import show_progress, show_result
from pages._tree import TITLES

VIEWS = ["Columns", "Data", "Definition"]


def show_table(here: Workspace, table: Table) -> None:
    """Draw the page of a table. Raises what the engine cannot tell."""
    described = here.describe(table)
    counting = here.queries.find(_document(here, "count", table))
    st.title(escaped(table.name))
    st.caption(_facts(table, counting))
    if described.comment:
        st.markdown(escaped(described.comment))
    _show_bar(here, table, counting)
    view = st.segmented_control(
        "Show", VIEWS, default="Columns", key="table-view", label_visibility="collapsed"
    )
    if view == "Data":
        _show_data(here, table)
    elif view == "Definition":
        _show_definition(described)
    else:
        _show_columns(described)


def _facts(table: Table, counting: Entry | None) -> str:
    facts = [f"{table.kind} in {escaped(TITLES.get(table.catalog, table.catalog))}"]
    if table.schema != "main":
        facts.append(f"schema {escaped(table.schema)}")
    counted = _counted(counting)
    if counted is not None:
        facts.append(count(counted, "row"))
    elif table.rows is not None:
        facts.append(f"about {count(table.rows, 'row')}")
    return " · ".join([*facts, count(len(table.columns), "column")])


def _show_bar(here: Workspace, table: Table, counting: Entry | None) -> None:
    bar = st.container(horizontal=True, vertical_alignment="center")
    bar.button(
        "All tables", icon=":material/arrow_back:", on_click=st.query_params.clear, type="tertiary"
    )
    with bar:
        sql = f"{table.select}\nLIMIT 1000"
        go_button(
            "Query this",
            "query",
            key="query-table",
            icon=":material/terminal:",
            type="primary",
            params={"sql": sql},
        )
    bar.button(
        "Count exactly",
        icon=":material/tag:",
        on_click=_ask,
        args=(here, _document(here, "count", table), f"SELECT count(*) FROM {table.address}"),
        disabled=counting is not None and not counting.run.ended,
        help="Reads the table, where nothing else knows how many rows it has.",
    )
    if counting is not None and not counting.run.ended:
        show_progress(counting)
    elif counting is not None and counting.run.error is not None:
        show_error(counting.run.error)


def _document(here: Workspace, what: str, table: Table) -> str:
    """Name a question to a table as it is now: after a change, it is another."""
    return f"{what}/{here.engine.changes}/{table.address}"


def _ask(here: Workspace, document: str, sql: str) -> Entry:
    """Start a question of this page, in place of an older answer."""
    older = here.queries.find(document)
    if older is not None:
        here.queries.forget(older.run.id)
    entry = here.queries.run(sql, document=document, logged=False)
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
    document, sql = _document(here, "table", table), f"SELECT * FROM {table.address}"
    entry = here.queries.find(document) or _ask(here, document, sql)
    _let_go(entry)
    if entry.run.ended:
        row = st.container(horizontal=True, vertical_alignment="center")
        row.caption(f"Read {ago(entry.run.started_at)}.", width="content")
        row.button("Read again", on_click=_ask, args=(here, document, sql), type="tertiary")
    show_result(entry)
    show_refusal(here, entry.run.error)


def _show_columns(described: Description) -> None:
    rows = [
        {
            "Column": each.name,
            "Type": each.type,
            "Null": each.nullable,
            "Default": each.default,
            "Key": ", ".join(described.keys(each.name)).lower(),
            "Comment": each.comment,
        }
        for each in described.columns
    ]
    st.dataframe(rows, hide_index=True, placeholder="")


def _show_definition(described: Description) -> None:
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
