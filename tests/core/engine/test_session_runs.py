"""What a person may write and what they get back for it: values, counts, errors and their place."""

from __future__ import annotations

from datetime import date, datetime, time
from decimal import Decimal

import pytest

from core.engine.results import display_rows
from core.engine.session import Session
from core.engine.views import Sort
from core.errors import ConnectError, InvalidInput, LimitExceeded, QueryError


def rows(session: Session, sql: str, params: dict | None = None) -> list[list]:
    run = session.run(sql, params)
    assert run.result is not None
    return display_rows(session.page(run, run.result).frame)


def test_each_statement_gives_a_result_in_order(session: Session) -> None:
    run = session.run("create temp table t (a int); insert into t values (1), (2); from t")
    kinds = [(each.kind, each.affected, each.rows, each.complete) for each in run.results]
    assert kinds == [
        ("CREATE", 0, 0, True),
        ("INSERT", 2, 0, True),
        ("SELECT", None, 2, True),
    ]
    assert run.state == "done"
    assert all(each.elapsed > 0 for each in run.results)


@pytest.mark.parametrize(
    ("sql", "affected"),
    [
        ("create temp table t as from range(7)", 7),
        ("create temp table t as from range(3); delete from t where range > 0", 2),
        ("create temp table t as from range(3); update t set range = 5", 3),
        ("create temp table t as pivot (select 1 as a, 2 as b) on a using sum(b)", 1),
        ("begin", 0),
        ("set variable x = 1", 0),
    ],
)
def test_rows_that_a_statement_changed_are_counted(
    session: Session, sql: str, affected: int
) -> None:
    assert session.run(sql).results[-1].affected == affected


def test_a_statement_without_rows_has_an_empty_page(session: Session) -> None:
    run = session.run("set variable x = 1")
    page = session.page(run, run.results[0])
    assert (page.frame.shape, page.total, page.arriving) == ((0, 0), 0, False)


def test_a_result_without_rows_keeps_its_columns(session: Session) -> None:
    run = session.run("select 1 as a, interval 1 day as b, [true] as c where false")
    page = session.page(run, run.results[0])
    assert page.frame.shape == (0, 3)
    assert [(each.name, each.type) for each in run.results[0].columns] == [
        ("a", "INTEGER"),
        ("b", "INTERVAL"),
        ("c", "BOOLEAN[]"),
    ]


def test_column_names_may_be_repeated(session: Session) -> None:
    run = session.run("select 1 as a, 2 as a, 3 as A, 4 as ' '")
    assert [each.name for each in run.results[0].columns] == ["a", "a", "A", " "]
    assert rows(session, "select 1 as a, 2 as a, 3 as A") == [[1, 2, 3]]


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (True, "BOOLEAN"),
        (7, "INTEGER"),
        (2**40, "BIGINT"),
        (2**100, "HUGEINT"),
        (1.5, "DOUBLE"),
        ("it's; -- \U0001f986", "VARCHAR"),
        (date(2024, 2, 29), "DATE"),
        (datetime(2024, 2, 29, 1, 2, 3), "TIMESTAMP"),
        (time(1, 2, 3), "TIME"),
        (Decimal("1.250"), "DECIMAL(4,3)"),
        (Decimal("1.2E+30"), "DECIMAL(31,0)"),
        (b"\0\xff", "BLOB"),
        ([1, 2], "INTEGER[]"),
        ([date(2024, 1, 1)], "DATE[]"),
        (None, '"NULL"'),
    ],
)
def test_a_parameter_keeps_its_type(session: Session, value: object, kind: str) -> None:
    assert rows(session, "select typeof($p)", {"p": value}) == [[kind]]
    assert rows(session, "select $p is not distinct from $q", {"p": value, "q": value}) == [[True]]


def test_parameters_are_found_in_any_case_and_unused_ones_are_ignored(session: Session) -> None:
    assert rows(session, "select $Name; select $nAME + $b", {"NAME": 1, "b": 2, "c": 3}) == [[3]]


@pytest.mark.parametrize(
    ("sql", "values"),
    [
        ("select ?, ?", [1, "b"]),
        ("select $1, $2", [1, "b"]),
        ("select $1, ?", [1, "b"]),
        ("select 'none'; select ?, ?", [1, "b"]),  # each statement counts for itself
    ],
)
def test_parameters_without_a_name_go_by_their_number(
    session: Session, sql: str, values: list[object]
) -> None:
    assert rows(session, sql, {"1": 1, "2": "b"}) == [values]


@pytest.mark.parametrize(
    ("sql", "params", "words"),
    [
        ("select $a + $b", {"a": 1}, r"needs a value for \$b"),
        ("select $1", {}, r"needs a value for \$1"),
        ("select ?, ?", {"1": 1}, r"needs a value for \$2"),
        ("select $a", {"a": object()}, "is a object, which SQL cannot take"),
        ("select $a", {"a": {"x": 1}}, "is a dict"),
        ("select $a", {"a": "\ud800"}, "not valid Unicode"),
        ("", {}, "no statement"),
        (" ;; -- only words\n /* more */ ;", {}, "no statement"),
        ("select 1 where '\0' = 'a'", {}, "NUL"),
        ("select '\ud800'", {}, "not valid Unicode"),
    ],
)
def test_what_cannot_be_run_is_said_in_words(
    session: Session, sql: str, params: dict, words: str
) -> None:
    with pytest.raises(InvalidInput, match=words):
        session.run(sql, params)


def test_a_value_of_the_wrong_type_is_the_engines_error(session: Session) -> None:
    with pytest.raises(QueryError, match="Could not convert string 'x'"):
        session.run("select $a::int", {"a": "x"})


@pytest.mark.parametrize(
    ("sql", "line", "column"),
    [
        ("select nope", 1, 8),
        ("select 1;\nselect 2; select 3 +\n  nope", 3, 3),
        ("\ufeffselect nope", 1, 8),
        ("select 'ä', nope", 1, 13),
        ("select '\U0001f986', '漢字', nope", 1, 19),
        ("select 1; select '\U0001f986', nope", 1, 23),
        ("select " + "1, " * 200 + "nope, " + "2, " * 200 + "3", 1, 608),
        ("select 'aé', 'bé'; select " + "'é', " * 100 + "nope" + ", 1" * 100, 1, 527),
        ("select ';'; select $$;\n;$$, nope", 2, 6),
        ("selec 1", 1, 1),
        ("select 1; select 'abc", 1, 18),
        ("select 1\n, 'x'::int", 2, 6),
    ],
)
def test_an_error_is_placed_in_the_whole_text(
    session: Session, sql: str, line: int, column: int
) -> None:
    with pytest.raises(QueryError) as caught:
        session.run(sql)
    assert (caught.value.line, caught.value.column) == (line, column)
    assert caught.value.sql == sql
    assert "LINE" not in caught.value.message


def test_what_came_before_an_error_is_kept(session: Session) -> None:
    run = session.start("select 1; select 2; selec 3; select 4")
    run.wait()
    assert run.state == "failed"
    assert [each.rows for each in run.results] == [1, 1]


def test_an_error_in_the_middle_of_a_result_ends_its_arrival(session: Session) -> None:
    run = session.start(
        "select (case when i < 900000 then '1' else 'x' end)::int from range(1000000) t(i)"
    )
    run.wait()
    assert isinstance(run.error, QueryError)
    assert run.error.line == 1
    page = session.page(run, run.results[0])
    assert not page.arriving
    assert page.frame.height == 200


def test_a_misspelt_name_brings_a_hint(session: Session) -> None:
    with pytest.raises(QueryError) as caught:
        session.run("create temp table harvest as select 1 as a; from harvset")
    assert 'Did you mean "harvest"' in caught.value.hint


@pytest.mark.parametrize(
    "words",
    [
        "Out of Memory",
        "INTERRUPT",
        "http://there/x",
        "No space left",
        "Permission denied",
        "/etc/x",
    ],
)
def test_words_of_the_user_are_not_taken_for_the_engines(session: Session, words: str) -> None:
    with pytest.raises(QueryError, match="Could not convert") as caught:
        session.run(f"select '{words}'::int")
    assert type(caught.value) is QueryError


def test_a_message_stays_short_when_a_value_is_long(session: Session) -> None:
    with pytest.raises(QueryError) as caught:
        session.run("select repeat('x', 1000000)::int")
    assert len(caught.value.message) < 2_100


def test_a_line_that_is_too_long_is_quoted_in_part(engine, session: Session) -> None:
    file = engine.folder / "uploads" / "long.csv"
    file.write_bytes(b"a,b\n1,2\n" + b"x" * 3_000_000)
    with pytest.raises(QueryError, match=r"long.csv, line 3: .*2000000 bytes") as caught:
        session.run(f"from read_csv('{file}')")
    assert len(caught.value.hint) < 400


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("select " + "(" * 10_000 + "1" + ")" * 10_000, "nested too deeply"),
        ("select 1" + "+1" * 20_000, "nested too deeply"),
        ("from read_csv('binary.csv')", 'binary.csv" does not look like CSV'),
        ("from 'empty.xlsx'", "not an Excel workbook"),
    ],
)
def test_what_the_engine_says_for_itself_is_said_to_people(engine, session, sql, said) -> None:
    folder = engine.settings.start_folder
    (folder / "binary.csv").write_bytes(bytes(range(256)) * 400)
    (folder / "empty.xlsx").touch()
    with pytest.raises((QueryError, ConnectError), match=said) as caught:
        session.run(sql)
    assert caught.value.hint


def test_a_thousand_statements_run_up_to_the_limit(make_engine) -> None:
    session = Session(make_engine(statement_limit=1000, sql_limit=6_000_000), "s")
    assert len(session.run("select 1;" * 1000).results) == 1000
    with pytest.raises(LimitExceeded) as caught:
        session.run("select 1;" * 1001)
    assert caught.value.setting == "MILLPOND_STATEMENT_LIMIT"
    assert rows(session, f"select length('{'x' * 5_000_000}')") == [[5_000_000]]
    with pytest.raises(LimitExceeded) as caught:
        session.run(f"select '{'x' * 6_000_000}'")
    assert caught.value.setting == "MILLPOND_SQL_LIMIT"
    with pytest.raises(LimitExceeded, match="too large"):
        session.run("select $x", {"x": "y" * 17_000_000})
    assert rows(session, "select 1") == [[1]]


def test_a_pivot_runs_also_inside_a_transaction(session: Session) -> None:
    pivot = "pivot (select 'x' as a, 2 as b) on a using sum(b)"
    assert rows(session, pivot) == [["2"]] or rows(session, pivot) == [[2]]
    session.run(f"begin; {pivot}; rollback")


def test_every_type_is_shown_sorted_and_spooled_alike(session: Session) -> None:
    """DuckDB's own list of types, with the least and the greatest value of each, and null."""
    run = session.run("from test_all_types()")
    result = run.results[0]
    shown = display_rows(session.page(run, result).frame)
    assert len(shown) == 3
    assert [value for value in shown[2] if value is not None] == []
    spooled = session.run("from (from test_all_types()) positional join range(1001)")
    assert spooled.results[0].rows == 1001
    deep = [row[:-1] for row in display_rows(session.page(spooled, spooled.results[0], 0, 3).frame)]
    assert deep == shown
    for at, column in enumerate(result.columns):
        page = session.page(run, result, sorts=[Sort(at, descending=True)])
        assert page.frame.height == 3, column


@pytest.mark.parametrize(
    ("sql", "shown"),
    [
        ("true", True),
        (
            "170141183460469231731687303715884105727::hugeint",
            "170141183460469231731687303715884105727",
        ),
        ("9007199254740993", "9007199254740993"),
        ("12345678901234567890.123456789::decimal(38, 9)", "12345678901234567890.123456789"),
        ("interval '1 year 2 days 3.5 seconds'", "1 year 2 days 00:00:03.5"),
        ("'12:30:00+02'::timetz", "12:30:00+02"),
        ("'0101'::bit", "0101"),
        ("union_value(num := 2)", "2"),
        ("'a'::enum('a', 'b')", "a"),
        ("'c60bd8f5-8a0d-4bd1-b2b1-000000000001'::uuid", "c60bd8f5-8a0d-4bd1-b2b1-000000000001"),
        ("map {'k': 1}", "{k=1}"),
        ("{'a': 1, 'b': 'x'}", '{"a": 1, "b": "x"}'),
        ("[1, null]", "[1, null]"),
        ("[true, false]", "[true, false]"),
        ("""'{"a": [1]}'::json""", '{"a": [1]}'),
        ("'\\xAA'::blob", "\\xaa"),
        ("'infinity'::date", "infinity"),
        ("'-infinity'::timestamp", "-infinity"),
        ("'2020-01-01 00:00:00.123456789'::timestamp_ns", "2020-01-01 00:00:00.123456789"),
        ("'0044-03-15 (BC)'::date", "0044-03-15 (BC)"),
        ("'24:00:00'::time", "24:00:00"),
        ("'nan'::double", "nan"),
        ("null", None),
    ],
)
def test_a_value_is_shown_with_every_digit(session: Session, sql: str, shown: object) -> None:
    assert rows(session, f"select {sql}") == [[shown]]
    assert rows(session, f"select {sql} from range(5000)")[0] == [shown]


def test_a_number_of_38_digits_stays_a_number(session: Session) -> None:
    run = session.run(f"select {'9' * 38}::decimal(38, 0)")
    assert session.page(run, run.result).frame.item() == Decimal("9" * 38)


def test_a_session_keeps_its_temporary_things_to_itself(engine) -> None:
    mine, other = Session(engine, "mine"), Session(engine, "other")
    mine.run(
        "create temp table t as select 1; set variable v = 1; create temp macro m() as 1;"
        "prepare p as select 1; create temp view w as select 1; create temp sequence q"
    )
    left = ["from t", "select m()", "execute p", "from w", "select nextval('q')"]
    for sql in left:
        mine.run(sql)
        with pytest.raises(QueryError):
            other.run(sql)
    assert rows(other, "select getvariable('v')") == [[None]]
    mine.close()
    for sql in left:
        with pytest.raises(QueryError):
            mine.run(sql)
    assert rows(mine, "select getvariable('v')") == [[None]]
    mine.close()


def test_more_sessions_than_cursors_take_turns(make_engine) -> None:
    engine = make_engine(sessions=2)
    for number in range(6):
        session = Session(engine, f"s{number}")
        session.run("create temp table t as select 1")
        assert rows(session, "from t") == [[1]]
