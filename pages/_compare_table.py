"""One table that differs: both sides of it next to each other."""

from __future__ import annotations

from typing import Any

import streamlit as st

from core.catalog.differences import Comparison, Pair, TableChange
from core.structure import Constraint, Index, Structure, StructuredColumn
from pages._helpers import escaped


def show_change(comparison: Comparison, change: TableChange) -> None:
    """Draw what differs in a table; all of it, where it is on one side only."""
    left, right = change.left, change.right
    with st.container(border=True):
        st.markdown(f"**{escaped(change.name)}** · {change.kind} {change.state}")
        names = escaped(comparison.left.name), escaped(comparison.right.name)
        st.caption(f"Left: {names[0]}  \nRight: {names[1]}")
        rows = _rows(change)
        if rows:
            st.dataframe(
                rows,
                hide_index=True,
                placeholder="",
                height=400 if len(rows) > 10 else "auto",
            )
        for each in change.renames:
            st.caption(f"Perhaps {escaped(each.left)} was renamed to {escaped(each.right)}.")
        if change.kind == "view" and (change.definition or left is None or right is None):
            _show_definitions(left, right)


def _rows(change: TableChange) -> list[dict[str, str]]:
    left, right = change.left, change.right
    if left is None or right is None or change.remade:
        return [_row("column", Pair(each, None)) for each in (left.columns if left else ())] + [
            _row("column", Pair(None, each)) for each in (right.columns if right else ())
        ]
    rows = []
    if left.name != right.name:
        rows.append(_plain("name changed", "", left.name, right.name))
    if left.comment != right.comment:
        rows.append(_plain("comment changed", "", left.comment, right.comment))
    rows += [_row("column", each) for each in change.columns]
    rows += [_row("key", each) for each in change.constraints]
    rows += [_row("index", each) for each in change.indexes]
    return rows


def _row(what: str, pair: Pair[Any]) -> dict[str, str]:
    name = getattr(pair.right or pair.left, "name", "") if what != "key" else ""
    sides = [_told(each, pair) for each in (pair.left, pair.right)]
    return _plain(f"{what} {pair.state}", name, *sides)


def _plain(what: str, name: str, left: str, right: str) -> dict[str, str]:
    return {"What": what, "Name": name, "Left": left, "Right": right}


def _told(thing: StructuredColumn | Constraint | Index | None, pair: Pair[Any]) -> str:
    if thing is None:
        return ""
    if isinstance(thing, Constraint):
        return thing.sql
    if isinstance(thing, Index):
        return thing.sql or f"{'unique ' if thing.unique else ''}({', '.join(thing.columns)})"
    both = pair.left is not None and pair.right is not None
    renamed = both and pair.left.name != pair.right.name
    facts = [thing.name] if renamed else []
    facts.append(thing.declared or thing.type)
    facts += [] if thing.nullable else ["not null"]
    facts += [f"default {thing.default}"] if thing.default else []
    facts += [f"-- {thing.comment}"] if thing.comment else []
    return " ".join(facts)


def _show_definitions(left: Structure | None, right: Structure | None) -> None:
    for label, side, column in zip(("Left", "Right"), (left, right), st.columns(2), strict=True):
        if side is not None and side.sql:
            column.caption(label)
            column.code(side.sql, language="sql", wrap_lines=True)
