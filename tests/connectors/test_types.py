"""Types of other systems are called what DuckDB calls them."""

from __future__ import annotations

import duckdb
import pytest

from connectors._types import duckdb_type

DECLARED = {
    "spark": (
        "tinyint", "int", "float", "decimal(10,2)", "string", "varchar(10)", "char(3)", "binary",
        "timestamp", "timestamp_ntz", "interval day to second", "interval year to month",
        "array<int>", "map<string,bigint>", "struct<a:int,b:array<string>>", "array<decimal(10,2)>",
    ),
    "postgres": (
        "INTEGER", "NUMERIC(10, 2)", "VARCHAR(50)", "DOUBLE PRECISION", "BYTEA", "UUID", "JSONB",
        "TIMESTAMP WITH TIME ZONE", "TIMESTAMP WITHOUT TIME ZONE", "INTEGER[]", "TEXT", "REAL",
    ),
    "mysql": ("INTEGER UNSIGNED", "DATETIME", "DECIMAL(10, 2)", "VARCHAR(20)", "LONGTEXT"),
    "tsql": ("NVARCHAR(20)", "DATETIME2", "BIT", "UNIQUEIDENTIFIER"),
}  # fmt: skip


@pytest.mark.parametrize("dialect", DECLARED)
def test_each_is_a_name_that_duckdb_gives(dialect):
    called = {each: duckdb_type(each, dialect) for each in DECLARED[dialect]}
    meant = {
        each: duckdb.sql(f"SELECT typeof(NULL::{name})").fetchone()[0]
        for each, name in called.items()
    }
    assert called == meant


def test_what_nobody_knows_stays_as_it_is():
    assert duckdb_type("GEOGRAPHY_OF_OURS(3)", "postgres") == "GEOGRAPHY_OF_OURS(3)"
    assert duckdb_type("", "spark") == ""
