"""The schema page: every table of every source, searched by name, and a page for each of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import streamlit as st

from core.catalog.models import Catalog
from core.catalog.note import Note
from core.catalog.search import Hit
from core.workbench import Workspace
from pages._compare import show_compare
from pages._erd import diagram_button, show_diagram
from pages._helpers import count, errors_shown, escaped, follow_catalog, workspace
from pages._notes import note_facts, show_lost
from pages._table import show_table
from pages._tree import TITLES
from pages._values import show_values

SHOWN = 100
"""Tables listed at once; a search finds the others."""
NAMED = 8
"""Columns of a table that are named below it when a search finds them."""


def render() -> None:
    """Draw the list, or the table that the address names."""
    here = workspace()
    if "compare" in st.query_params:
        show_compare(here)
        return
    with errors_shown():
        catalogs = here.catalog.list()
        wanted = st.query_params.get("table", "")
        table = here.catalog.find(wanted)
        if table is not None:
            show_table(here, table)
            return
        pictured = st.query_params.get("diagram", "")
        catalog = next((each for each in catalogs if each.name == pictured), None)
        if catalog is not None:
            show_diagram(here, catalog)
            return
        st.title("Schema")
        st.button(
            "Compare",
            icon=":material/compare_arrows:",
            on_click=st.query_params.from_dict,
            args=({"compare": "1"},),
        )
        if wanted := wanted or pictured:
            st.warning(f"There is no table {escaped(wanted)}.", icon=":material/search_off:")
        _show_broken(here)
        follow_catalog(here)
        _show_list(here, catalogs)
        show_lost(here)


def _show_broken(here: Workspace) -> None:
    for each in here.connections.list():
        if each.problem:
            st.caption(
                f":red-badge[broken] **{escaped(each.connection.alias)}**: "
                f"{escaped(each.problem.message)}"
            )


def _show_list(here: Workspace, catalogs: Sequence[Catalog]) -> None:
    everything = sum(len(catalog.tables) for catalog in catalogs)
    if not everything:
        st.info("No tables yet. Add a connection, or make a table on the Query page.")
        return
    text = st.text_input(
        "Search",
        placeholder="words in names, comments and owners; #tag",
        key="search",
        type="search",
        live=True,
        bind="query-params",
    )
    hits = here.catalog.search(text)
    of = "" if len(hits) == everything else f" of {everything:,}"
    st.caption(f"{count(len(hits))}{of} " + ("table" if everything == 1 else "tables"))
    sources: dict[str, list[Hit]] = {}
    for hit in hits[:SHOWN]:
        sources.setdefault(hit.table.catalog, []).append(hit)
    for catalog, found in sources.items():
        with st.container(border=True, gap="xxsmall"):
            row = st.container(horizontal=True, vertical_alignment="center")
            row.markdown(f"**{escaped(TITLES.get(catalog, catalog))}**")
            diagram_button(row, catalog)
            for hit in found:
                _show_hit(hit, here.catalog.notes.of(hit.table))
    if len(hits) > SHOWN:
        st.caption(f"{count(len(hits) - SHOWN)} more: search for them.")
    show_values(here, text)


def _show_hit(hit: Hit, notes: Mapping[str, Note]) -> None:
    table, columns = hit.table, [column.name for column in hit.columns]
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
    row.caption(" · ".join([*facts, *note_facts(notes.get("", Note()))]))
    lines = [
        " · ".join([escaped(name), *note_facts(notes[name])]) if name in notes else escaped(name)
        for name in columns[:NAMED]
    ]
    if columns:
        more = f" and {len(columns) - NAMED} more" if len(columns) > NAMED else ""
        separator = "  \n" if any(name in notes for name in columns[:NAMED]) else ", "
        st.caption(separator.join(lines) + more)
