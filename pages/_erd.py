"""Diagrams of tables and how they are related: of a source or a schema, and around one table."""

from __future__ import annotations

from functools import lru_cache

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.catalog.erd.diagram import SHOWN, Diagram, Wish
from core.catalog.erd.svg import render
from core.catalog.erd.texts import dbml, mermaid
from core.catalog.models import Catalog
from core.catalog.related import Scope
from core.workbench import Workspace
from pages._components.diagram import diagram_view
from pages._helpers import count, escaped
from pages._measuring import GLANCE, show_measuring
from pages._tree import TITLES

MORE = [SHOWN, 150, 500]
"""Numbers of tables that a diagram may show: 500 take two seconds, and are hard to read."""

_SOFT = "color-mix(in srgb, var(--st-text-color) 78%, var(--st-background-color))"
_COLOURS = {
    "paper": "var(--st-background-color)",
    "box": "var(--st-background-color)",
    "head": "var(--st-secondary-background-color)",
    "edge": "color-mix(in srgb, var(--st-text-color) 40%, var(--st-background-color))",
    "ink": "var(--st-text-color)",
    "soft": _SOFT,
    "line": _SOFT,
    "guess": "var(--st-orange-text-color, #b3591b)",
    "home": "var(--st-green-text-color, #0d6e66)",
}


def show_diagram(here: Workspace, catalog: Catalog) -> None:
    """Draw the page of a source's diagram. Raises NotFound where it has no table any more."""
    title = TITLES.get(catalog.name, catalog.name)
    st.title(f"Diagram of {escaped(title)}")
    bar = st.container(horizontal=True, vertical_alignment="center")
    bar.button(
        "All tables", icon=":material/arrow_back:", on_click=st.query_params.clear, type="tertiary"
    )
    schema = None
    if len(catalog.schemas) > 1:
        names = [each.name for each in catalog.schemas]
        schema = bar.selectbox("Schema", names, index=None, placeholder="all schemas", width=220)
    scope = Scope(catalog.name, schema)
    inferred = bar.toggle(
        "Inferred relations",
        help="Looks up whether the values of a column are in the table that its name suggests.",
    )
    whole = bar.toggle("All columns")
    tables = [each for each in catalog.tables if schema in (None, each.schema)]
    places = {each.reference: (each.catalog, each.schema, each.name) for each in tables}
    chosen = st.multiselect(
        "Tables", [*places], placeholder="all, or choose some to see them with their neighbours"
    )
    shown = SHOWN
    if len(tables) > SHOWN and not chosen:
        shown = bar.selectbox("Tables at most", MORE, width=140)
    if inferred:
        measuring = here.relations.inferred(scope)
        measuring.wait(GLANCE)
        show_measuring(measuring, lambda: here.relations.inferred(scope, again=True))
    wish = Wish(title, home=[places[each] for each in chosen], whole=whole, shown=shown)
    draw(here.relations.diagram(scope, wish, inferred=inferred), "diagram")
    whole_wish = Wish(title, home=wish.home, whole=True, shown=shown)
    pictured = here.relations.diagram(scope, whole_wish, inferred=inferred)
    _show_downloads(pictured, title).download_button(
        "Documentation",
        lambda: here.relations.document(scope, title, inferred=inferred),
        file_name=f"{title}.html",
        mime="text/html",
        icon=":material/menu_book:",
        on_click="ignore",
        help="All tables, columns, keys and relations as one HTML file.",
    )


def diagram_button(row: DeltaGenerator, catalog: str) -> None:
    """Draw a button that opens a source's diagram."""
    row.button(
        "Diagram",
        key=f"diagram-{catalog}",
        icon=":material/schema:",
        on_click=st.query_params.from_dict,
        args=({"diagram": catalog},),
        type="tertiary",
    )


def draw(diagram: Diagram, key: str) -> None:
    """Draw a diagram, and say what is not in it."""
    if diagram.left_out:
        total = len(diagram.entities) + diagram.left_out
        st.caption(
            f"The {len(diagram.entities)} best connected of {count(total, 'table')}. "
            "Choose some to see others."
        )
    diagram_view(key, _drawn(diagram), on_open=_open)
    dashed = any(not each.declared for each in diagram.relations)
    st.caption(
        "A fork is many rows, a bar one, a ring none."
        + (" Dashed lines are inferred, with the share of values that was found." if dashed else "")
        + (" There is no relation between these tables." if not diagram.relations else "")
    )


def _open(table: str) -> None:
    st.query_params.from_dict({"table": table})


@lru_cache(maxsize=8)
def _drawn(diagram: Diagram) -> str:
    return render(diagram, _COLOURS)


def _show_downloads(diagram: Diagram, title: str) -> DeltaGenerator:
    """Draw a row of buttons, and return it for more."""
    row = st.container(horizontal=True)
    for label, suffix, kind, write in (
        ("SVG", "svg", "image/svg+xml", render),
        ("Mermaid", "mmd", "text/plain", mermaid),
        ("DBML", "dbml", "text/plain", dbml),
    ):
        row.download_button(
            label,
            lambda write=write: write(diagram),
            file_name=f"{title}.{suffix}",
            mime=kind,
            icon=":material/download:",
            on_click="ignore",
        )
    return row
