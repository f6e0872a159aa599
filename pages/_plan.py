"""The Plan view: what the engine will do, and on request what each step took."""

from __future__ import annotations

import streamlit as st

from core.engine.plan import PlanNode
from core.queries.runs import Entry


def show_plan(entry: Entry) -> None:
    """Draw the plan of the run's statement."""
    timed = st.toggle(
        "Run it again, and measure each step",
        key=f"analyze-{entry.run.id}",
        help="The statement is run once more; its rows are thrown away.",
    )
    plan = entry.session.explain(entry.run.sql, entry.params, analyze=timed)
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


def _row(depth: int, node: PlanNode) -> dict[str, object]:
    return {
        "Step": "\u2003" * depth + node.name.replace("_", " ").capitalize(),
        "Rows": node.rows,
        "Estimated": node.estimated,
        "ms": None if node.seconds is None else node.seconds * 1000,
        "Share": node.share,
        "Details": "; ".join(f"{key}: {value}" for key, value in node.details),
    }
