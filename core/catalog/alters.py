"""SQL that would turn the left schema of a comparison into the right one. Nothing is ever run.

It is a text for people to look through: ordered so that it could run, names in quotes, and what
the dialect has no statement for as a line of comment.
"""

from __future__ import annotations

from functools import partial
from typing import Literal

from core.catalog.altertable import add_index, add_key, alter_table, drop_key
from core.catalog.alterviews import change_views, tell_comments
from core.catalog.compare import own_indexes
from core.catalog.ddl import Words, remark
from core.catalog.differences import Comparison, TableChange
from core.catalog.limits import DuckdbLimits, Limits
from core.catalog.script import Script, in_order
from core.connector import quoted
from core.structure import Constraint, Structure

Dialect = Literal["duckdb", "postgres"]

_CAUTION = "Millpond does not run this. Read it first: what is dropped takes its rows along."


def alters(comparison: Comparison, dialect: Dialect) -> str:
    """Return the statements, under a line that says what they do."""
    left, right = comparison.left, comparison.right
    head = remark(f"Turns {left.name} into {right.name}: {comparison.summary()}.")
    if comparison.equal:
        return f"{head}\n"
    place = f"USE {quoted(left.catalog)}.{quoted(left.schema)};"
    if dialect == "postgres":
        place = f"SET search_path TO {quoted(left.schema)};"
    return "\n".join([head, remark(_CAUTION), place, "", _body(comparison, dialect), ""])


def _body(comparison: Comparison, dialect: Dialect) -> str:
    other = [change for change in comparison.changes if not _altered(change)]
    gone = [each.left for each in other if each.left and each.left.kind == "table"]
    new = [each.right for each in other if each.right and each.right.kind == "table"]
    limits = Limits()
    if dialect == "duckdb":
        limits = DuckdbLimits(comparison.left.structures, [each.name for each in gone])
    script = Script(Words(comparison.right, dialect), limits)
    change_views(script, comparison)
    for each in comparison.renames:
        script.note(
            "tables go",
            f"Perhaps {each.left} was renamed. To keep what it holds, write instead:\n"
            f"ALTER TABLE {quoted(each.left)} RENAME TO {quoted(each.right)};",
        )
    _drop_tables(script, gone)
    for change in comparison.changes:
        if _altered(change):
            alter_table(script, change)
    _make_tables(script, comparison, new)
    return script.text()


def _altered(change: TableChange) -> bool:
    both = change.left is not None and change.right is not None
    return both and not change.remade and change.right is not None and change.right.kind == "table"


def _drop_tables(script: Script, gone: list[Structure]) -> None:
    tables = {each.name: each for each in gone}
    order, possible = in_order(_links(gone))
    for name in reversed(order):
        table = tables[name]
        if not possible and script.limits.keys_change:
            for key in table.foreign_keys:
                drop_key(script, table, key)
        reason = script.limits.drop_table(table)
        script.add("tables go", f"DROP TABLE {quoted(name)}", f"Drop the table {name}", reason)


def _make_tables(script: Script, comparison: Comparison, new: list[Structure]) -> None:
    tables = {each.name: each for each in new}
    olds = {each.name.lower(): each for each in comparison.left.structures}
    for name in in_order(_links(new))[0]:
        table = tables[name]
        # Apart where that can be: tables may lead to each other in a circle.
        able = script.limits.keys_change
        apart = table.foreign_keys if able else _loose(table, olds, tables)
        write = partial(script.words.table, table, without=apart)
        if script.add("tables come", write, f"Make the table {name}"):
            for key in apart:
                reason = "" if able else "no key is on what it leads to"
                add_key(script, table, key, reason)
            for index in own_indexes(table):
                add_index(script, table, index)
            tell_comments(script, table)


def _links(tables: list[Structure]) -> dict[str, list[str]]:
    """Return which of these tables each leads to by its foreign keys."""
    by_name = {each.name.lower(): each.name for each in tables}
    return {
        table.name: [
            by_name[key.target.table.lower()]
            for key in table.foreign_keys
            if key.target and key.target.table.lower() in by_name
        ]
        for table in tables
    }


def _loose(
    table: Structure, olds: dict[str, Structure], new: dict[str, Structure]
) -> tuple[Constraint, ...]:
    """Return the foreign keys that lead to a table of the left which will not get that key."""
    found = []
    for key in table.foreign_keys:
        target = key.target
        old = olds.get(target.table.lower()) if target else None
        if target is None or old is None or target.table in new:
            continue
        keys = [each for each in old.constraints if each.kind in ("PRIMARY KEY", "UNIQUE")]
        primary = any(each.kind == "PRIMARY KEY" for each in keys)
        if primary and all(each.columns != target.columns for each in keys):
            found.append(key)
    return tuple(found)
