"""Spark itself, a cluster of it: TPC-H's queries give there what they give in DuckDB."""

from __future__ import annotations

import time
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import duckdb
import pytest

from benchmarks.inputs import tpch
from core.engine.translate import translate
from core.errors import ConnectError, Forbidden, QueryError
from core.settings import Settings
from core.workbench import Workbench, Workspace
from tests.connectors.spark_cluster import Cluster, spark_cluster

pytestmark = [pytest.mark.spark, pytest.mark.timeout(600)]

SCALE = 0.01


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with spark_cluster() as running:
        yield running


@pytest.fixture(scope="module")
def here(cluster, tmp_path_factory) -> Iterator[Workspace]:
    """A workspace with a connection `spark`, where TPC-H's tables are."""
    home = tmp_path_factory.mktemp("home")
    bench = Workbench.open(Settings(home=home / "data", start_folder=home, sample_data=False))
    try:
        here = bench.workspace()
        here.connections.add("spark", "spark", cluster.options | {"allow_writing": True})
        folder, _ = tpch(SCALE)
        for file in sorted(folder.glob("*.parquet")):
            rows(here, f"CREATE TABLE {file.stem} USING parquet LOCATION '{file}'")
        here.connections.change("spark", cluster.options)
        yield here
    finally:
        bench.close()


def rows(here: Workspace, sql: str, on: str = "spark") -> list[tuple[Any, ...]]:
    session = here.queries.session("test")
    run = session.run(sql, on=on)
    return session.page(run, run.result, limit=10_000).frame.rows()


def same(found: list[tuple[Any, ...]], expected: list[tuple[Any, ...]]) -> bool:
    """Tell whether rows are equal: Spark's averages of decimals end at the sixth decimal."""

    def plain(row: tuple[Any, ...]) -> tuple[Any, ...]:
        numbers = (int, float, Decimal)
        return tuple(round(float(each), 5) if isinstance(each, numbers) else each for each in row)

    return sorted(map(repr, map(plain, found))) == sorted(map(repr, map(plain, expected)))


@pytest.mark.parametrize("number", range(1, 23))
def test_tpch_gives_what_duckdb_gives(here, number):
    folder, queries = tpch(SCALE)
    sql = queries[number - 1]
    with duckdb.connect() as con:
        for file in folder.glob("*.parquet"):
            con.execute(f"CREATE VIEW {file.stem} AS FROM '{file}'")
        expected = con.execute(sql).pl().rows()
    assert expected or number in (11, 18, 20)  # at this scale nothing is that large
    assert same(rows(here, translate(sql, "spark")), expected)


def test_the_catalog_has_the_tables_with_their_columns(here):
    found = {each.name: each for each in here.catalog.structures("spark", "default")}
    assert {"lineitem", "orders", "nation"} <= found.keys()
    columns = {each.name: each for each in found["lineitem"].columns}
    assert columns["l_quantity"].type == "DECIMAL(15,2)"
    assert columns["l_shipdate"].type == "DATE"
    assert columns["l_comment"].declared == "string"


def test_an_error_says_where_it_is_and_nothing_of_the_server(here):
    with pytest.raises(QueryError, match="nope") as refusal:
        rows(here, "SELECT l_orderkey,\n  nope FROM lineitem")
    assert (refusal.value.line, refusal.value.column) == (2, 3)
    for sql in ("SELECT * FROM nobody_made_this", "SELECT FROM WHERE", "SELECT 1 / 0"):
        with pytest.raises(QueryError) as refusal:
            rows(here, sql)
        said = refusal.value.message
        assert len(said) < 300
        assert "\n" not in said
        assert "org.apache" not in said
        assert "JVM" not in said


def test_reading_only_is_kept_to(here):
    with pytest.raises(Forbidden, match="read-only"):
        rows(here, "DROP TABLE nation")
    assert rows(here, "SELECT count(*) FROM nation") == [(25,)]


def test_a_cancelled_statement_frees_the_cluster(here):
    session = here.queries.session("test")
    slow = "SELECT count(*) AS n FROM range(0, 100000000000, 1, 4) AS r WHERE sin(r.id) > 2"
    run = session.start(slow, on="spark")
    time.sleep(3)
    assert run.state == "running"
    run.cancel()
    run.wait()
    assert run.state == "cancelled"
    # Both cores were taken: this is only answered when they are free again.
    started = time.monotonic()
    assert rows(here, "SELECT count(*) FROM orders") == [(15_000,)]
    assert time.monotonic() - started < 30


def test_a_database_that_is_not_there_is_told(here, cluster):
    with pytest.raises(ConnectError, match="no database nowhere"):
        here.connections.test("spark", cluster.options | {"database": "nowhere"})
