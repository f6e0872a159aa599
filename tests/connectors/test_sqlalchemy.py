"""The connector for any SQLAlchemy URL: what it refuses, how values arrive, files, drivers.

How it behaves against a server is in test_contract_servers.py.
"""

from __future__ import annotations

import re
import sqlite3
import sys
from contextlib import closing
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from urllib.parse import quote
from uuid import UUID

import pytest

from connectors._rows import FIRST_ROWS, arrow, unique
from connectors.sqlalchemy import Sqlalchemy, SqlalchemyOptions
from core.errors import ConnectError, Forbidden, InvalidInput, QueryError
from core.settings import Settings
from core.workbench import Workbench
from tests.connectors.servers import PASSWORD, postgres_server

KIND = Sqlalchemy()


def fetched(con, sql: str, **options) -> list[tuple]:
    with KIND.fetch(con, SqlalchemyOptions(**options), sql, lambda stop: None) as reader:
        con.register("fetched", reader)
        return con.execute("SELECT * FROM fetched").fetchall()


@pytest.mark.parametrize(
    ("url", "place", "hosts"),
    [
        ("postgresql://ann@db.lan/shop", "postgresql://ann@db.lan/shop", "db.lan:5432"),
        ("mysql://ann@10.0.0.7:3307/shop", "mysql://ann@10.0.0.7:3307/shop", "10.0.0.7:3307"),
        ("mssql+pymssql://h/d?charset=utf8", "mssql+pymssql://h/d", "h:1433"),
        ("postgresql://[fe80::1]/d", "postgresql://[fe80::1]/d", "[fe80::1]:5432"),
        ("exotic+x://h:77/d", "exotic+x://h:77/d", "h:77"),
    ],
)
def test_a_url_tells_its_place_and_what_the_wall_must_let_through(url, place, hosts):
    options = SqlalchemyOptions(url=url)
    assert KIND.place(options) == place
    assert KIND.grants(options).hosts == (hosts,)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("postgresql://ann:s3cret@h/d", "leave the password out"),
        ("postgresql://h/d?password=s3cret", "leave password out"),
        ("snowflake://h:1/d?private_key_passphrase=s3cret", "leave private_key_passphrase out"),
        ("trino://h:1/d?access_token=s3cret", "leave access_token out"),
        ("postgresql://h/d?host=s3cret", "leave host out"),
        ("mssql+pyodbc:///?odbc_connect=PWD=s3cret", "leave odbc_connect out"),
        ("s3cret", "no URL of SQLAlchemy's"),
        ("exotic://h/d?s3cret", "names no port"),
        ("postgresql:///d", "names no host"),
        ("sqlite:///s3cret.db", "not a full path"),
        ("sqlite://", "named in full"),
        ("sqlite:////data/x.db?mode=rwc", "named in full"),
    ],
)
def test_a_url_that_cannot_be_kept_is_refused(url, said):
    with pytest.raises(ValueError, match=said):
        SqlalchemyOptions(url=url)


@pytest.mark.parametrize(
    ("url", "package"),
    [
        ("mysql+mysqldb://h/d", "mysqlclient"),
        ("snowflake://account.lan:443/d", "snowflake-sqlalchemy"),
        ("exotic://h:1/d", "exotic"),
    ],
)
def test_a_driver_that_is_missing_is_named_with_its_package(con, url, package):
    with pytest.raises(ConnectError, match="not installed") as refusal:
        fetched(con, "SELECT 1", url=url)
    assert f"uv pip install {package}" in refusal.value.hint


def test_a_driver_that_is_asynchronous_is_refused(con, monkeypatch):
    monkeypatch.setitem(sys.modules, "aiosqlite", sqlite3)
    with pytest.raises(ConnectError, match="asynchronous"):
        fetched(con, "SELECT 1", url="postgresql+psycopg_async://h/d")


def test_a_sqlite_file_is_only_read(con, tmp_path):
    path = tmp_path / "ä shop#%20.db"
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE items (id INTEGER, label TEXT)")
        db.execute("INSERT INTO items VALUES (1, 'a%b')")
    db.close()
    url = f"sqlite:///{quote(str(path))}"
    assert fetched(con, "SELECT * FROM items WHERE label LIKE 'a%';", url=url) == [(1, "a%b")]
    with pytest.raises(QueryError, match="readonly"):
        fetched(con, "DELETE FROM items", url=url, allow_writing=True)
    checked = KIND.test(con, SqlalchemyOptions(url=url))
    assert dict(checked.facts)["Open for"] == "reading only"
    (told,) = KIND.structures(SqlalchemyOptions(url=url), "main", None)
    assert [column.declared for column in told.columns] == ["INTEGER", "TEXT"]


def made(path: Path, script: str) -> SqlalchemyOptions:
    with closing(sqlite3.connect(path)) as db:
        db.executescript(script)
    return SqlalchemyOptions(url=f"sqlite:///{path}")


def test_what_cannot_be_read_hides_nothing_else(con, tmp_path):
    options = made(
        tmp_path / "shop.db",
        "CREATE TABLE gone (a); CREATE VIEW bad AS SELECT a FROM gone; DROP TABLE gone;"
        "CREATE TABLE good (id INTEGER PRIMARY KEY); CREATE VIEW fine AS SELECT id FROM good;",
    )
    told = KIND.structures(options, None, None)
    assert [(each.name, each.kind, len(each.columns)) for each in told] == [
        ("bad", "view", 0), ("fine", "view", 1), ("good", "table", 1),
    ]  # fmt: skip
    assert told[2].keys("id") == ("PRIMARY KEY",)
    assert [each.name for each in KIND.structures(options, "main", "bad")] == ["bad"]
    report = KIND.inspect(con, options, "shop")
    assert report.tables == ("main.bad", "main.fine", "main.good")
    assert report.notes[-1] == "These have no columns that can be read: main.bad."


def test_on_postgres_what_may_not_be_read_hides_nothing_else():
    with postgres_server() as server:
        server.execute("CREATE TABLE items (id integer PRIMARY KEY)")
        server.execute("REVOKE SELECT ON pg_catalog.pg_index FROM PUBLIC")
        server.execute("CREATE ROLE ann LOGIN PASSWORD 'nr7-quince-ann'")
        url = f"postgresql+psycopg://ann@127.0.0.1:{server.port}/postgres"
        (told,) = KIND.structures(SqlalchemyOptions(url=url, password="nr7-quince-ann"), None, None)
    assert [column.name for column in told.columns] == ["id"]
    assert told.indexes == ()


def test_what_a_driver_says_of_a_listing_is_one_sentence(con, tmp_path):
    path = tmp_path / "shop.db"
    options = made(path, "CREATE TABLE t (a); CREATE TABLE u (a);")
    path.write_bytes(path.read_bytes()[:200])
    asked = (
        lambda: KIND.structures(options, None, None),
        lambda: KIND.structures(options, "main", "t"),
        lambda: KIND.inspect(con, options, "shop"),
    )
    for ask in asked:
        with pytest.raises(QueryError, match=r"^database disk image is malformed\.$"):
            ask()


def test_a_table_without_a_name_is_described_as_any_other(tmp_path):
    path = tmp_path / "shop.db"
    options = made(path, 'CREATE TABLE "" (id INTEGER); CREATE TABLE t (a INTEGER, "" TEXT);')
    bench = Workbench.open(
        Settings(home=tmp_path / "home", start_folder=tmp_path, sample_data=False)
    )
    try:
        here = bench.workspace()
        here.connections.add("lite", "sqlite", {"path": str(path)})
        here.connections.add("shop", "sqlalchemy", {"url": options.url})
        tables = [table for catalog in here.catalog.whole() for table in catalog.tables]
        told = [(table.catalog, here.catalog.describe(table).name) for table in tables]
    finally:
        bench.close()
    assert told == [("lite", ""), ("lite", "t"), ("shop", ""), ("shop", "t")]


def test_a_file_outside_the_granted_folders_is_refused(tmp_path):
    start = tmp_path / "start"
    start.mkdir()
    for folder in (start, tmp_path):
        sqlite3.connect(folder / "shop.db").execute("CREATE TABLE t (a)").connection.close()
    bench = Workbench.open(Settings(home=tmp_path / "home", start_folder=start, sample_data=False))
    try:
        here = bench.workspace().connections
        here.add("inside", "sqlalchemy", {"url": f"sqlite:///{start / 'shop.db'}"})
        for act in (here.add, lambda _, *given: here.test(*given)):
            with pytest.raises(Forbidden, match="outside the folders"):
                act("outside", "sqlalchemy", {"url": f"sqlite:///{tmp_path / 'shop.db'}"})
        with pytest.raises(QueryError, match="not in reach of DuckDB"):
            bench.workspace().queries.session("test").run("SELECT * FROM inside.main.t")
    finally:
        bench.close()


@pytest.mark.parametrize(
    ("values", "read"),
    [
        ([True, None], [True, None]),
        ([-(2**63), 2**63 - 1], [-(2**63), 2**63 - 1]),
        ([0, 2**64 - 1], [0, 2**64 - 1]),
        ([-1, 2**64], [Decimal(-1), Decimal(2**64)]),
        ([10**38], [str(10**38)]),  # more digits than a DECIMAL has
        ([1, 2.5], [1.0, 2.5]),
        ([2**53 + 1, 0.5], [str(2**53 + 1), "0.5"]),  # no DOUBLE is that number
        ([Decimal("1.50"), 2], [Decimal("1.50"), Decimal("2.00")]),
        ([Decimal("1E+3")], [Decimal(1000)]),
        ([Decimal("NaN"), Decimal(1)], ["NaN", "1"]),
        ([Decimal("1E+37"), Decimal("1E-5")], ["1E+37", "0.00001"]),
        (["ä\0", ""], ["ä\0", ""]),
        ([b"\x00", memoryview(b"\xff")], [b"\x00", b"\xff"]),
        ([date(1, 1, 1)], [date(1, 1, 1)]),
        ([datetime(9999, 12, 31, 23, 59, 59, 999999)],) * 2,
        ([datetime(2020, 1, 1), date(2020, 1, 1)], ["2020-01-01 00:00:00", "2020-01-01"]),
        ([time(23, 59, 59, 999999)],) * 2,
        ([time(1, tzinfo=timezone(timedelta(hours=2)))], ["01:00:00+02:00"]),
        ([timedelta(days=40, microseconds=3)],) * 2,
        ([UUID(int=10)],) * 2,
        ([1, "one", b"\x01", True], ["1", "one", "\\x01", "true"]),
        ([{"a": [1, None]}, ["ü"]], ['{"a": [1, null]}', '["ü"]']),
        ([None], [None]),
    ],
    ids=lambda values: re.sub(r"<(\w+) at \w+>", r"<\1>", str(values)),  # the same in all workers
)
def test_values_arrive_exactly_or_as_text(con, values, read):
    rows = [[(each,) for each in values]]
    con.register("fetched", arrow(["v"], [None], lambda _: rows.pop() if rows else [], []))
    assert [row[0] for row in con.execute("SELECT v FROM fetched").fetchall()] == read


def test_a_time_in_a_zone_is_the_same_moment(con):
    rows = [[(datetime(2020, 1, 1, 2, tzinfo=timezone(timedelta(hours=2))),)]]
    con.register("fetched", arrow(["v"], [None], lambda _: rows.pop() if rows else [], []))
    assert con.execute("SELECT epoch(v), typeof(v) FROM fetched").fetchone() == (
        datetime(2020, 1, 1, tzinfo=UTC).timestamp(), "TIMESTAMP WITH TIME ZONE",
    )  # fmt: skip


def test_a_later_value_that_does_not_fit_is_an_error_and_not_changed(con, tmp_path):
    path = tmp_path / "mixed.db"
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE t (a)")
        db.executemany("INSERT INTO t VALUES (?)", [(1,)] * FIRST_ROWS + [(1.5,)])
    db.close()
    with pytest.raises(QueryError, match="Column a holds a value that is not a int64") as refusal:
        fetched(con, "SELECT a FROM t", url=f"sqlite:///{path}")
    assert "Traceback" not in str(refusal.value) + refusal.value.hint
    assert len(fetched(con, "SELECT CAST(a AS TEXT) FROM t", url=f"sqlite:///{path}")) > FIRST_ROWS


def test_columns_of_one_name_are_told_apart():
    assert unique(["a", "A", "a", "a_1", ""]) == ["a", "A_1", "a_2", "a_1_1", ""]


def test_what_psycopg_cannot_carry_is_an_error(con):
    with postgres_server() as server:
        url = f"postgresql+psycopg://postgres@127.0.0.1:{server.port}/postgres"
        given = {"url": url, "password": PASSWORD}
        with pytest.raises(QueryError, match="too large"):
            fetched(con, "SELECT 'infinity'::date", **given)
        # 2 rows in a first stretch, and in the one after it the server fails.
        late = f"SELECT 1 / (g - {FIRST_ROWS + 9}) FROM generate_series(1, {FIRST_ROWS + 10}) AS g"
        with pytest.raises(QueryError, match="division by zero"):
            fetched(con, late, **given)


def test_a_test_needs_options_that_make_sense(tmp_path):
    bench = Workbench.open(Settings(home=tmp_path, start_folder=tmp_path, sample_data=False))
    try:
        with pytest.raises(InvalidInput) as refusal:
            bench.workspace().connections.test("sqlalchemy", {"url": "postgresql://a:s3cret@h/d"})
        assert "s3cret" not in str(refusal.value) + refusal.value.hint
    finally:
        bench.close()
