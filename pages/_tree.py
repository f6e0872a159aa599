"""The tree of sources beside the editor: what there is, with types, and a way to look into it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

from core.catalog.drafts import first_rows
from core.catalog.models import FILES, WORKSPACE, Catalog, Table
from core.errors import MillpondError
from core.workbench import Workspace
from pages._components.tree import source_tree
from pages._helpers import errors_shown, follow_catalog
from pages._query_state import QueryState

TITLES = {FILES: "Files", WORKSPACE: "Workspace"}


def show_tree(workspace: Workspace, state: QueryState) -> None:
    """Draw the tree; a click on a table's button puts a query on it into the editor."""
    with errors_shown():
        catalogs = workspace.catalog.list()
        broken = [each for each in workspace.connections.list() if each.problem]
        source_tree(
            "sources",
            [_branch(each) for each in catalogs],
            broken=[
                {"name": each.connection.alias, "reason": each.problem.message}
                for each in broken
                if each.problem
            ],
            on_open=lambda reference: _open(workspace, state, reference),
        )
        follow_catalog(workspace)


def _open(workspace: Workspace, state: QueryState, reference: str) -> None:
    """Put a query on a table behind the text, or by itself where another engine reads it."""
    table = workspace.catalog.find(reference)
    on = table.on if table else ""
    query = f"SELECT * FROM {reference} LIMIT 1000"
    try:
        query = first_rows(table) if table and on else query
    except MillpondError as error:
        state.problem = error
        return
    text = state.current_text().rstrip()
    if text and on != state.on:
        st.query_params.from_dict({"sql": query, "on": on})
        return
    separator = "" if not text else "\n\n" if text.endswith(";") else ";\n\n"
    state.run_on(on)
    state.replace(f"{text}{separator}{query};\n")


def _branch(catalog: Catalog) -> dict[str, Any]:
    return {
        "name": TITLES.get(catalog.name, catalog.name),
        "tables": [_leaf(table) for table in catalog.tables],
    }


def _leaf(table: Table) -> dict[str, Any]:
    return {
        "name": table.name if table.schema == "main" else f"{table.schema}.{table.name}",
        "reference": table.reference,
        "kind": table.kind,
        "rows": table.rows,
        "columns": [[column.name, column.type] for column in table.columns],
    }


def schema_names(catalogs: Sequence[Catalog]) -> dict[str, Any]:
    """Return the names that the editor completes, as its `schema` wants them."""
    tree: dict[str, Any] = {}
    for catalog in catalogs:
        for schema in catalog.schemas:
            for table in schema.tables:
                columns = [[column.name, column.type] for column in table.columns]
                if catalog.name in (WORKSPACE, FILES) and schema.name == "main":
                    tree[table.name] = columns
                elif schema.name == "main":
                    tree.setdefault(catalog.name, {})[table.name] = columns
                else:
                    inner = tree.setdefault(catalog.name, {}).setdefault(schema.name, {})
                    if isinstance(inner, dict):
                        inner[table.name] = columns
    return tree
