"""What a text of Spark's SQL does: told before it is passed on, because Spark has no sessions that
only read.

What cannot be told apart with certainty counts as writing. Who must not be able to write at all
gets a user of Spark's who may only read.
"""

from __future__ import annotations

import re
from itertools import pairwise

from core.errors import Forbidden, QueryError

_BEGINS = re.compile(
    r"(?:[\s(]|--[^\n]*\n|/\*(?:(?!/\*|\*/).)*\*/)*"
    r"(?:(?P<asks>select|with|values|from|table)|(?P<tells>show|explain|describe|desc))\b",
    re.IGNORECASE | re.DOTALL,
)
_WRITES = re.compile(r"\b(?:insert|update|delete|merge)\b", re.IGNORECASE)
"""What may follow WITH and FROM. In a literal it means nothing, but where does a literal end?"""
_DOUBTFUL = re.compile(r"\\|/\*|\|>")
_RUNS = re.compile(r"\b(?:reflect|java_method|try_reflect)`?\s*\(", re.IGNORECASE)
"""These run any method of Java's in the server."""


def quoted(*parts: str) -> str:
    """Quote a name of Spark's, part by part."""
    return ".".join("`" + part.replace("`", "``") + "`" for part in parts)


def statements(text: str) -> list[str]:
    """Split a text at its semicolons. Raises QueryError for a quote that is not closed."""
    from sqlglot import TokenType, tokenize
    from sqlglot.errors import TokenError

    try:
        tokens = tokenize(text, read="spark")
    except TokenError as error:
        raise QueryError("A quote or a comment is not closed.", sql=text) from error
    ends = [each.start for each in tokens if each.token_type == TokenType.SEMICOLON]
    edges = [-1, *ends, len(text)]
    parts = (text[start + 1 : end].strip() for start, end in pairwise(edges))
    return [part for part in parts if part]


def check_reads(sql: str) -> None:
    """Raise Forbidden unless the statement can only read."""
    if not _reads(sql):
        raise Forbidden(
            "This connection is read-only, and the statement may do more than read.",
            hint="Allow writing in the connection, if it is yours to allow.",
        )


def _reads(sql: str) -> bool:
    begins = _BEGINS.match(sql)
    if begins is None or _RUNS.search(sql):
        return False
    if begins["tells"] or not _WRITES.search(sql):
        return True
    return not _DOUBTFUL.search(sql) and _is_query(sql)


def _is_query(sql: str) -> bool:
    import sqlglot
    from sqlglot import exp
    from sqlglot.errors import SqlglotError

    try:
        trees = [each for each in sqlglot.parse(sql, read="spark") if each is not None]
    except SqlglotError:
        return False
    return all(
        isinstance(tree, exp.Query) and tree.find(exp.DML, exp.DDL) is None for tree in trees
    )
