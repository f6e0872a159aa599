"""Queries to begin with are ones that DuckDB runs, whatever the columns are."""

from __future__ import annotations

import duckdb
import pytest

from core.catalog.drafts import chart, profile
from core.catalog.models import Table
from core.engine.results import Column

KINDS = """
SELECT 1 AS id, 'x' AS "na""me", 'a.b' AS "order", DATE '2024-01-02' AS day, now() AS at,
       1.5 AS price, true AS flag, 'a'::ENUM ('a') AS kind, [1] AS list, {'a': 1} AS inner,
       MAP {1: 2} AS map, '{}'::JSON AS json, 'x'::BLOB AS blob, '101'::BIT AS bits,
       INTERVAL 1 DAY AS span, uuid() AS "🦆", NULL AS nothing, union_value(a := 1) AS either,
       TIME '10:00' AS "it's", 2::HUGEINT AS huge
"""


def made(con: duckdb.DuckDBPyConnection, sql: str) -> Table:
    con.execute(f'CREATE TABLE "t.1" AS {sql}')
    rows = con.execute(f"DESCRIBE ({sql})").fetchall()
    columns = tuple(Column(*row[:2]) for row in rows)
    return Table("memory", "main", "t.1", "table", None, columns)


def test_a_profile_has_a_row_for_every_column():
    with duckdb.connect() as con:
        table = made(con, KINDS)
        rows = con.execute(profile(table)).fetchall()
    assert [row[0] for row in rows] == [each.name for each in table.columns]
    assert rows[0] == ("id", 1, 0, 1, "1", "1")
    assert next(row for row in rows if row[0] == "nothing")[1:4] == (1, 1, 0)


def test_a_profile_of_many_columns_asks_for_the_first_and_says_so():
    with duckdb.connect() as con:
        table = made(con, "SELECT " + ", ".join(f"{at} AS c{at}" for at in range(100)))
        assert len(con.execute(profile(table)).fetchall()) == 60
    assert profile(table).startswith("-- Of 100 columns the first 60.\n")


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        # a time before all others
        (KINDS, "date_trunc('month', day)"),
        # a category, and no key
        ("SELECT 'a' AS customer_id, 'b' AS \"Kind of\"", 'SELECT "Kind of"'),
        ("SELECT 1 AS n, true AS flag", "SELECT flag"),
        # a number
        ("SELECT 'a' AS uuid, 2.5 AS metres", "ORDER BY metres"),
        # nothing of these
        ("SELECT [1] AS list", "SELECT count(*) AS rows\n"),
    ],
)
def test_a_chart_counts_by_what_says_something(sql, expected):
    with duckdb.connect() as con:
        table = made(con, sql)
        assert expected in chart(table)
        assert con.execute(chart(table)).fetchall()[0][-1] == 1
