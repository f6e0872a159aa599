"""SQL that a source tells of its views, indexes and defaults, made comparable across schemas.

It is read by sqlglot and never run. What sqlglot cannot read is compared by its words.
"""

from __future__ import annotations

import logging
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlglot import exp

# Imported late: it takes 0.3 s, and two schemas without a difference need none of it.
logging.getLogger("sqlglot").setLevel(logging.ERROR)

_SPOKEN = {
    "postgres": "postgres",
    "postgresql": "postgres",
    "supabase": "postgres",
    "mysql": "mysql",
    "mariadb": "mysql",
    "sqlite": "sqlite",
}


def dialect_of(connector: str) -> str:
    """Name the SQL that a connector's source tells of itself in, as sqlglot names it."""
    return _SPOKEN.get(connector, "duckdb")


@lru_cache(maxsize=20_000)
def canonical(sql: str, dialect: str, schema: str = "") -> str:
    """Return a statement, a query or an expression in one spelling, without its own schema."""
    tree = _parsed(sql, dialect)
    if tree is None:
        return " ".join(sql.split())
    _unqualify(tree, schema)
    return tree.sql(dialect="duckdb", comments=False, normalize=True, identify=True)


def translated(sql: str, dialect: str, to: str, schema: str = "") -> str:
    """Return a query or an expression in another dialect, without its own schema.

    As it is where it says the same there already; empty where it cannot be read.
    """
    if dialect == to and (not schema or schema.lower() not in sql.lower()):
        return sql
    tree = _parsed(sql, dialect)
    if tree is None:
        return ""
    _unqualify(tree, schema)
    return tree.sql(dialect=to, pretty="\n" in sql)


@lru_cache(maxsize=20_000)
def reads(sql: str, dialect: str) -> frozenset[str]:
    """Return the names of tables that a query reads, in lower case; none if it is unreadable."""
    from sqlglot import exp

    tree = _parsed(sql, dialect)
    found = tree.find_all(exp.Table) if tree is not None else ()
    return frozenset(each.name.lower() for each in found)


@lru_cache(maxsize=20_000)
def generated(sql: str, dialect: str) -> tuple[frozenset[str], frozenset[str]]:
    """Return which columns of a CREATE TABLE are computed, and from which, in lower case."""
    if "GENERATED" not in sql.upper():
        return frozenset(), frozenset()
    from sqlglot import exp

    made: set[str] = set()
    used: set[str] = set()
    tree = _parsed(sql, dialect)
    for column in tree.find_all(exp.ColumnDef) if tree is not None else ():
        for rule in column.constraints:
            if "GENERATED" in rule.sql(dialect="duckdb").upper():
                made.add(column.name.lower())
                used |= {each.name.lower() for each in rule.find_all(exp.Column)}
    return frozenset(made), frozenset(used)


def _parsed(sql: str, dialect: str) -> exp.Expr | None:
    import sqlglot
    from sqlglot import exp
    from sqlglot.errors import SqlglotError

    try:
        tree = sqlglot.parse_one(sql, read=dialect)
    except (SqlglotError, RecursionError):
        return None
    return None if isinstance(tree, exp.Command) else tree


def _unqualify(tree: exp.Expr, schema: str) -> None:
    from sqlglot import exp

    for table in tree.find_all(exp.Table) if schema else ():
        if table.db.lower() == schema.lower():
            table.set("db", None)
            table.set("catalog", None)
