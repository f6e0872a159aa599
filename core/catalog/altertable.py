"""The statements that change one table that is on both sides: columns, keys, indexes, comments."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from core.catalog.compare import own_indexes
from core.catalog.ddl import Unsayable, comment, is_made
from core.catalog.differences import Pair, TableChange
from core.catalog.script import Phase, Script
from core.connector import quoted
from core.structure import Constraint, Index, Structure, StructuredColumn


def alter_table(script: Script, change: TableChange) -> None:
    """Add to a script what turns the table on the left into the one on the right."""
    left, right = change.left, change.right
    if left is None or right is None:
        return
    moved = False
    if left.name != right.name:
        moved = script.add(
            "tables change",
            f"ALTER TABLE {quoted(left.name)} RENAME TO {quoted(right.name)}",
            f"Rename {left.name} to {right.name}",
            script.limits.rename(left),
        )
    for each in change.renames:
        script.note(
            "tables change",
            f"Perhaps {each.left} of {right.name} was renamed. To keep its values, write instead:\n"
            f"ALTER TABLE {quoted(right.name)} "
            f"RENAME COLUMN {quoted(each.left)} TO {quoted(each.right)};",
        )
    for column in change.columns:
        moved |= _alter_column(script, left, right, column)
    for key in change.constraints:
        _alter_key(script, change, key)
        moved |= key.right is not None
    _alter_indexes(script, change, everything=moved and script.limits.indexes_hold)
    if left.comment != right.comment:
        script.add("comments", comment(f"TABLE {quoted(right.name)}", right.comment))


def _alter_column(
    script: Script, left: Structure, right: Structure, pair: Pair[StructuredColumn]
) -> bool:
    """Add what one column needs, and tell whether indexes would be in the way of it."""
    old, new = pair.left, pair.right
    if new is None:
        return old is not None and script.add(
            "tables change",
            f"ALTER TABLE {quoted(right.name)} DROP COLUMN {quoted(old.name)}",
            f"Drop the column {old.name} of {right.name}",
            script.limits.drop_column(left, old.name),
        )
    if old is None:
        _add_column(script, right, new)
        moved = not new.nullable
    else:
        moved = _change_column(script, left, right, old, new)
    if new.comment != (old.comment if old else ""):
        on = f"COLUMN {quoted(right.name)}.{quoted(new.name)}"
        script.add("comments", comment(on, new.comment))
    return moved


def _add_column(script: Script, right: Structure, new: StructuredColumn) -> None:
    table, name = quoted(right.name), quoted(new.name)

    def write() -> str:
        told = script.words.column(right, replace(new, nullable=True))
        return f"ALTER TABLE {table} ADD COLUMN {told}"

    added = script.add("tables change", write, f"Add the column {new.name} to {right.name}")
    if added and not new.nullable:
        # Apart: DuckDB adds columns without rules only.
        script.add("tables change", f"ALTER TABLE {table} ALTER COLUMN {name} SET NOT NULL")


def _change_column(
    script: Script,
    left: Structure,
    right: Structure,
    old: StructuredColumn,
    new: StructuredColumn,
) -> bool:
    limits, table, name = script.limits, quoted(right.name), quoted(new.name)
    place, moved = f"{new.name} of {right.name}", False
    if old.name != new.name:
        moved = script.add(
            "tables change",
            f"ALTER TABLE {table} RENAME COLUMN {quoted(old.name)} TO {name}",
            f"Rename {old.name} of {right.name} to {new.name}",
            limits.rename(left),
        )
    column = f"ALTER TABLE {table} ALTER COLUMN {name}"
    retyped = _retype(script, left, place, column, old, new)
    if is_made(old.default) or is_made(new.default):
        if old.default != new.default:
            _remake(script, place, column, old, new)
    elif old.default != new.default or (retyped and new.default):
        to = f"SET DEFAULT {script.words.default(new)}" if new.default else "DROP DEFAULT"
        if new.default or not retyped:
            reason = limits.redefault(left, old.name)
            script.add("tables change", f"{column} {to}", f"{to} for {place}", reason)
    if old.nullable != new.nullable:
        rule = "DROP NOT NULL" if new.nullable else "SET NOT NULL"
        moved |= script.add(
            "tables change",
            f"{column} {rule}",
            f"{rule} for {place}",
            limits.nullable(left, old.name),
        )
    return moved or retyped


def _remake(
    script: Script, place: str, column: str, old: StructuredColumn, new: StructuredColumn
) -> None:
    """Add what turns a plain column into one that the system fills in, or back."""
    drop = "DROP IDENTITY" if "IDENTITY" in old.default else "DROP EXPRESSION"
    reason = "" if script.words.dialect == "postgres" else "there are no such columns"
    if is_made(old.default):
        script.add("tables change", f"{column} {drop}", f"{drop} for {place}", reason)
    if "IDENTITY" in new.default:
        to = "ADD GENERATED BY DEFAULT AS IDENTITY"
        script.add("tables change", f"{column} {to}", f"{to} for {place}", reason)
    elif is_made(new.default):
        script.add("tables change", "", f"Compute {place}", "only a new column can be computed")
    elif new.default:
        to = f"SET DEFAULT {script.words.default(new)}"
        script.add("tables change", f"{column} {to}")


def _retype(
    script: Script,
    left: Structure,
    place: str,
    column: str,
    old: StructuredColumn,
    new: StructuredColumn,
) -> bool:
    """Add what gives a column its new type; tell whether it does, and then it has no default."""
    words = script.words
    if old.type == new.type and (old.declared == new.declared or words.source.dialect == "duckdb"):
        return False
    if old.type == new.type and words.dialect != words.source.dialect:
        told = f"{place} is declared {new.declared}, the same to {script.label}."
        script.note("tables change", told)
        return False
    reason = script.limits.retype(left, old.name)
    try:
        wanted = words.type(new)
    except Unsayable as error:
        wanted, reason = "", reason or str(error)
    if not reason and old.default and not is_made(old.default):
        # A default of the old type may not fit the new one.
        script.add("tables change", f"{column} DROP DEFAULT")
    using = "" if words.dialect == "duckdb" else f" USING {quoted(new.name)}::{wanted}"
    what = f"Make {place} {new.declared or new.type}"
    return script.add("tables change", f"{column} TYPE {wanted}{using}", what, reason)


def _alter_key(script: Script, change: TableChange, pair: Pair[Constraint]) -> None:
    left, right = change.left, change.right
    old, new = pair.left, pair.right
    if left is None or right is None:
        return
    if old is not None:
        drop_key(script, left, old)
    if new is not None:
        add_key(script, right, new, script.limits.add_key(left, new))


def drop_key(script: Script, table: Structure, key: Constraint) -> None:
    """Add what drops a key of a table."""
    reason = "" if key.name else "its name is not known"
    if not script.limits.keys_change:
        reason = "keys stay with their table"
    script.add(
        "links go" if key.target else "keys go",
        f"ALTER TABLE {quoted(table.name)} DROP CONSTRAINT {quoted(key.name)}",
        f"Drop {key.sql} of {table.name}",
        reason,
    )


def add_key(script: Script, table: Structure, key: Constraint, reason: str = "") -> None:
    """Add what gives a table that is there a key, unless there is a reason why not."""

    def write() -> str:
        return f"ALTER TABLE {quoted(table.name)} ADD {script.words.constraint(table, key)}"

    phase: Phase = "links come" if key.target else "keys come"
    script.add(phase, write, f"Add {key.sql} to {table.name}", reason)


def _alter_indexes(script: Script, change: TableChange, *, everything: bool) -> None:
    """Drop and make indexes; all of the table's, where they would be in the way."""
    left, right = change.left, change.right
    if left is None or right is None:
        return
    olds = [each.left for each in change.indexes if each.left]
    news = [each.right for each in change.indexes if each.right]
    for index in own_indexes(left) if everything else olds:
        script.add("indexes go", f"DROP INDEX {quoted(index.name)}")
    for index in own_indexes(right) if everything else news:
        add_index(script, right, index)


def add_index(script: Script, table: Structure, index: Index) -> None:
    """Add what makes an index of a table."""
    what = f"Make the index {index.name} of {table.name}"
    script.add("indexes come", partial(script.words.index, table, index), what)
