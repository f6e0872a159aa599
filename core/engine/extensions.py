"""The DuckDB extensions that come as wheels: loaded by path, so nothing is ever downloaded."""

from __future__ import annotations

import functools
from importlib.util import find_spec
from pathlib import Path

EXTENSIONS = ("sqlite_scanner", "excel")


@functools.cache
def extension_files() -> tuple[str, ...]:
    """Return the file of each extension that is installed."""
    files: list[Path] = []
    for name in EXTENSIONS:
        spec = find_spec(f"duckdb_extension_{name}")
        for folder in (spec.submodule_search_locations or []) if spec else []:
            files += Path(folder).glob(f"extensions/*/{name}.duckdb_extension")
    return tuple(str(file) for file in files)
