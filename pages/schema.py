"""The schema page: every table of every source, searched by name, and a page for each of them."""

from __future__ import annotations

import streamlit as st

from core.catalog import Catalog, Hit, Table, search
from core.workbench import Workspace
from pages._helpers import count, errors_shown, escaped, workspace
from pages._table import show_table
from pages._tree import TITLES

SHOWN = 100
"""Tables listed at once; a search finds the others."""
NAMED = 8
"""Columns of a table that are named below it when a search finds them."""


def render() -> None:
    """Draw the list, or the table that the address names."""
    here = workspace()
    with errors_shown():
        catalogs = here.catalog()
        wanted = st.query_params.get("table", "")
        table = _find(catalogs, wanted)
        if table is not None:
            show_table(here, table)
            return
        st.title("Schema")
        if wanted:
            st.warning(f"There is no table {escaped(wanted)}.", icon=":material/search_off:")
        _show_broken(here)
        _show_list(catalogs)


def _find(catalogs: list[Catalog], wanted: str) -> Table | None:
    """Find a table by its full name, or the one that SQL means by a shorter one."""
    tables = [table for catalog in catalogs for table in catalog.tables]
    named = {table.reference: table for table in reversed(tables)}
    return (named | {table.address: table for table in tables}).get(wanted)


def _show_broken(here: Workspace) -> None:
    for each in here.connections.list():
        if each.problem:
            st.caption(
                f":red-badge[broken] **{escaped(each.connection.alias)}**: "
                f"{escaped(each.problem.message)}"
            )


def _show_list(catalogs: list[Catalog]) -> None:
    everything = sum(len(catalog.tables) for catalog in catalogs)
    if not everything:
        st.info("No tables yet. Add files on the Sources page, or make a table on the Query page.")
        return
    text = st.text_input(
        "Search",
        placeholder="words in the names of sources, tables and columns",
        key="search",
        type="search",
        live=True,
        bind="query-params",
    )
    hits = search(catalogs, text)
    of = "" if len(hits) == everything else f" of {everything:,}"
    st.caption(f"{count(len(hits))}{of} " + ("table" if everything == 1 else "tables"))
    sources: dict[str, list[Hit]] = {}
    for hit in hits[:SHOWN]:
        sources.setdefault(hit[0].catalog, []).append(hit)
    for catalog, found in sources.items():
        with st.container(border=True, gap="xxsmall"):
            st.markdown(f"**{escaped(TITLES.get(catalog, catalog))}**")
            for table, columns in found:
                _show_hit(table, [column.name for column in columns])
    if len(hits) > SHOWN:
        st.caption(f"{count(len(hits) - SHOWN)} more: search for them.")


def _show_hit(table: Table, columns: list[str]) -> None:
    row = st.container(horizontal=True, vertical_alignment="center")
    row.button(
        escaped(table.name if table.schema == "main" else f"{table.schema}.{table.name}"),
        key=f"open-{table.address}",
        on_click=st.query_params.from_dict,
        args=({"table": table.address},),
        type="tertiary",
        icon=":material/table:" if table.kind == "table" else ":material/table_view:",
    )
    facts = [count(len(table.columns), "column")]
    if table.rows is not None:
        facts.insert(0, f"about {count(table.rows, 'row')}")
    row.caption(" · ".join(facts))
    if columns:
        more = f" and {len(columns) - NAMED} more" if len(columns) > NAMED else ""
        st.caption(escaped(", ".join(columns[:NAMED])) + more)
