"""Profiles of real tables by a real engine: from a sample, exactly, kept, and on bad days."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import duckdb
import pytest

from core.catalog import profiles as module
from core.catalog import reading
from core.catalog.models import Table
from core.catalog.reading import SAMPLE, Reading, parquet_call
from core.errors import LimitExceeded, MillpondError, QueryCancelled, QueryError
from core.settings import Settings
from core.workbench import Workbench, Workspace
from tests.core.catalog.test_drift import PLAIN
from tests.core.engine.test_profile import ANY

WIDE = """
CREATE TABLE wide AS
SELECT i AS id, i % 7 AS day, CASE WHEN i % 4 = 0 THEN NULL ELSE i / 3.0 END AS third,
       'AA-' || (1000 + i % 9000) AS tail, 'user' || i || '@example.org' AS contact
FROM range(100_000) AS r(i)
"""


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    home = tmp_path_factory.mktemp("home")
    start = tmp_path_factory.mktemp("start")
    settings = Settings(
        home=home, start_folder=start, sample_data=False, threads=2, cancel_grace=0.5
    )
    workbench = Workbench.open(settings)
    yield workbench.workspace()
    workbench.close()


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy machine must not make a look one at the first rows only."""
    monkeypatch.setattr(module, "FIRST_SECONDS", 60.0)


def made(here: Workspace, sql: str, name: str = "t") -> Table:
    entry = here.queries.run(sql, document="made", logged=False)
    assert entry.run.wait(60)
    assert entry.run.error is None
    table = here.catalog.find(f"workspace.main.{name}")
    assert table is not None
    return table


def exactly(here: Workspace, table: Table):
    exact = here.profiles.start_exact(table)
    assert exact.wait(60)
    if exact.error is not None:
        raise exact.error
    return here.profiles.kept(table)[0]


def test_a_large_table_is_sampled_from_everywhere_and_says_so(here):
    table = made(
        here, "CREATE TABLE many AS SELECT i, i // 1000 AS k FROM range(2_000_000) r(i)", "many"
    )
    found = here.profiles.first(table)
    assert (found.exact, found.first, found.rows) == (False, False, 2_000_000)
    assert 0 < found.looked_at < 2_000_000
    assert found.basis == f"from a sample of {found.looked_at:,} of 2,000,000 rows"
    assert int(found.columns[0].maximum) > SAMPLE


def test_a_small_table_is_looked_at_in_full(here):
    table = made(here, "CREATE TABLE few AS SELECT range AS i FROM range(10)", "few")
    found = here.profiles.first(table)
    assert (found.exact, found.rows, found.looked_at) == (True, 10, 10)
    assert found.columns[0].top[0] == ("0", 1)
    assert here.profiles.kept(table) == []  # what nobody asked to keep


def test_a_look_is_remembered_until_one_asks_again_or_the_catalog_changes(here):
    table = made(here, "CREATE TABLE seen AS SELECT 1 AS i", "seen")
    first = here.profiles.first(table)
    assert here.profiles.first(table) == first
    assert here.profiles.first(table, again=True).taken_at > first.taken_at
    again = made(here, "INSERT INTO seen VALUES (2)", "seen")
    assert here.profiles.first(again).looked_at == 2


def test_the_exact_profile_counts_all_rows_and_is_kept(here):
    table = made(here, WIDE, "wide")
    found = exactly(here, table)
    number, day, third, tail, contact = found.columns
    assert (found.exact, found.rows, found.basis) == (True, 100_000, "of all 100,000 rows")
    assert (number.distinct, number.minimum, number.maximum) == (100_000, "0", "99999")
    assert dict(number.quantiles)[0.5] == 49_999.5
    assert sum(each.count for each in number.bins) == 100_000
    assert day.top[0] == ("0", 14_286)
    assert third.nulls == 25_000
    assert tail.shapes == (("AA-9999", 1.0),)
    assert tail.lengths == (7, 7.0, 7)
    assert (contact.distinct, contact.top, contact.minimum) == (100_000, (), None)


def test_no_personal_value_is_shown_or_kept(here):
    sql = "CREATE TABLE mail AS SELECT 'ann' || i % 5 || '@example.org' AS x FROM range(50) r(i)"
    table = made(here, sql, "mail")
    assert "ann" not in repr(here.profiles.first(table))
    exact = here.profiles.start_exact(table)
    assert exact.wait(60)
    assert "ann" not in repr(here.profiles.so_far(exact))
    assert "ann" not in repr(here.profiles.kept(table))


def test_two_exact_profiles_tell_what_drifted(here):
    table = made(here, "CREATE TABLE drifts AS SELECT range AS i FROM range(100)", "drifts")
    exactly(here, table)
    assert here.profiles.drift(here.profiles.kept(table)) == []
    exactly(here, made(here, "INSERT INTO drifts SELECT NULL FROM range(20)", "drifts"))
    told = [each.sentence for each in here.profiles.drift(here.profiles.kept(table))]
    assert told == ["nulls in `i` rose from 0 % to 17 %"]


def test_many_different_values_have_estimated_quantiles_and_say_so(here, monkeypatch):
    monkeypatch.setattr(module, "_MANY", 1000)
    table = made(
        here, "CREATE TABLE various AS SELECT i, i % 3 AS k FROM range(50_000) r(i)", "various"
    )
    number, few = exactly(here, table).columns
    assert (number.approximate, few.approximate) == (True, False)
    assert (number.distinct, number.top, number.nulls, number.mean) == (50_000, (), 0, 24_999.5)
    assert dict(number.quantiles)[0.5] == pytest.approx(25_000, rel=0.05)
    assert sum(each.count for each in number.bins) == 50_000


def test_any_type_has_a_first_and_an_exact_profile(here):
    columns = ", ".join(f"{value} AS x{at}" for at, value in enumerate(ANY))
    table = made(here, f"CREATE TABLE types AS SELECT {columns} FROM range(3)", "types")
    for found in (here.profiles.first(table), exactly(here, table)):
        told = dict(zip(ANY, found.columns, strict=True))
        assert {value for value, each in told.items() if each.distinct != 1} == {"null", "uuid()"}
        assert {value for value, each in told.items() if each.nulls} == {"null"}


@pytest.mark.parametrize("name", ["a.b", "two words", 'a"b', "order", "🦆", "''", "c0", "seen"])
def test_odd_names_are_only_names(here, name):
    quoted = '"' + name.replace('"', '""') + '"'
    made(
        here,
        f"CREATE OR REPLACE TABLE {quoted} ({quoted} INTEGER); INSERT INTO {quoted} VALUES (7)"
        "; CREATE OR REPLACE TABLE t AS SELECT 1 AS i",
    )
    table = next(each for each in here.catalog.list()[0].tables if each.name == name)
    assert here.profiles.first(table).columns[0].maximum == "7"
    assert exactly(here, table).columns[0].column.name == name


def test_an_empty_table_has_a_profile_of_no_rows(here):
    table = made(here, "CREATE TABLE none (i INTEGER, d DOUBLE, t VARCHAR, l INTEGER[])", "none")
    for found in (here.profiles.first(table), exactly(here, table)):
        assert (found.rows, found.looked_at, found.exact) == (0, 0, True)
        assert [(each.nulls, each.distinct, each.top) for each in found.columns] == [(0, 0, ())] * 4


def test_2000_columns_are_looked_at_in_part_and_asked_for_in_whole(here):
    columns = ", ".join(f"{at} AS column_{at}" for at in range(2000))
    table = made(here, f"CREATE TABLE broad AS SELECT {columns} FROM range(3)", "broad")
    part = here.profiles.first(table, slice(1950, 2000))
    assert [each.maximum for each in part.columns] == [str(at) for at in range(1950, 2000)]
    texts = Reading(table, 3).exact(frozenset(), 2_000_000)
    assert all(len(text.encode()) <= 2_000_000 for text in texts)
    assert all(sum(f"SELECT {at} AS at," in each for each in texts) == 1 for at in range(2000))


def test_more_columns_than_one_run_has_statements_are_all_counted(here, monkeypatch):
    monkeypatch.setattr(reading, "_STATEMENTS", 7)
    columns = ", ".join(f"{at} AS column_{at}" for at in range(60))
    table = made(here, f"CREATE TABLE wider AS SELECT {columns} FROM range(3)", "wider")
    assert [each.maximum for each in exactly(here, table).columns] == [str(at) for at in range(60)]


def test_a_view_of_10_to_the_12_rows_gives_its_first_ones(here):
    rows = "range(1000000) a, range(1000000) b"
    table = made(here, f"CREATE VIEW huge AS SELECT a.range AS x, b.range AS y FROM {rows}", "huge")
    found = here.profiles.first(table)
    assert (found.rows, found.looked_at, found.first) == (None, SAMPLE, True)
    assert found.basis == f"from the first {SAMPLE:,} rows"


def test_counting_10_to_the_12_rows_can_be_cancelled(here):
    sql = "CREATE VIEW endless AS SELECT a.range AS x FROM range(1000000) a, range(1000000) b"
    table = made(here, sql, "endless")
    exact = here.profiles.start_exact(table)
    assert here.profiles.start_exact(table) is exact
    exact.cancel()
    assert exact.wait(60)
    assert isinstance(exact.error, QueryCancelled)
    assert here.profiles.kept(table) == []
    assert here.profiles.under_way(table) is exact


def test_a_view_that_gives_no_row_in_time_says_so(here, monkeypatch):
    monkeypatch.setattr(module, "FIRST_SECONDS", 0.3)
    monkeypatch.setattr(module, "_FEW_SECONDS", 0.3)
    sql = (
        "CREATE VIEW slow AS SELECT count(*) AS n "
        "FROM range(1000000) a, range(1000000) b WHERE a.range > b.range"
    )
    table = made(here, sql, "slow")
    with pytest.raises(LimitExceeded, match="slow gave no rows within"):
        here.profiles.first(table)


def test_a_view_that_fails_fails_with_a_sentence_first_and_exactly(here):
    table = made(here, "CREATE VIEW bad AS SELECT 1 AS a, error('broken inside') AS b", "bad")
    with pytest.raises(QueryError, match="broken inside"):
        here.profiles.first(table)
    with pytest.raises(QueryError, match="broken inside"):
        exactly(here, table)


def test_a_table_dropped_between_listing_and_looking_is_not_found(here):
    table = made(here, "CREATE TABLE gone AS SELECT 1 AS i", "gone")
    made(here, "DROP TABLE gone; CREATE OR REPLACE TABLE t AS SELECT 1 AS i")
    with pytest.raises(MillpondError, match="gone"):
        here.profiles.first(table)
    with pytest.raises(MillpondError, match="gone"):
        exactly(here, table)


def test_a_view_is_read_once_whatever_it_reads(here, tmp_path):
    table = made(here, "CREATE VIEW once AS SELECT i, random() AS r FROM range(1000) t(i)", "once")
    found = exactly(here, table)
    assert [each.rows for each in found.columns] == [1000, 1000]


def test_a_parquet_file_is_sampled_from_everywhere(here):
    file = here.engine.settings.start_folder / "p.parquet"
    here.connections.allow(str(file.parent))
    with duckdb.connect() as con:
        con.execute(f"COPY (SELECT range AS i FROM range(500_000)) TO '{file}'")
    read = f"read_parquet('{file}', hive_partitioning = false)"
    table = made(here, f"CREATE VIEW parquet AS SELECT * FROM {read}", "parquet")
    found = here.profiles.first(table)
    assert (found.rows, found.first, found.exact) == (500_000, False, False)
    assert int(found.columns[0].maximum) > 400_000
    assert exactly(here, table).columns[0].distinct == 500_000


PARQUET = "read_parquet('/a b/c.parquet', (hive_partitioning = CAST('f' AS BOOLEAN)))"


@pytest.mark.parametrize(
    ("sql", "is_one"),
    [
        (f"SELECT * FROM {PARQUET}", True),
        # several files, each with rows numbered from 0
        (f"SELECT * FROM {PARQUET.replace('c', '*')}", False),
        (f"SELECT i FROM {PARQUET}", False),
        (f"SELECT * FROM {PARQUET} WHERE (i > 1)", False),
        (f"SELECT * FROM {PARQUET} AS x, y", False),
        ("SELECT * FROM read_csv('/a.csv')", False),
    ],
)
def test_only_a_plain_view_of_one_parquet_file_is_read_as_one(sql, is_one):
    assert bool(parquet_call(f"CREATE VIEW files.main.x AS {sql};")) is is_one


@pytest.mark.parametrize(
    ("distinct", "rows", "expected"),
    [
        (20_000, 10_000_000, True),  # none repeats
        (20_000, None, True),
        (19_999, None, False),
        (19_800, 10_000_000, False),  # 200 repeat: about 1,000,000 values
        (19_970, 10_000_000, True),  # 30 repeat: about 6,700,000
    ],
)
def test_a_look_tells_whether_a_column_has_as_many_values_as_rows(distinct, rows, expected):
    look = replace(PLAIN, rows=20_100, nulls=100, distinct=distinct)
    assert module._is_various(look, rows) is expected
