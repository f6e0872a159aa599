"""How each dialect analyses a query without running it: what does not fit is an error then.

It is careful about what it takes for a query, and knows nothing of grammar: whatever might be more
than one statement, or another than a query, is not asked about at all.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlglot import Token

_READS = {"select", "with", "values", "table"}
"""How a query begins: EXPLAIN before other words, or before a bracket, may do what they say."""

_EXPLAIN = {"clickhouse", "mysql", "postgres", "presto", "redshift", "snowflake", "sqlite", "trino"}
_SUBQUERY = {"databricks", "hive", "spark"}
"""Their EXPLAIN gives an error as text, or none."""


def analysis(sql: str, dialect: str) -> str:
    """Return a statement that has a query analysed, its lines one further down; "" for none."""
    if dialect not in _EXPLAIN | _SUBQUERY:
        return ""
    query = _query(sql, dialect)
    if not query:
        return ""
    if dialect in _EXPLAIN:
        return f"EXPLAIN\n{query}"
    return f"SELECT * FROM (\n{query}\n) LIMIT 0"


def _query(sql: str, dialect: str) -> str:
    """Return a text of one query with all but it blanked, every word in its place; "" for others.

    Comments are blanked because engines differ in what is one: MySQL runs some.
    """
    import sqlglot  # 0.2 s, and the app's first page does without it
    from sqlglot import TokenType
    from sqlglot.errors import TokenError

    try:
        tokens = sqlglot.tokenize(sql, read=dialect)
    except TokenError:
        return ""
    while tokens and tokens[-1].token_type == TokenType.SEMICOLON:
        tokens.pop()
    many = any(each.token_type == TokenType.SEMICOLON for each in tokens)
    if many or not tokens or _written(sql, tokens[0]).lower() not in _READS:
        return ""
    return _without_gaps(sql, tokens)


def _without_gaps(sql: str, tokens: Sequence[Token]) -> str:
    pieces = [_blank(sql[: tokens[0].start])]
    for token, following in pairwise(tokens):
        pieces.append(_written(sql, token))
        pieces.append(_blank(sql[token.end + 1 : following.start]))
    return "".join([*pieces, _written(sql, tokens[-1])])


def _written(sql: str, token: Token) -> str:
    return sql[token.start : token.end + 1]


def _blank(text: str) -> str:
    return "".join(each if each == "\n" else " " for each in text)
