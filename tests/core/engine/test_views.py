"""Pages of a kept result, sorted and filtered by the real engine."""

from __future__ import annotations

import duckdb
import pytest

from core.engine.relation import Query
from core.engine.results import Column
from core.engine.views import (
    Filter,
    Sort,
    count_query,
    page_query,
    parse_filters,
    parse_sort,
    rows_query,
)
from core.errors import InvalidInput


def result_of(con, select: str) -> list[Column]:
    """Keep a query's result as the worker does: c0, c1, ... and the row's position."""
    con.execute(f"create or replace temp table spool as {select}")
    names = con.execute("select * from spool").description
    aliases = ", ".join(f"c{at}" for at in range(len(names)))
    con.execute(
        f"create or replace temp view kept({aliases}, __row) as "
        "select *, row_number() over () - 1 from spool"
    )
    return [Column(name, str(kind)) for name, kind, *_ in names]


def answer(con, query: Query) -> list[tuple]:
    sql = f"WITH result AS (SELECT * FROM kept) {query.sql}"
    return con.execute(sql, dict(query.params) or None).fetchall()


@pytest.fixture
def con():
    with duckdb.connect() as con:
        con.execute("set TimeZone = 'UTC'")
        yield con


def matching(con, select: str, *filters: Filter) -> list:
    columns = result_of(con, select)
    rows = answer(con, page_query(columns, [], filters, 0, 100))
    assert answer(con, count_query(columns, filters)) == [(len(rows),)]
    return [row[0] for row in rows]


def test_a_page_is_cut_by_position(con) -> None:
    columns = result_of(con, "select i, i % 3 from range(1000) r(i)")
    rows = answer(con, page_query(columns, [], [], 500, 3))
    assert rows == [(500, 2), (501, 0), (502, 1)]
    assert answer(con, page_query(columns, [], [], 999, 3)) == [(999, 0)]
    assert answer(con, page_query(columns, [], [], 5000, 3)) == []
    assert answer(con, page_query(columns, [], [], 0, 0)) == []


def test_ties_keep_the_order_of_the_result(con) -> None:
    columns = result_of(con, "select i % 2, i from range(50) r(i)")
    pages = [
        answer(con, page_query(columns, [Sort(0, True)], [], offset, 10))
        for offset in range(0, 50, 10)
    ]
    rows = [row for page in pages for row in page]
    assert rows == sorted(rows, key=lambda row: (-row[0], row[1]))


@pytest.mark.parametrize("descending", [False, True])
def test_rows_without_a_value_come_last(con, descending: bool) -> None:
    con.execute("set default_null_order = 'nulls_first'")
    columns = result_of(con, "from (values (null), (1), (2))")
    rows = answer(con, page_query(columns, [Sort(0, descending)], [], 0, 9))
    assert rows[-1] == (None,)


def test_several_sorts_apply_in_order(con) -> None:
    columns = result_of(con, "from (values (1, 'b'), (2, 'a'), (1, 'a'))")
    rows = answer(con, rows_query(columns, [Sort(1), Sort(0, True)], []))
    assert rows == [(2, "a"), (1, "a"), (1, "b")]


def test_names_may_be_anything(con) -> None:
    columns = [Column(name, "INTEGER") for name in ("a", "a", "__row", 'x"y;--', "")]
    con.execute("create temp view kept(c0, c1, c2, c3, c4, __row) as select 3, 1, 2, 4, 5, 0")
    query = page_query(columns, [Sort(2)], [Filter(4, "=", "5")], 0, 9)
    assert answer(con, query) == [(3, 1, 2, 4, 5)]


FILTERS = [
    # (rows, op, value, what passes)
    ("(1), (2), (3), (null)", ">", "1", [2, 3]),
    ("(1), (2), (3), (null)", "!=", "2", [1, 3, None]),  # no value is not that value
    ("(1), (2), (null)", "is null", None, [None]),
    ("(1), (2), (null)", "is not null", None, [1, 2]),
    ("(1), (2), (3)", ">=", " 1.5 ", [2, 3]),
    ("(1::tinyint), (2)", "<", "1000", [1, 2]),  # beyond the column's type
    ("(1::tinyint), (2)", ">", "-1e30", [1, 2]),
    ("(1::utinyint), (2)", ">", "-1", [1, 2]),
    ("(1::hugeint), (170141183460469231731687303715884105727)", ">", "1e38", [2**127 - 1]),
    (
        "(340282366920938463463374607431768211455::uhugeint)",
        "=",
        str(2**128 - 1),
        [str(2**128 - 1)],
    ),
    ("(9007199254740993::bigint)", "=", "9007199254740993", [9007199254740993]),
    ("(9007199254740993::bigint)", "=", "9007199254740992", []),
    ("(1), (100)", "contains", "0", [100]),
    ("(0.1::float), (0.2)", "=", "0.1", [pytest.approx(0.1)]),
    ("(0.1::float), (0.2)", "<", "1e300", [pytest.approx(0.1), pytest.approx(0.2)]),
    ("(1.5::double), ('inf'), ('-inf')", ">", "2", [float("inf")]),
    ("(1.5::double), ('nan')", "<", "2", [1.5]),
    ("(1.5::double), ('inf')", "=", "inf", [float("inf")]),
    ("(true), (false), (null)", "=", "Yes", [True]),
    ("('ÄB_%'), ('x'), (null)", "contains", "äb_%", ["ÄB_%"]),
    ("('a%b'), ('axb')", "contains", "%", ["a%b"]),
    ("('a'), ('B')", "=", "a", ["a"]),
    ("('a'), ('b'), ('')", "=", "", [""]),
    ("('10'), ('9')", "<", "9", ["10"]),  # text is compared as text
    ("('it''s'), ('; drop table spool')", "contains", "'; DROP", []),
    ("('it''s'), ('; drop table spool')", "contains", "; DROP", ["; drop table spool"]),
    ("('a' || chr(10) || 'b')", "contains", "\n", ["a\nb"]),
]


@pytest.mark.parametrize(("rows", "op", "value", "passes"), FILTERS)
def test_a_filter_keeps(con, rows: str, op: str, value: str, passes: list) -> None:
    assert matching(con, f"from (values {rows})", Filter(0, op, value)) == passes


TYPED = [
    ("1.50::decimal(4, 2)", "1.5", "1.49", "1.505"),
    ("1.50::decimal(4, 2)", "1.50", "1", "123456789"),
    ("date '2024-02-29'", "2024-02-29", "2024-02-28T23:00", "2024-02-29 00:00:01"),
    ("timestamp '2024-02-29 10:00'", "2024-02-29T10:00", "2024-02-29", "20240301"),
    ("timestamp_ns '2024-02-29 10:00'", "2024-02-29 10:00:00", "2024-02-29", "2024-03-01"),
    ("timestamptz '2024-02-29 10:00:00+00'", "2024-02-29 12:00+02:00", "2024-02-29", "2025-01-01"),
    ("time '10:00'", "10:00", "09:59:59.5", "23:00"),
    ("interval 1 day", "24 hours", "1 hour", "3 months"),
    ("'b'::enum('c', 'b', 'a')", "b", "c", "a"),  # in the order of the type
    ("uuid '11111111-1111-1111-1111-111111111111'", "1" * 32, "0" * 32, "2" * 32),
    ("12345678901234567890123456789012345678901234567890::bignum", "1" + "0" * 49, "1", "9" * 51),
]


@pytest.mark.parametrize(("value", "equal", "below", "above"), TYPED)
def test_values_are_compared_in_the_type_of_the_column(
    con, value: str, equal: str, below: str, above: str
) -> None:
    def passes(op: str, bound: str) -> bool:
        columns = result_of(con, f"select {value}")
        return answer(con, count_query(columns, [Filter(0, op, bound)])) == [(1,)]

    if "bignum" not in value:
        assert passes("=", equal)
        assert not passes("!=", equal)
        assert not passes("=", below)
    assert passes(">", below)
    assert passes("<=", above)
    assert not passes(">=", above)


@pytest.mark.parametrize(
    ("value", "part"),
    [
        ("[1, 2]", "1, 2"),
        ("{'a': 1}", "'A': 1"),
        ("map {'k': 1}", "k=1"),
        ("'{\"a\": 1}'::json", '"a"'),
        ("'\\xAA'::blob", "xaa"),
        ("'101'::bit", "01"),
        ("null", None),
        ("union_value(k := 'v')", "V"),
        ("[1, 2]::int[2]", "2"),
    ],
)
def test_any_type_can_be_searched_and_found_as_shown(con, value: str, part: str | None) -> None:
    columns = result_of(con, f"select {value}")
    shown = con.execute("select c0::varchar from kept").fetchone()[0]
    expected = [(1,)] if part else [(0,)]
    assert answer(con, count_query(columns, [Filter(0, "contains", part or "x")])) == expected
    assert answer(con, count_query(columns, [Filter(0, "=", shown or "0")])) == expected
    assert len(answer(con, page_query(columns, [Sort(0, True)], [], 0, 1))) == 1


ODD = [
    "interval (i) month",
    "i::uhugeint",
    "i::bignum",
    "[2, 10, 9][i]::varchar::enum('2', '9', '10')",
]


@pytest.mark.parametrize("value", ODD)
def test_what_a_page_shows_as_text_is_sorted_and_filtered_as_itself(con, value: str) -> None:
    columns = result_of(con, f"select {value} as v, i as n from (values (1), (2), (3), (10)) t(i)")
    query = page_query(columns, [Sort(0, True)], [Filter(1, ">", "0")], 0, 9)
    typed = con.execute("select v::varchar, n from spool order by v desc nulls last, n").fetchall()
    assert answer(con, query) == typed
    bound = typed[1][0]
    above = page_query(columns, [], [Filter(0, ">", bound)], 0, 9)
    limit = f"'{bound}'::{columns[0].type}"
    want = con.execute(f"select v::varchar, n from spool where v > {limit}").fetchall()
    assert answer(con, above) == want
    assert len(want) == 1


def test_any_column_can_be_asked_at_once(con) -> None:
    select = "from (values (1, 5.0::double, 'x', date '2024-01-05'), (5, 2, 'y', null))"
    assert matching(con, select, Filter(None, "contains", "5")) == [1, 5]
    assert matching(con, select, Filter(None, "=", "5")) == [1, 5]
    assert matching(con, select, Filter(None, "=", "2024-01-05")) == [1]
    assert matching(con, select, Filter(None, "=", "y")) == [5]
    assert matching(con, select, Filter(None, "is null")) == [5]


def test_all_filters_must_pass(con) -> None:
    filters = [Filter(0, ">", "3"), Filter(0, "<", "6"), Filter(1, "contains", "O")]
    assert matching(con, "select i, if(i % 2 = 1, 'odd', 'even') from range(9) r(i)", *filters) == [
        5
    ]


REFUSED = [
    ("1", "=", "abc", "'abc' is not a number"),
    ("1.5::decimal(4, 1)", "<", "", "'' is not a number"),
    ("true", "=", "maybe", "neither true nor false"),
    ("date '2024-01-01'", ">", "29.2.2024", "not a date"),
    ("date '2024-01-01'", ">", "2024-02-30", "not a date"),
    ("timestamp '2024-01-01'", ">", "noon", "not a time"),
    ("time '10:00'", ">", "25:00", "not a time of day"),
    ("uuid()", "=", "x", "not a UUID"),
    ("[1]", "<", "[2]", "has no order"),
    ("1", "like", "x", "not a comparison"),
    ("1", "=", None, "needs a value"),
]


@pytest.mark.parametrize(("value", "op", "given", "message"), REFUSED)
def test_a_value_that_makes_no_sense_is_refused(con, value, op, given, message) -> None:
    columns = result_of(con, f"select {value}")
    with pytest.raises(InvalidInput, match=message):
        page_query(columns, [], [Filter(0, op, given)], 0, 1)


def test_what_only_the_engine_can_tell_is_its_error_and_not_an_empty_page(con) -> None:
    columns = result_of(con, "select interval 1 day")
    with pytest.raises(duckdb.ConversionException):
        answer(con, count_query(columns, [Filter(0, "=", "soon")]))


@pytest.mark.parametrize(
    ("sorts", "filters", "offset", "limit"),
    [
        ([Sort(1)], [], 0, 1),
        ([Sort(-1)], [], 0, 1),
        ([], [Filter(1, "is null")], 0, 1),
        ([], [Filter(None, "<", "1")], 0, 1),
        ([], [Filter(0, "is null")] * 51, 0, 1),
        ([], [], -1, 1),
        ([], [], 0, -1),
        ([], [], 0, 10**9),
    ],
)
def test_a_page_that_cannot_be_is_refused(sorts, filters, offset: int, limit: int) -> None:
    with pytest.raises(InvalidInput):
        page_query([Column("a", "INTEGER")], sorts, filters, offset, limit)


def test_sorts_are_read_from_text() -> None:
    assert parse_sort("2:desc, 0:asc,1") == (Sort(2, True), Sort(0), Sort(1))
    assert parse_sort(" ") == ()


@pytest.mark.parametrize(
    "text", ["a", "1:down", "-1", "1,,2", "1:desc:asc", "²", ",".join("1" * 51)]
)
def test_a_sort_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        parse_sort(text)


def test_filters_are_read_from_json() -> None:
    text = '[{"column": 2, "op": ">", "value": 3.5}, {"column": null, "op": "is null"}]'
    assert parse_filters(text) == (Filter(2, ">", "3.5"), Filter(None, "is null"))
    assert parse_filters('[{"op": "=", "value": true}]') == (Filter(None, "=", "true"),)
    assert parse_filters("") == ()


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "{}",
        "[1]",
        '[{"column": "a", "op": "="}]',
        '[{"column": true, "op": "="}]',
        '[{"op": "like", "value": "x"}]',
        '[{"op": ["="], "value": "x"}]',
        '[{"op": "=", "value": []}]',
        '[{"op": "=", "value": "x", "sql": "1"}]',
        "[" * 100_000,
        "[" + ",".join(['{"op": "is null"}'] * 51) + "]",
    ],
)
def test_a_filter_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        parse_filters(text)
