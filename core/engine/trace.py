"""Follow the columns of one statement to the tables that they come from, scope by scope."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sqlglot import exp, parse_one
from sqlglot.optimizer.qualify import qualify
from sqlglot.optimizer.scope import Scope, traverse_scope

from core.engine.lexer import fold
from core.engine.references import TableName

Columns = Callable[[TableName], tuple[bool, Sequence[str]] | None]
"""Tells whether a name is of the table that is asked for, and its columns; None if unknown."""

_PARAMETER = "_"
"""What `plain` writes for one."""

# What names columns by a pattern or makes new ones.
_BEYOND = (exp.Columns, exp.Pivot, exp.Command)


def trace(sql: str, columns: Columns) -> set[str] | None:
    """Return the folded names of the columns of the table asked for, or None if untold.

    Raises what sqlglot does for SQL that it cannot read.
    """
    tree = parse_one(sql, dialect="duckdb")
    query = tree if isinstance(tree, exp.Query) else tree.args.get("expression")
    if not isinstance(query, exp.Query) or any(query.find(each) for each in _BEYOND):
        return None
    query = query.copy()
    schema: dict[str, object] = {}
    asked: set[str] = set()
    for at, table in enumerate(_tables(query)):
        found = columns(TableName(table.catalog, table.db, table.name))
        if found is None:
            continue
        name = f"t{at}"
        if not table.alias:
            table.set("alias", exp.TableAlias(this=exp.to_identifier(table.name, quoted=True)))
        for part in ("db", "catalog"):
            table.set(part, None)
        table.set("this", exp.to_identifier(name))
        schema[name] = dict.fromkeys(found[1], "UNKNOWN")
        if found[0]:
            asked.add(name)
    qualified = qualify(
        query, schema=schema, dialect="duckdb", validate_qualify_columns=False, identify=False
    )
    read: set[str] = set()
    for scope in traverse_scope(qualified):
        found_here = _read_in(scope, asked)
        if found_here is None:
            return None
        read |= found_here
    return read


def _tables(query: exp.Query) -> list[exp.Table]:
    """Return the tables of a query that no common table expression hides."""
    found: dict[int, exp.Table] = {}
    for scope in traverse_scope(query):
        for source in scope.sources.values():
            if isinstance(source, exp.Table):
                found[id(source)] = source
    return [*found.values()]


def _read_in(scope: Scope, asked: set[str]) -> set[str] | None:
    read: set[str] = set()
    if any(True for _ in scope.find_all(exp.TableColumn)):  # a whole row as one value
        return None
    for column in scope.columns:
        if column.name == _PARAMETER:
            continue
        source = _source(scope, column.table)
        if source is None or isinstance(column.this, exp.Star):
            return None
        if isinstance(source, exp.Table) and source.name in asked:
            read.add(fold(column.name))
    return read


def _source(scope: Scope | None, name: str) -> exp.Table | Scope | None:
    """Find what a name stands for here, or in a query around."""
    while scope is not None:
        if name in scope.sources:
            return scope.sources[name]
        scope = scope.parent
    return None
