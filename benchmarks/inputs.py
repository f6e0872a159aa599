"""What is measured on: made once, by DuckDB, and kept in the system's temporary folder."""

from __future__ import annotations

import tempfile
from importlib.util import find_spec
from pathlib import Path

import duckdb

from core.engine.extensions import extension_files
from core.settings import Settings

FOLDER = Path(tempfile.gettempdir()) / "millpond-benchmarks"

TPCH_TABLES = ("customer", "lineitem", "nation", "orders", "part", "partsupp", "region", "supplier")

_SALES = """
    SELECT i AS id, TIMESTAMP '2024-01-01' + to_seconds(i * 3) AS sold_at,
           'shop ' || (hash(i) % 500)::VARCHAR AS shop,
           (hash(i + 7) % 40 + 1)::INTEGER AS quantity,
           ((hash(i * 3) % 100000) / 100.0)::DOUBLE AS amount
    FROM range({rows}) AS numbers(i)
"""

_MIXED = """
    SELECT i AS id, (hash(i) % 1001)::INTEGER AS quantity,
           (hash(i + 1) % 1000000)::BIGINT AS customer,
           ((hash(i * 3) % 1000000) / 100.0)::DOUBLE AS amount,
           (hash(i + 5) % 10000 / 100.0)::DECIMAL(12, 2) AS price,
           CASE WHEN hash(i + 9) % 50 <> 0 THEN (hash(i * 7) % 100000) / 7.0 END AS weight,
           'shop ' || (hash(i + 2) % 500) AS shop,
           ['open', 'paid', 'sent', 'late'][(hash(i + 4) % 4 + 1)::INTEGER] AS state,
           'user' || (hash(i + 6) % 2000000) || '@example.org' AS email,
           TIMESTAMP '2024-01-01' + to_seconds(i * 3) AS sold_at,
           DATE '2020-01-01' + (hash(i + 11) % 1500)::INTEGER AS due, hash(i + 12) % 2 = 0 AS gift
    FROM range({rows}) AS numbers(i)
"""


def sales(rows: int) -> Path:
    """Return a Parquet file of rows x 5: id, sold_at, shop, quantity, amount."""
    return _parquet(f"sales-{rows}", _SALES.format(rows=rows))


def mixed(rows: int) -> Path:
    """Return a Parquet file of rows x 12: of all kinds, from 2 to as many values as rows."""
    return _parquet(f"mixed-{rows}", _MIXED.format(rows=rows))


def _parquet(name: str, select: str) -> Path:
    file = FOLDER / f"{name}.parquet"
    if not file.exists():
        with _making() as connection:
            connection.execute(f"COPY ({select}) TO '{file}.new' (FORMAT parquet)")
        Path(f"{file}.new").rename(file)
    return file


def tpch(scale: float) -> tuple[Path, list[str]]:
    """Return a folder with TPC-H's tables as Parquet files, and its 22 queries.

    Raises RuntimeError where the extension's wheel is not installed.
    """
    folder = FOLDER / f"tpch-{scale:g}"
    with _making() as connection:
        connection.execute(f"LOAD '{_tpch_extension()}'")
        found = connection.execute("SELECT query FROM tpch_queries() ORDER BY query_nr").fetchall()
        if not folder.exists():
            making = folder.with_suffix(".new")
            making.mkdir(parents=True, exist_ok=True)
            connection.execute(f"CALL dbgen(sf = {scale})")
            for table in TPCH_TABLES:
                file = making / f"{table}.parquet"
                connection.execute(f"COPY {table} TO '{file}' (FORMAT parquet)")
            making.rename(folder)
    return folder, [row[0].strip().rstrip(";") for row in found]


def floor(settings: Settings) -> duckdb.DuckDBPyConnection:
    """Open DuckDB in this process, with the threads, memory and extensions of an engine."""
    connection = duckdb.connect(config={"threads": settings.threads})
    connection.execute(f"SET memory_limit = '{settings.memory_limit} bytes'")
    for file in extension_files():
        connection.execute(f"LOAD '{file}'")
    return connection


def _making() -> duckdb.DuckDBPyConnection:
    FOLDER.mkdir(parents=True, exist_ok=True)
    return duckdb.connect()


def _tpch_extension() -> Path:
    spec = find_spec("duckdb_extension_tpch")
    for folder in (spec.submodule_search_locations or []) if spec else []:
        for file in Path(folder).glob("extensions/*/tpch.duckdb_extension"):
            return file
    raise RuntimeError("TPC-H needs the wheel duckdb-extension-tpch: `uv sync --group bench`.")
