"""The DuckDB extensions that come as wheels: loaded by path, so nothing is ever downloaded."""

from __future__ import annotations

import functools
from importlib.util import find_spec
from pathlib import Path

ALWAYS = ("sqlite_scanner", "excel")
"""Those that a spare worker loads before it is needed; the others are loaded by who needs them."""

SETTINGS = {
    "mysql_scanner": {
        "mysql_tinyint1_as_boolean": "false",  # any number but 0 would arrive as true
        "mysql_incomplete_dates_as_nulls": "true",  # or one 2026-00-00 makes a column unreadable
        "mysql_session_time_zone": "'+00:00'",  # moments would arrive in the server's own zone
        # Passed on, text is compared in the server's collation, mostly without case, and not as
        # DuckDB does: joins lost rows, = found others than IN. Later than 1.5.5 bytes are compared.
        "mysql_experimental_filter_pushdown": "false",
        "mysql_aggregate_pushdown_enabled": "false",
        "mysql_order_pushdown_enabled": "false",
    },
}
"""What is set when an extension is loaded, as SQL: it cannot be set before."""


@functools.cache
def extension_files() -> tuple[str, ...]:
    """Return the file of each extension that every engine has, as far as it is installed."""
    return tuple(file for name in ALWAYS if (file := extension_file(name)))


def extension_file(name: str) -> str:
    """Return an extension's file; "" where its wheel is not installed."""
    spec = find_spec(f"duckdb_extension_{name}")
    for folder in (spec.submodule_search_locations or []) if spec else []:
        for file in Path(folder).glob(f"extensions/*/{name}.duckdb_extension"):
            return str(file)
    return ""
