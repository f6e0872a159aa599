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
    # EXPLAIN takes its options in brackets, and would run this
    "(ANALYZE) DELETE FROM t",
    "(SELECT 1)",
    "SELECT 1; DELETE FROM t",
    "SELECT ';' ; DELETE FROM t --;",
    "-- DELETE\n DELETE FROM t",
    "/* only a comment",
    "-- only a comment",
    ";",
    "'select' 1",
    '"select" 1',
)
OTHERWISE_QUOTED = (
    # in the first string is a quote, and the second begins behind the end
    ("mysql", r"SELECT '\'' ; DELETE FROM t; -- '"),
    ("spark", r"SELECT '\'' ; DELETE FROM t; -- '"),
    ("postgres", r"SELECT E'\'' ; DELETE FROM t; -- '"),
    # there a backslash is one, and here a comment is nested
    ("postgres", r"SELECT '\' ; DELETE FROM t; -- '"),
    ("postgres", "SELECT 1 /* /* */ ' */ ; DELETE FROM t; -- '"),
)
QUERIES = (
    "SELECT 1",
    "with a as (select 1) select * from a",
    "SELECT ';', \"a;b\"",
    "VALUES (1)",
)


@pytest.mark.parametrize("dialect", ["postgres", "mysql", "sqlite", "spark", "trino"])
@pytest.mark.parametrize("sql", RUN)
def test_nothing_but_a_query_is_analysed(dialect, sql):
    assert analysis(sql, dialect) == ""


@pytest.mark.parametrize(("dialect", "sql"), OTHERWISE_QUOTED)
def test_a_second_statement_is_found_by_the_dialects_own_quotes(dialect, sql):
    assert analysis(sql, dialect) == ""


@pytest.mark.parametrize("sql", QUERIES)
def test_a_query_begins_in_the_second_line(sql):
    for dialect in ("postgres", "spark"):
        assert analysis(sql, dialect).splitlines()[1] == sql
        assert analysis(f"{sql} ;; ", dialect) == analysis(sql, dialect)
    assert analysis(sql, "postgres").splitlines()[0] == "EXPLAIN"
    assert analysis(sql, "spark").splitlines()[-1] == ") LIMIT 0"


def test_comments_are_left_out_and_every_word_stays_where_it_is():
    sql = "-- it's\nSELECT /* ;\n' */ 'é🦆 --', x -- the end"
    asked = "EXPLAIN\n" + " " * 7 + "\nSELECT     \n     'é🦆 --', x"
    assert analysis(sql, "postgres") == asked
    assert analysis("SELECT 1 /*! INTO OUTFILE 'x' */", "mysql") == "EXPLAIN\nSELECT 1"


def test_where_no_way_is_known_nothing_is_asked():
    assert analysis("SELECT 1", "oracle") == ""
    assert analysis("SELECT 1", "") == ""
