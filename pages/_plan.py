"""The Plan view: what the engine will do, and on request what each step took."""

from __future__ import annotations

import streamlit as st

from core.engine.plan import PlanNode
from core.engine.pushdown import pushed
from core.queries.runs import Entry
from pages._helpers import count, escaped


def show_plan(entry: Entry) -> None:
    """Draw the plan of the run's statement."""
    if entry.on:
        st.info(
            f"{escaped(entry.on)} ran the whole text itself, in its own dialect; how, its own "
            "EXPLAIN tells.",
            icon=":material/dns:",
        )
        return
    timed = st.toggle(
        "Run it again, and measure each step",
        key=f"analyze-{entry.run.id}",
        help="The statement is run once more; its rows are thrown away.",
    )
    plan = entry.session.explain(entry.run.sql, entry.params, analyze=timed)
    _show_pushed(plan, entry.run.sql)
    rows = [_row(depth, node) for depth, node in plan.walk()]
    config = {
        "Share": st.column_config.ProgressColumn(format="percent", min_value=0, max_value=1),
        "ms": st.column_config.NumberColumn(format="%.2f", help="Added up over all threads."),
        "Rows": st.column_config.NumberColumn(format="localized"),
        "Estimated": st.column_config.NumberColumn(format="localized"),
    }
    if not timed:
        rows = [{name: row[name] for name in ("Step", "Estimated", "Details")} for row in rows]
    st.dataframe(rows, column_config=config, hide_index=True, placeholder="")


def _show_pushed(plan: PlanNode, sql: str) -> None:
    """Say what the sources are asked for; the steps below work on what comes of it."""
    asked = pushed(plan, sql)
    if not asked:
        return
    with st.expander(f"Asked of {count(len(asked), 'source')}", icon=":material/dns:"):
        for each in asked:
            where = f"where `{_code(each.rows)}`" if each.rows else "all rows"
            wanted = f"`{_code(each.columns)}`" if each.columns else "no column"
            until = ", until there are enough" if each.limited else ""
            table = f"**{escaped(each.table)}** " if each.table else ""
            st.markdown(f"{table}{each.reader}: {wanted}, {where}{until}")


def _code(text: str) -> str:
    return text.replace("`", "'")


def _row(depth: int, node: PlanNode) -> dict[str, object]:
    return {
        "Step": "\u2003" * depth + node.name.replace("_", " ").capitalize(),
        "Rows": node.rows,
        "Estimated": node.estimated,
        "ms": None if node.seconds is None else node.seconds * 1000,
        "Share": node.share,
        "Details": "; ".join(f"{key}: {value}" for key, value in node.details),
    }
