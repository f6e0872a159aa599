"""DuckDB's SQL in other dialects: what is rewritten, and what is refused because it would lie."""

from __future__ import annotations

import pytest

from core.engine.translate import translate
from core.errors import InvalidInput, QueryError

# dialect, DuckDB's SQL, what must be in the translation
REWRITTEN = [
    ("postgres", "SELECT strftime(d, '%Y-%m') FROM t", "TO_CHAR(d, 'YYYY-MM')"),
    ("postgres", "SELECT list_contains([1, 2], x) FROM t", "ARRAY[1, 2]"),
    ("mysql", 'SELECT "a b" FROM t LIMIT 3', "`a b`"),
    ("mysql", "SELECT a || b FROM t", "CONCAT(a, b)"),
    ("spark", "SELECT epoch_ms(x) FROM t", "TIMESTAMP_MILLIS"),
]


@pytest.mark.parametrize(("dialect", "sql", "found"), REWRITTEN)
def test_it_is_said_as_the_other_engine_says_it(dialect, sql, found):
    assert found in translate(sql, dialect)


def test_several_statements_stay_several():
    assert translate("SELECT 1; SELECT 2", "postgres").count(";") == 1


@pytest.mark.parametrize(
    ("dialect", "sql"),
    [
        ("spark", "SELECT dayofweek(d) FROM t"),
        ("spark", "SELECT count(*) FROM (SELECT dayofweek(d) AS x FROM t) WHERE x > 3"),
        ("mysql", "SELECT log(x) FROM t"),
        ("mysql", "SELECT greatest(a, b) FROM t"),
    ],
)
def test_what_would_mean_another_thing_is_refused(dialect, sql):
    with pytest.raises(InvalidInput, match="something else there"):
        translate(sql, dialect)


@pytest.mark.parametrize("sql", ["SELECT FROM WHERE (", "SELECT 'abc"])
def test_what_does_not_parse_says_so(sql):
    with pytest.raises(QueryError):
        translate(sql, "postgres")


@pytest.mark.parametrize("sql", ["", "  ", "-- nothing"])
def test_nothing_is_not_translated(sql):
    with pytest.raises(InvalidInput, match="no statement"):
        translate(sql, "postgres")


def test_what_is_nested_without_end_is_refused_and_ends_nothing():
    """A parser in C would end the process here: sqlglot compiled did."""
    deep = "SELECT * FROM (" * 1_500 + "SELECT 1" + ")" * 1_500
    with pytest.raises(InvalidInput, match="nested too deeply"):
        translate(deep, "spark")
