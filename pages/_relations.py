"""A table's relations: where its rows lead, and which rows lead to it."""

from __future__ import annotations

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.catalog.erd.diagram import Wish
from core.catalog.models import Table
from core.catalog.related import Scope
from core.catalog.relations import End, Relation
from core.workbench import Workspace
from pages._erd import draw
from pages._helpers import count, escaped
from pages._measuring import GLANCE, show_measuring

STEPS = [1, 2]
"""Relations that a table in the diagram may be away."""


def show_relations(here: Workspace, table: Table) -> None:
    """Draw both directions; what nobody declared appears as it is measured."""
    scope = Scope(table.catalog, table.schema, table.name)
    place = (table.catalog, table.schema, table.name)
    declared = here.relations.declared(scope)
    measuring = here.relations.inferred(scope)
    measuring.wait(GLANCE)
    show_measuring(measuring, lambda: here.relations.inferred(scope, again=True))
    relations = [*declared, *measuring.likely]
    leaving = [each for each in relations if each.child.place == place]
    coming = [each for each in relations if each.parent.place == place]
    if not relations and measuring.ended:
        st.info("No table is known to lead here, and this one leads to none.")
        return
    _show_list("References", leaving)
    _show_list("Referenced by", coming)
    if relations:
        steps = st.segmented_control("Around it", STEPS, default=1, format_func=_steps, key="steps")
        wish = Wish(table.name, home=[place], hops=steps or 1)
        draw(here.relations.diagram(scope, wish, inferred=True), "neighbours")


def _steps(steps: int) -> str:
    return count(steps, "step")


def _show_list(title: str, relations: list[Relation]) -> None:
    """List relations as child and parent; the end that is this table shows its columns alone."""
    if not relations:
        return
    st.subheader(title)
    with st.container(border=True, gap="xxsmall"):
        for at, relation in enumerate(relations):
            row = st.container(horizontal=True, vertical_alignment="center", gap="xsmall")
            _show_end(row, relation.child, f"{title}-{at}-child", here=title == "References")
            row.markdown(":material/arrow_right_alt:", width="content")
            _show_end(row, relation.parent, f"{title}-{at}-parent", here=title != "References")
            row.caption(_told(relation), width="content")


def _show_end(row: DeltaGenerator, end: End, key: str, *, here: bool) -> None:
    if not here:
        row.button(
            escaped(end.reference),
            key=key,
            on_click=st.query_params.from_dict,
            args=({"table": end.address},),
            type="tertiary",
            icon=":material/table:",
        )
    row.markdown(escaped(", ".join(end.columns)), width="content")


def _told(relation: Relation) -> str:
    """Say how a relation is known."""
    if relation.measured is None:
        return "declared"
    looked, found = relation.measured.looked, relation.measured.found
    if found == looked:
        return f"inferred: {'all' if looked > 1 else 'the'} {count(looked, 'value')} found there"
    share = 100 * relation.measured.confidence
    return f"inferred, {share:.0f} %: {found:,} of {count(looked, 'value')} found there"
