"""A comparison told: as JSON values for programs, and in a line for each table."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from core.catalog.alters import Dialect, alters
from core.catalog.differences import Comparison, Pair, Side, TableChange


def told(comparison: Comparison, dialect: Dialect) -> dict[str, Any]:
    """Return all of it, with the SQL that turns the left into the right."""
    return {
        "equal": comparison.equal,
        "summary": comparison.summary(),
        "added": comparison.count("added"),
        "removed": comparison.count("removed"),
        "changed": comparison.count("changed"),
        "same": comparison.same,
        "left": _side(comparison.left),
        "right": _side(comparison.right),
        "tables": [_table(each) for each in comparison.changes],
        "renames": [asdict(each) for each in comparison.renames],
        "reordered": list(comparison.reordered),
        "dialect": dialect,
        "sql": alters(comparison, dialect),
    }


def changes_told(comparison: Comparison) -> list[str]:
    """Return a line for each table: `+ added`, `- removed`, `~ changed: 2 columns, 1 key`."""
    signs = {"added": "+", "removed": "-", "changed": "~"}
    lines = []
    for change in comparison.changes:
        told = f": {', '.join(change.told())}" if change.told() else ""
        lines.append(f"{signs[change.state]} {' '.join(change.name.split())}{told}")
    return lines


def _side(side: Side) -> dict[str, Any]:
    return {
        "name": side.name,
        "catalog": side.catalog,
        "schema": side.schema,
        "taken_at": side.taken_at.isoformat() if side.taken_at else None,
    }


def _table(change: TableChange) -> dict[str, Any]:
    left, right = change.left, change.right
    return {
        "name": change.name,
        "kind": change.kind,
        "state": change.state,
        "differs": change.told(),
        "comment": [left.comment if left else None, right.comment if right else None],
        "columns": [_pair(each) for each in change.columns],
        "keys": [_pair(each) for each in change.constraints],
        "indexes": [_pair(each) for each in change.indexes],
        "renames": [asdict(each) for each in change.renames],
    }


def _pair(pair: Pair[Any]) -> dict[str, Any]:
    return {
        "state": pair.state,
        "left": None if pair.left is None else asdict(pair.left),
        "right": None if pair.right is None else asdict(pair.right),
    }
