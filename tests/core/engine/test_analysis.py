"""What a source is asked to analyse can only be read, and is never run."""

from __future__ import annotations

import pytest

from core.engine.analysis import analysis

RUN = (
    "ANALYZE DELETE FROM t",
    "DELETE FROM t",
    "CREATE TABLE t AS SELECT 1",
    "",
    "EXPLAIN SELECT 1",
)


@pytest.mark.parametrize("dialect", ["postgres", "mysql", "sqlite", "spark", "trino"])
@pytest.mark.parametrize("sql", RUN)
def test_nothing_but_a_query_is_analysed(dialect, sql):
    assert analysis(sql, dialect) == ""


@pytest.mark.parametrize("sql", ["SELECT 1", "with a as (select 1) select * from a", "(SELECT 1)"])
def test_a_query_begins_in_the_second_line(sql):
    for dialect in ("postgres", "spark"):
        assert analysis(sql, dialect).splitlines()[1] == sql
    assert analysis(sql, "postgres").splitlines()[0] == "EXPLAIN"
    assert analysis(sql, "spark").splitlines()[-1] == ") LIMIT 0"


def test_where_no_way_is_known_nothing_is_asked():
    assert analysis("SELECT 1", "oracle") == ""
    assert analysis("SELECT 1", "") == ""
