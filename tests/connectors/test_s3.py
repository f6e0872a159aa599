"""Files in an object store: what is one table, names of all kinds, long lists, bad keys."""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
import pytest

from connectors._s3 import keep_keys
from connectors.s3 import S3, S3Options
from core.errors import ConnectError, Forbidden, InvalidInput
from core.secret import Secret
from core.workbench import Workspace
from tests.connectors.stores import ObjectStore, object_store
from tests.connectors.test_contract_servers import rows

CSV = b"id,t\n0,x0\n1,x1\n"
ROWS = [(0, "x0"), (1, "x1")]


@pytest.fixture(scope="module")
def store(tmp_path_factory) -> Iterator[ObjectStore]:
    file = tmp_path_factory.mktemp("files") / "a.parquet"
    with duckdb.connect() as con:
        con.execute(f"COPY (SELECT i AS id, 'x' || i AS t FROM range(2) r(i)) TO '{file}'")
    parquet = file.read_bytes()
    with object_store() as store:
        store.put({f"lake/year={year}/part.parquet": parquet for year in (2023, 2024)})
        store.put({"mixed/a.csv": CSV, "mixed/b.parquet": parquet, "mixed/deep/c.csv": CSV})
        store.put({"plain/a": CSV, "bad/empty.parquet": b"", "bad/cut.parquet": parquet[:100]})
        yield store


@pytest.fixture
def near(con) -> duckdb.DuckDBPyConnection:
    """An engine without a wall, that reads from object stores."""
    from core.engine.extensions import extension_file

    con.execute(f"LOAD '{extension_file('httpfs')}'")
    return con


@pytest.fixture
def here(workbench) -> Iterator[Workspace]:
    here = workbench.workspace()
    yield here
    for each in here.connections.list():
        here.connections.remove(each.connection.alias)


def _read(con, store: ObjectStore, prefix: str, **options: object) -> dict[str, list[tuple]]:
    given = S3Options.model_validate({**store.of("reader"), "prefix": prefix, **options})
    S3().test(con, given)
    report = S3().inspect(con, given, "a")
    S3().attach(con, given, "a")
    found = {
        table: con.execute(f"FROM {table if '.' in table else f'files.main.{table}'}").fetchall()
        for table in report.tables
    }
    S3().detach(con, "a")
    assert con.execute("SELECT count(*) FROM duckdb_secrets()").fetchone() == (0,)
    return found


def test_a_folder_of_parquet_with_partitions_is_one_table(near, store):
    (found,) = _read(near, store, "lake").values()
    assert sorted(found) == [(0, "x0", 2023), (0, "x0", 2024), (1, "x1", 2023), (1, "x1", 2024)]
    (found,) = _read(near, store, "lake", hive="no").values()
    assert len(found[0]) == 2


@pytest.mark.parametrize(
    "prefix", ["mixed/a.csv", "mixed/deep", "mixed/deep/", "/mixed/deep/*.csv", "mixed/**/c.csv"]
)
def test_a_file_a_folder_or_a_pattern_is_read(near, store, prefix):
    assert list(_read(near, store, prefix).values()) == [ROWS]


def test_each_folder_and_file_can_be_a_table(near, store):
    found = _read(near, store, "mixed", tables="each")
    assert found == {"a.a": ROWS, "a.b": ROWS, "a.deep": ROWS}


def test_formats_that_differ_or_do_not_show_are_asked_for(near, store):
    with pytest.raises(InvalidInput, match=r"several formats: csv, parquet"):
        _read(near, store, "mixed")
    assert len(next(iter(_read(near, store, "mixed", format="csv").values()))) == 4
    with pytest.raises(ConnectError, match="by its name"):
        _read(near, store, "plain")
    assert list(_read(near, store, "plain", format="csv").values()) == [ROWS]


NAMES = ['it\'s [odd] "ü"', "st*r", "100% +&=#", "~tilde", "a/b/c", "year=2024"]


@pytest.mark.parametrize("name", NAMES)
def test_names_with_signs_are_read(near, store, name):
    store.put({f"names/{name}/f {name}.csv": CSV})
    for prefix in (f"names/{name}", f"names/{name}/f {name}.csv"):
        if "*" in prefix:  # it is a pattern, which fits it as well
            prefix = prefix.partition("*")[0] + "*/*.csv"
        found = _read(near, store, prefix, hive="no")
        assert list(found.values()) == [ROWS]


def test_a_name_that_cannot_be_read_is_told_before(near, store):
    store.put({"query/why?.csv": CSV})
    given = S3Options.model_validate({**store.of("reader"), "prefix": "query", "format": "csv"})
    assert "DuckDB cannot read names with a ?" in S3().inspect(near, given, "a").notes[0]


@pytest.mark.parametrize("name", ["empty", "cut"])
def test_a_broken_file_is_told_in_one_sentence(near, store, name):
    with pytest.raises(ConnectError, match="is not a Parquet file, or it was cut off") as refusal:
        _read(near, store, f"bad/{name}.parquet")
    assert f"{name}.parquet" in refusal.value.message + refusal.value.hint or "bad" in str(
        refusal.value
    )


@pytest.mark.soak
def test_a_very_long_list_is_looked_at_in_part_and_read_whole(near, store):
    store.ask("fill", prefix="many", count=10_050)
    given = S3Options.model_validate({**store.of("reader"), "prefix": "many"})
    checked = S3().test(near, given)
    assert ("Files", "10,000 or more") in checked.facts
    assert "first 10,000 names" in checked.notes[0]


def test_two_stores_with_a_bucket_of_one_name_are_not_mixed_up(near, store):
    given = S3Options.model_validate({**store.of("reader"), "prefix": "mixed/deep"})
    S3().attach(near, given, "one")
    other = given.model_copy(update={"endpoint": f"localhost:{store.port}"})
    with pytest.raises(ConnectError, match="reads s3://data/mixed/deep already"):
        S3().attach(near, other, "two")
    S3().attach(near, given, "three")  # the same keys are no danger
    assert near.execute("FROM files.main.three").fetchall() == ROWS
    for alias in ("one", "two", "three"):
        S3().detach(near, alias)


def test_keys_are_used_for_their_own_folder_only(here, store):
    here.connections.add("deep", "s3", store.of("reader") | {"prefix": "mixed/deep"})
    assert rows(here, "FROM deep") == ROWS
    assert rows(here, "FROM read_csv('s3://data/mixed/deep/c.csv')") == ROWS
    # Without keys it is asked for at AWS, where buckets are without an endpoint.
    with pytest.raises(Forbidden, match=r"data\.s3\.amazonaws\.com:443 is not among"):
        rows(here, "FROM read_csv('s3://data/mixed/a.csv')")


@pytest.mark.parametrize(
    ("prefix", "scope"),
    [
        ("", ["s3://data/"]),
        ("*.csv", ["s3://data/"]),  # not s3://data, with which s3://data2 begins
        ("a/b", ["s3://data/a/b"]),
        ("a/b*/c.csv", ["s3://data/a"]),
        ("a[1]/", ["s3://data/a[1]", "s3://data/a[[]1]"]),
    ],
)
def test_the_keys_never_reach_another_bucket(near, prefix, scope):
    options = S3Options(
        bucket="data", prefix=prefix, key_id="K", secret_key=Secret("k3y-of-nobody")
    )
    keep_keys(near, options, "millpond_test")
    assert near.execute("SELECT scope FROM duckdb_secrets()").fetchall() == [(scope,)]


def test_sql_on_what_is_not_there_is_told(here, store):
    here.connections.add("deep", "s3", store.of("reader") | {"prefix": "mixed"
                         , "format": "csv"})  # fmt: skip
    with pytest.raises(ConnectError, match=r"nothing at s3://data/mixed/no\.csv"):
        rows(here, "FROM read_csv('s3://data/mixed/no.csv')")
    with pytest.raises(ConnectError, match="There is no file that matches"):
        rows(here, "FROM read_csv('s3://data/mixed/no*.csv')")
