"""The statements that drop and make views: those that differ, and those above what changes.

Views have no ALTER for their SQL. One that is the same on both sides is made anew where a table
below it changes: PostgreSQL refuses the change else, and DuckDB the view.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from core.catalog.altertable import add_index
from core.catalog.compare import own_indexes
from core.catalog.ddl import Unsayable, comment
from core.catalog.differences import Comparison, TableChange
from core.catalog.limits import Limits
from core.catalog.script import Script, in_order
from core.catalog.sqlheads import view_kind, view_text
from core.catalog.sqltext import reads
from core.connector import quoted
from core.structure import Structure, StructuredColumn

Views = dict[str, Structure]


def change_views(script: Script, comparison: Comparison) -> None:
    """Add what drops the views that go and makes those that come."""
    remade = [change for change in comparison.changes if _is_remade(change)]
    olds = {each.name: each for each in _views(change.left for change in remade)}
    news = {each.name: each for each in _views(change.right for change in remade)}
    for view in _stale(comparison, script.limits, {*olds, *news}):
        olds[view.name] = news[view.name] = view
    for name, view in [*news.items()]:
        try:
            script.words.view(view)
        except Unsayable as reason:
            script.note("views come", f"The view {name} is left as it is: {reason}.")
            news.pop(name)
            olds.pop(name, None)
    for name in reversed(in_order(_needs(olds, comparison.left.dialect))[0]):
        script.add("views go", f"DROP {view_kind(olds[name].sql)} {quoted(name)}")
    for name in in_order(_needs(news, comparison.right.dialect))[0]:
        script.add("views come", partial(script.words.view, news[name]))
        for index in own_indexes(news[name]):
            add_index(script, news[name], index)
        tell_comments(script, news[name])
    for change in comparison.changes:
        if change.name not in news and not _is_remade(change):
            _change_comments(script, change)


def tell_comments(script: Script, made: Structure) -> None:
    """Add the comments of a table or view that is new."""
    name = quoted(made.name)
    if made.comment:
        script.add("comments", comment(f"{_kind(made)} {name}", made.comment))
    for column in made.columns:
        if column.comment:
            on = f"COLUMN {name}.{quoted(column.name)}"
            script.add("comments", comment(on, column.comment))


def _kind(made: Structure) -> str:
    return view_kind(made.sql) if made.kind == "view" else "TABLE"


def _views(told: Iterator[Structure | None]) -> Iterator[Structure]:
    return (each for each in told if each is not None and each.kind == "view")


def _is_remade(change: TableChange) -> bool:
    """Tell what needs another CREATE from a view whose comments changed alone."""
    left, right = change.left, change.right
    if left is None or right is None or change.remade or change.definition:
        return True
    return left.name != right.name or not (left.sql and right.sql)


def _stale(comparison: Comparison, limits: Limits, done: set[str]) -> Iterator[Structure]:
    """Yield the unchanged views that read a table whose columns change, or such a view."""
    moved = {change.name.lower() for change in comparison.changes if _moves(change, limits)}
    touched = moved | {name.lower() for name in done}
    if not touched:
        return
    dialect, left = comparison.right.dialect, {each.name for each in comparison.left.structures}
    views = {
        each.name: each
        for each in comparison.right.structures
        if each.kind == "view" and each.sql and each.name in left and each.name not in done
    }
    needs = {name: reads(view_text(view.sql)[1], dialect) for name, view in views.items()}
    while found := [name for name in views if needs[name] & touched]:
        touched |= {name.lower() for name in found}
        yield from (views.pop(name) for name in found)


def _moves(change: TableChange, limits: Limits) -> bool:
    """Tell whether views notice; those of DuckDB notice an added column too, for `SELECT *`."""
    if change.left is None or change.right is None:
        return change.left is not None
    return any(
        limits.indexes_hold if pair.left is None else _type(pair.left) != _type(pair.right)
        for pair in change.columns
    )


def _type(column: StructuredColumn | None) -> tuple[str, str]:
    return (column.name, column.type) if column else ("", "")


def _needs(views: Views, dialect: str) -> dict[str, list[str]]:
    """Return which of these views each reads."""
    if len(views) < 2:
        return {name: [] for name in views}
    by_name = {name.lower(): name for name in views}
    read = {name: reads(view_text(view.sql)[1], dialect) for name, view in views.items()}
    return {
        name: [by_name[each] for each in sorted(found) if each in by_name]
        for name, found in read.items()
    }


def _change_comments(script: Script, change: TableChange) -> None:
    left, right = change.left, change.right
    if left is None or right is None or right.kind != "view":
        return
    if left.comment != right.comment:
        script.add("comments", comment(f"{_kind(right)} {quoted(right.name)}", right.comment))
    for new in (pair.right for pair in change.columns if pair.right):
        on = f"COLUMN {quoted(right.name)}.{quoted(new.name)}"
        script.add("comments", comment(on, new.comment))
