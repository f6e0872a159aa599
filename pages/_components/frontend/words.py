"""Ask DuckDB for its words, and write them to src/duckdb.json for the editor to know.

Run by hand when the engine's version changes: `uv run python words.py`, then `node build.mjs`.
"""

from __future__ import annotations

import json
from pathlib import Path

import duckdb

OUT = Path(__file__).parent / "src" / "duckdb.json"

KEYWORDS = "SELECT lower(keyword_name) FROM duckdb_keywords() ORDER BY 1"
RESERVED = (
    "SELECT lower(keyword_name) FROM duckdb_keywords() "
    "WHERE keyword_category IN ('reserved', 'type_function') ORDER BY 1"
)
TYPES = (
    "SELECT DISTINCT lower(type_name) FROM duckdb_types() "
    "WHERE internal AND regexp_full_match(type_name, '[A-Za-z][A-Za-z0-9_]*') ORDER BY 1"
)
# One line a name: the overload with the fewest parameters, which is the one people start from.
# Types only where there is one overload (they would mislead), and no list longer than a screen.
FUNCTIONS = """
    SELECT function_name || '(' || left(array_to_string(list_transform(
               list_zip(parameters, parameter_types),
               lambda p: CASE WHEN p[2] IS NULL OR overloads > 1 THEN p[1]
                              ELSE p[1] || ' ' || p[2] END), ', ')
           || CASE WHEN varargs IS NULL THEN ''
                   WHEN len(parameters) = 0 THEN '...' ELSE ', ...' END, 120)
           || ')' || CASE WHEN return_type IS NULL OR overloads > 1 THEN ''
                          ELSE ' -> ' || return_type END
    FROM (
        SELECT *, count(*) OVER (PARTITION BY function_name) AS overloads
        FROM duckdb_functions()
        WHERE internal AND function_type != 'pragma'
          AND regexp_full_match(function_name, '[a-z][a-z0-9_]*')
          AND NOT starts_with(function_name, '__'))
    QUALIFY row_number() OVER (
        PARTITION BY function_name ORDER BY len(parameters), parameter_types::VARCHAR) = 1
    ORDER BY function_name
"""


def main() -> None:
    with duckdb.connect() as db:
        words = {
            name: [row[0] for row in db.execute(query).fetchall()]
            for name, query in [
                ("keywords", KEYWORDS),
                ("reserved", RESERVED),
                ("types", TYPES),
                ("functions", FUNCTIONS),
            ]
        }
        words = {"version": duckdb.__version__, **words}
    OUT.write_text(json.dumps(words, indent=0, ensure_ascii=True) + "\n")


if __name__ == "__main__":
    main()
