"""What a cell of SQL defines and reads, by the references of its statements."""

from __future__ import annotations

import re
from collections.abc import Set

from core.engine.lexer import fold, statements
from core.engine.references import TableName, references
from core.notebooks.cell import Names

_QUERY = re.compile(
    r"[\s(]*(?:select|from|with|values|table|pivot|unpivot|summarize|describe|show)\b", re.I
)


def sql_names(sql: str, name: str = "") -> Names:
    """Return the names of a text of SQL in a cell called `name`, "" for one that gives nothing.

    A bare name may be another cell's or a table's; one with a schema before it is a table's.
    """
    made: set[str] = set()
    tables: set[str] = set()
    calls: set[str] = set()
    parameters: set[str] = set()
    dynamic = False
    for tokens in statements(sql):
        first, last = tokens[0], tokens[-1]
        found = references(sql[first.start : last.start + len(last.text)])
        creates = fold(first.text) == "create"
        written = {each.name for each in found.writes if _is_bare(each)}
        if creates:
            made |= written | found.macros
        else:  # what is inserted into, or dropped, must be there before
            tables |= written - _among(written, made)
        read = {each.name for each in found.reads if _is_bare(each)}
        tables |= read - _among(read, made)
        calls |= found.functions - _among(found.functions, made)
        parameters |= {*found.parameters}
        dynamic |= found.dynamic or not found.parsed
    return Names(
        frozenset({name, *made} - {""}),
        frozenset(parameters),
        frozenset(tables),
        frozenset(calls),
        dynamic=dynamic,
    )


def _among(names: Set[str], made: Set[str]) -> set[str]:
    """Return those that a statement above has made, however they are written."""
    known = {fold(each) for each in made}
    return {each for each in names if fold(each) in known}


def looks_like_sql(text: str) -> bool:
    """Tell a query from a name or a list."""
    return _QUERY.match(text) is not None and len(text.split()) > 1


def is_one_query(sql: str) -> bool:
    """Tell a single query, which has rows to be read by name, from statements."""
    found = [*statements(sql)]
    words = (each.text for each in found[0] if each.text != "(") if len(found) == 1 else ()
    return _QUERY.match(next(iter(words), "")) is not None


def _is_bare(table: TableName) -> bool:
    return not (table.catalog or table.schema)
