"""Profiles of real results."""

from __future__ import annotations

import duckdb
import polars as pl
import pytest

from core.engine import profile as module
from core.engine.profile import ColumnProfile, profile
from core.engine.results import Column


@pytest.fixture
def con():
    with duckdb.connect() as con:
        con.execute("set TimeZone = 'UTC'")
        yield con


def profiled(con, select: str) -> list[ColumnProfile]:
    con.execute(f"create or replace temp table spool as {select}")
    described = con.execute("from spool").description
    aliases = ", ".join(f"c{at}" for at in range(len(described)))
    con.execute(
        f"create or replace temp view kept({aliases}, __row) as "
        "select *, row_number() over () - 1 from spool"
    )
    rows = con.execute("select count(*) from spool").fetchone()[0]

    def ask(query) -> pl.DataFrame:
        assert query.sql.startswith("SELECT ")
        return con.execute(f"WITH result AS (SELECT * FROM kept) {query.sql}").pl()

    columns = [Column(name, str(kind)) for name, kind, *_ in described]
    return profile(columns, rows, ask)


def test_whole_numbers_have_all_figures(con) -> None:
    (found,) = profiled(con, "select i % 100 from range(1000) r(i) union all select null")
    assert (found.rows, found.nulls, found.distinct, found.nans) == (1001, 1, 100, 0)
    assert (found.minimum, found.maximum, found.mean) == ("0", "99", 49.5)
    assert found.deviation == pytest.approx(28.88, abs=0.01)
    assert [share for share, _ in found.quantiles] == [0.05, 0.25, 0.5, 0.75, 0.95]
    assert dict(found.quantiles)[0.5] == pytest.approx(49.5)
    assert len(found.bins) == 20
    assert {each.count for each in found.bins} == {50}
    assert [found.bins[0].label, found.bins[-1].label] == ["0 to 4", "95 to 99"]
    assert found.top[0][1] == 10
    assert (found.note, found.sampled, found.approximate) == ("", None, False)


def test_few_whole_numbers_have_a_bin_each(con) -> None:
    (found,) = profiled(con, "from (values (1), (2), (2), (4))")
    assert [(each.label, each.count) for each in found.bins] == [
        ("1", 1), ("2", 2), ("3", 0), ("4", 1)
    ]  # fmt: skip
    assert found.top == (("2", 2), ("1", 1), ("4", 1))


def test_not_a_number_and_infinity_spoil_nothing(con) -> None:
    select = (
        "from (values (1.0::double), (3), ('nan'), ('inf'), ('-inf'), (1e308), (-1e308), (null))"
    )
    (found,) = profiled(con, select)
    assert (found.rows, found.nulls, found.nans, found.mean) == (8, 1, 1, 2)
    assert (found.minimum, found.maximum) == ("-inf", "inf")
    assert (found.bins[0].low, found.bins[-1].high) == (1, pytest.approx(3))
    assert sum(each.count for each in found.bins) == 2


def test_dates_have_whole_days_as_bins(con) -> None:
    select = (
        "select date '2024-01-01' + i::int from range(10) r(i) union all select date 'infinity'"
    )
    (found,) = profiled(con, select)
    assert (found.minimum, found.maximum) == ("2024-01-01", "infinity")
    assert [each.label for each in found.bins][:2] == ["2024-01-01", "2024-01-02"]
    assert [each.count for each in found.bins] == [1] * 10
    assert dict(found.quantiles)[0.05] == "2024-01-01"
    assert found.mean is None


def test_times_are_shown_as_times(con) -> None:
    stamp, zoned, clock = profiled(
        con,
        "select timestamp '2024-01-01' + to_hours(i::int), "
        "timestamptz '2024-01-01 00:00:00+00' + to_hours(i::int), "
        "time '00:00' + to_minutes(i::int) from range(101) r(i)",
    )
    assert dict(stamp.quantiles)[0.5] == "2024-01-03 02:00:00"
    assert stamp.bins[0].label == "2024-01-01 00:00:00 to 2024-01-01 05:00:00"
    assert dict(zoned.quantiles)[0.5] == "2024-01-03 02:00:00"
    assert dict(clock.quantiles)[0.5] == "00:50:00"
    assert [each.count for each in clock.bins] == [5] * 19 + [6]


def test_text_has_its_most_frequent_values(con) -> None:
    (found,) = profiled(con, "from (values ('b'), ('a'), ('b'), (''), (null), ('c'), ('b'))")
    assert found.top == (("b", 3), ("", 1), ("a", 1), ("c", 1))
    assert (found.minimum, found.maximum, found.nulls) == ("", "c", 1)
    assert (found.bins, found.mean, found.quantiles) == ((), None, ())


def test_values_that_stand_once_are_not_listed(con) -> None:
    (found,) = profiled(con, "select 'x' || i from range(100) r(i)")
    assert (found.distinct, found.top) == (100, ())


def test_long_text_is_cut(con) -> None:
    (found,) = profiled(con, "select repeat('x', 1000) from range(2)")
    assert len(found.maximum) == 200
    assert [len(item) for item, _ in found.top] == [200]


ANY = [
    "1::tinyint", "1::uhugeint", "-170141183460469231731687303715884105727::hugeint",
    "1.5::decimal(38, 10)", "1.5::float", "12::bignum", "true", "'a'::enum('a', 'b')", "uuid()",
    "'\\xAA'::blob", "'101'::bit", "interval 1 day", "[1, null]", "[1, 2]::int[2]", "{'a': [1]}",
    "map {'a': 1}", "'{}'::json", "null", "union_value(k := 1)", "'10:00:00+02'::timetz",
    "timestamp_ns '2024-01-01'", "'infinity'::timestamp", "date '-290000-01-01'", "'nan'::double",
]  # fmt: skip


@pytest.mark.parametrize("value", ANY)
@pytest.mark.parametrize("rows", [0, 1, 3])
def test_any_type_has_a_profile(con, value: str, rows: int) -> None:
    (found,) = profiled(con, f"select {value} from range({rows})")
    expected = 0 if value == "null" else rows
    assert found.rows == rows
    assert found.nulls == rows - expected
    assert sum(times for _, times in found.top) in (0, expected)
    if value != "uuid()":
        assert found.distinct == min(expected, 1)
    if value in ANY[:6]:
        assert sum(each.count for each in found.bins) == expected


def test_many_columns_are_asked_for_in_parts(con) -> None:
    found = profiled(con, "select " + ", ".join(f"{at} as x{at}" for at in range(120)))
    assert [each.minimum for each in found] == [str(at) for at in range(120)]


def test_no_columns_have_no_profile() -> None:
    assert profile([], 0, lambda query: pl.DataFrame()) == []


def test_a_large_result_is_sampled_and_says_so(con, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SAMPLE_ABOVE", 1000)
    monkeypatch.setattr(module, "SAMPLE_ROWS", 500)
    select = "select i, i % 2, if(i % 4 = 0, null, 'x') from range(5000) r(i)"
    number, rhythm, text = profiled(con, select)
    assert 350 < number.rows < 650
    assert number.note == f"from a sample of {number.rows} of 5,000 rows"
    assert rhythm.mean == pytest.approx(0.5, abs=0.15)  # every second row does not hide one value
    assert text.nulls / text.rows == pytest.approx(0.25, abs=0.15)
    assert sum(each.count for each in number.bins) == number.rows
