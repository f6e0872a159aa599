"""What DuckDB calls the types of other systems, where it does not read their tables itself."""

from __future__ import annotations

import re
from functools import lru_cache

# How sqlglot writes a type, and how DuckDB calls it.
_NAMED = {
    r"\b(?:TEXT|VARCHAR)(?:\(\d+\))?": "VARCHAR",
    r"\bINT": "INTEGER",
    r"\bREAL": "FLOAT",
    r"\bTIMESTAMPTZ": "TIMESTAMP WITH TIME ZONE",
    r"\bTIMETZ": "TIME WITH TIME ZONE",
    r"\bDECIMAL\((\d+), (\d+)\)": r"DECIMAL(\1,\2)",
    r"\bINTERVAL [A-Z]+ TO [A-Z]+": "INTERVAL",
}


@lru_cache(4096)  # a source of 100,000 columns has a few types
def duckdb_type(declared: str, dialect: str) -> str:
    """Return what DuckDB calls a type that was declared in sqlglot's `dialect`.

    A type that neither knows stays as it is.
    """
    from sqlglot import exp
    from sqlglot.errors import SqlglotError

    try:
        named = exp.DataType.build(declared, dialect=dialect).sql(dialect="duckdb")
    except (SqlglotError, ValueError):
        return declared
    for written, meant in _NAMED.items():
        named = re.sub(written + r"(?=[,)\[]|$)", meant, named)
    return named
