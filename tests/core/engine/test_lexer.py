"""Parameters and ends of statements, as DuckDB itself finds them."""

from __future__ import annotations

import duckdb
import pytest

from core.engine.lexer import parameters, statements

PARAMETERS = [
    ("select 1", ()),
    ("select $a, $b, $a", ("a", "b")),
    ("select $a, $A", ("a",)),  # one parameter for DuckDB
    ("select $1 + $2", ("1", "2")),
    ("select ? + ?", ("1", "2")),
    ("select ?, $1", ("1",)),
    ("select $5, ?", ("5", "6")),  # a mark goes on from the highest number
    ("select ?2, ?1, ?", ("2", "1", "3")),
    ("select $01, $0", ("1", "2")),
    ('select $"x y"', ("x y",)),
    ("select $ a", ("a",)),
    ("select $a-$b", ("a", "b")),
    ("select $é, $_x", ("é", "_x")),
    ("select '$a', '''$b'", ()),
    ("select e'\\'$a' || $b", ("b",)),
    ("select '\\', $a", ("a",)),  # a backslash means nothing in a plain string
    ('select 1 as "$a"', ()),
    ("select $$ $a $$", ()),
    ("select $t$ $a $$ $t$", ()),
    ("select 1 -- $a\n + $b", ("b",)),
    ("select /* /* $a */ $b */ $c", ("c",)),
    ("select a$b from (select 1 as a$b)", ()),
    ("select [1, 2, 3][$i:$j]", ("i", "j")),
    ("select '{}'->>'$.x' || $p", ("p",)),
    ("select x'00', $a", ("a",)),
    ("select 1e5, 1.5, 1_000, $a", ("a",)),
]


@pytest.mark.parametrize(("sql", "expected"), PARAMETERS)
def test_parameters_are_those_that_the_engine_asks_for(sql: str, expected: tuple[str, ...]) -> None:
    assert parameters(sql) == expected
    asked = duckdb.extract_statements(sql)[0].named_parameters
    assert {name.lower() for name in asked} == {name.lower() for name in expected}


def test_question_marks_count_anew_in_each_statement() -> None:
    assert parameters("select ?, ?; select ?") == ("1", "2")


@pytest.mark.parametrize(
    "sql",
    [
        "select 1; select ';'; select 2",
        "select 1;;;select 2;",
        "select $$;$$ -- ;\n; /* ; */ select 3",
        'select 1 as ";"',
        "select e'\\';'; select 2",
    ],
)
def test_statements_end_where_the_engine_ends_them(sql: str) -> None:
    assert len(statements(sql)) == len(duckdb.extract_statements(sql))


def test_a_number_of_too_many_digits_is_left_as_it_is() -> None:
    assert parameters("select $" + "9" * 5_000) == ("9" * 5_000,)


def test_a_long_text_is_read_in_one_go() -> None:
    sql = "select '" + "x" * 2_000_000 + "', $a"
    assert parameters(sql) == ("a",)
