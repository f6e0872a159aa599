"""How each dialect analyses a query without running it: what does not fit is an error then."""

from __future__ import annotations

import re

_READS = re.compile(r"\s*(?:select|with|values|table|\()", re.IGNORECASE)
"""How a query begins: EXPLAIN before other words may do what they say."""

_EXPLAIN = {"clickhouse", "mysql", "postgres", "presto", "redshift", "snowflake", "sqlite", "trino"}
_SUBQUERY = {"databricks", "hive", "spark"}
"""Their EXPLAIN gives an error as text, or none."""


def analysis(sql: str, dialect: str) -> str:
    """Return a statement that has a query analysed, its lines one further down; "" for none."""
    if not _READS.match(sql):
        return ""
    if dialect in _EXPLAIN:
        return f"EXPLAIN\n{sql}"
    if dialect in _SUBQUERY:
        return f"SELECT * FROM (\n{sql}\n) LIMIT 0"
    return ""
