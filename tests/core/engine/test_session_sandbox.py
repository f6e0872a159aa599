"""Hostile SQL through the whole engine: refused in a clear sentence, never an empty answer.

tests/core/workers/test_wall.py attacks the wall itself; here it is what a person gets to read,
and that the engine goes on. After each statement the same worker still answers everybody.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

import duckdb
import pytest

from core.engine.engine import Engine
from core.engine.session import Session
from core.errors import Forbidden, QueryError
from core.workers.wall import available

pytestmark = pytest.mark.skipif(
    not available().complete, reason="needs Linux >= 5.13 with Landlock and seccomp switched on"
)

READERS = ["read_csv", "read_csv_auto", "read_text", "read_blob", "read_json", "read_json_auto"]
READERS += ["read_json_objects", "read_ndjson", "read_ndjson_objects", "read_parquet", "read_xlsx"]
READERS += ["sniff_csv", "parquet_metadata", "parquet_schema", "parquet_file_metadata", "glob"]

OUTSIDE = [
    *(f"from {reader}('/etc/passwd')" for reader in READERS),
    *(f"from {reader}('/etc/*')" for reader in READERS),
    "from sqlite_scan('/etc/passwd', 't')",
    "from sqlite_scan('<home>/store.sqlite', 't')",
    "from '/etc/passwd.csv'",
    "from glob('/etc/pass*')",
    "from glob('../*')",
    "from glob('~/*')",
    "from glob('<home>/*')",
    "describe from glob('/etc/*')",
    "create temp table names as from glob('/etc/*')",
    "from read_csv(['inside.csv', '/etc/*.conf'])",
    "from '../store.csv'",
    "from '<home>/workspaces/other/table.csv'",
    "from read_text('<home>/key')",
    "from read_blob('<home>/store.sqlite')",
    "attach '<home>/store.sqlite' as a (type sqlite)",
    "attach '<home>/other.duckdb' as a",
    "attach '<home>/other.duckdb' as a (read_only)",
    "attach '<home>/new.duckdb' as a",
    "attach '<home>/new.sqlite' as a (type sqlite)",
    "from read_duckdb('<home>/other.duckdb')",
    "copy (select 1) to '<home>/out.csv'",
    "copy (select 1) to '<home>/out.parquet' (format parquet)",
    "copy (select 1 as a, 2 as b) to '<home>/parts' (format csv, partition_by a)",
    "copy (select 1) to 'out.csv'",
    "export database '<home>/dump'",
    "import database '<home>'",
    "create temp table t as select '' as a; copy t from '/etc/passwd'",
    "from read_text('/proc/self/environ')",
    "from read_text('/proc/1/environ')",
    "from read_blob('/proc/self/mem')",
    *(f"from read_blob('/dev/fd/{number}')" for number in range(8)),
    "from read_blob('/proc/self/fd/3')",
    "from read_csv('/dev/stdin')",
    "copy (select 1) to '/dev/stdout'",
    "copy (select 1) to '/dev/fd/3'",
    "from 'way-out.csv'",
    "from read_text('way-out.csv')",
    "select * from query('from read_text(''/etc/passwd'')')",
    "prepare p as from read_text($f); execute p(f := '/etc/passwd')",
]

FORBIDDEN = [
    "detach files -- mine",
    "detach database if exists workspace /* mine */",
    "attach or replace ':memory:' as workspace",
    "attach or /* */ replace ':memory:' as \"files\"",
    "attach or replace 'files.duckdb'",
    "load httpfs",
    "load '/tmp/x.duckdb_extension'",
    "install httpfs",
    "force install spatial from community",
    "install x from 'http://example.com'",
    "from read_csv('http://127.0.0.1:1/x.csv')",
    "from 'https://example.com/a.parquet'",
    "from 's3://bucket/a.parquet'",
    "attach 'http://example.com/a.duckdb' as a",
    "attach 'host=localhost' as a (type postgres)",
    "call enable_logging(storage = 'file', storage_path = '<home>/logs')",
    "call enable_logging('QueryLog')",
    "from query('from enable_logging(storage := ''file'')')",
    "set memory_limit = '10GB'",
    "set threads = 8",
    "set temp_directory = '/tmp'",
    "set lock_configuration = false",
    "set enable_external_access = true",
    "set home_directory = '/'",
    "set secret_directory = '/tmp'",
    "set profiling_output = '/tmp/x'",
    "reset memory_limit",
    "pragma memory_limit = '1GB'",
    "pragma enable_profiling",
    "detach workspace",
    "use files; detach workspace",
    "detach database if exists files",
]

ERRORS = [
    "from 'mistyped.csv'",
    "from read_csv('mistyped*.csv')",
    "select getenv('HOME')",
    "create persistent secret s (type http)",
    "copy (select 1) to 'x' (format shell)",
    "from spec",  # a variable of the worker's own Python
    "from self",
    "from os",
]


@pytest.fixture(scope="module", autouse=True)
def _treasures(engine: Engine) -> None:
    home = engine.settings.home
    start = engine.settings.start_folder
    (start / "inside.csv").write_text("a\n1\n")
    (home / "key").write_text("secret")
    (home / "store.csv").write_text("a\n1\n")
    (start / "way-out.csv").symlink_to(home / "store.csv")
    (home / "workspaces" / "other").mkdir(parents=True)
    (home / "workspaces" / "other" / "table.csv").write_text("a\n1\n")
    duckdb.connect(home / "other.duckdb").close()
    store = sqlite3.connect(home / "store.sqlite")
    store.execute("create table t (a)")
    store.close()


def refused(engine: Engine, session: Session, sql: str) -> Exception:
    home = engine.settings.home
    before = sorted(home.iterdir()), engine.starts, engine.pid
    with pytest.raises((Forbidden, QueryError)) as caught:
        session.run(sql.replace("<home>", str(home)))
    other = Session(engine, "bystander")
    run = other.run("select count(*) from 'inside.csv'")
    assert other.page(run, run.results[0]).frame.item() == 1
    if engine.starts:
        assert before[1:] in ((engine.starts, engine.pid), (0, None))
    assert sorted(home.iterdir()) == before[0]
    message = caught.value.message
    assert message[0].isupper() or message[0] == "/"
    assert "secret" not in message or "secret" in sql
    return caught.value


@pytest.mark.parametrize("sql", OUTSIDE)
def test_what_lies_outside_is_refused_by_name(engine: Engine, session: Session, sql: str) -> None:
    error = refused(engine, session, sql)
    assert isinstance(error, Forbidden)
    assert error.path.startswith("/")
    assert error.path in error.message


@pytest.mark.parametrize("sql", FORBIDDEN)
def test_what_would_change_the_engine_is_forbidden(
    engine: Engine, session: Session, sql: str
) -> None:
    error = refused(engine, session, sql)
    assert isinstance(error, Forbidden)
    assert not error.path


@pytest.mark.parametrize(
    "sql",
    [
        "copy (select 1) to '<folder>/workspace.duckdb'",
        "copy (select 1) to '<folder>/workspace.duckdb.wal' (use_tmp_file false)",
        "copy (select 1) to '<start>/../workspaces/local/workspace.duckdb'",
        "copy (select 1 as a) to '<folder>/spools' (partition_by (a))",
        "prepare over as copy (select 1) to '<folder>/spools/x.arrow'",
        "explain analyze copy (select 1) to '<folder>/exports/x.csv'",
        "export database '<folder>/cache/all'",
        "export database workspace to '<folder>/temp/all'",
    ],
)
def test_a_query_does_not_write_over_the_workspaces_own_files(
    engine: Engine, session: Session, sql: str
) -> None:
    session.run("create or replace table kept as select 42 as answer")
    places = {"<start>": engine.settings.start_folder, "<folder>": engine.folder}
    for name, place in places.items():
        sql = sql.replace(name, str(place))
    assert isinstance(refused(engine, session, sql), Forbidden)
    assert (engine.folder / "workspace.duckdb").read_bytes()[8:12] == b"DUCK"
    assert session.run("from kept").state == "done"


def test_macros_with_the_names_of_duckdbs_tables_do_not_blind_the_catalog(engine: Engine) -> None:
    session = Session(engine, "shadows")
    names = ["duckdb_databases", "duckdb_columns", "duckdb_tables", "duckdb_functions"]
    try:
        for name in names:
            session.run(f"create or replace macro {name}() as table select 1 as nothing")
        session.run("create or replace table shadowed as select 1 as a")
        assert engine.call("catalog").head["rows"] > 0
        assert engine.call("macros").head["rows"] == len(names)
        session.run("attach ':memory:' as beside; detach beside")
    finally:
        for name in names:
            session.run(f"drop macro table if exists {name}")
        session.close()


@pytest.mark.parametrize("sql", ERRORS)
def test_what_the_engine_does_not_have_is_an_error(
    engine: Engine, session: Session, sql: str
) -> None:
    refused(engine, session, sql)


@pytest.mark.parametrize("sql", ["from glob($p)", "from read_text($p)", "from read_blob($p)"])
def test_a_parameter_leads_out_no_more_than_a_literal(
    engine: Engine, session: Session, sql: str
) -> None:
    with pytest.raises(Forbidden):
        session.run(sql, {"p": "/etc/*"})


def test_explaining_and_exporting_are_held_to_the_same(engine: Engine, session: Session) -> None:
    with pytest.raises(Forbidden):
        session.explain("from glob('/etc/*')", analyze=True)
    with pytest.raises(Forbidden):
        session.export("from glob('/etc/*')", None, format="csv")
    with pytest.raises(Forbidden):
        session.explain("from '/etc/passwd.csv'")
    assert list(engine.exports.iterdir()) == []


@pytest.mark.parametrize(
    ("sql", "count"),
    [
        ("from 'inside.csv'", 1),
        ("from '*side.csv'", 1),
        ("from glob('*.csv')", 2),
        ("from glob('<start>/in*')", 1),
        ("from read_text('<start>/inside.csv')", 1),
        ("select * from range(3) t(i) where 'x' not like '/etc/*'", 3),
        ("select '/etc/*' as pattern", 1),
        (
            "attach ':memory:' as scratch; create table scratch.t as from range(2); from scratch.t",
            2,
        ),
        ("copy (select 1 as a) to '<folder>/uploads/x.csv'; from '<folder>/uploads/x.csv'", 1),
    ],
)
def test_what_is_granted_works(engine: Engine, session: Session, sql: str, count: int) -> None:
    places = {"<start>": engine.settings.start_folder, "<folder>": engine.folder}
    for name, place in places.items():
        sql = sql.replace(name, str(place))
    run = session.run(sql)
    assert run.result is not None
    assert run.result.rows == count


def test_a_file_missing_in_the_start_folder_is_not_called_outside(session: Session) -> None:
    with pytest.raises(QueryError, match="No files found") as caught:
        session.run("from 'mistyped.csv'")
    assert not isinstance(caught.value, Forbidden)


def test_a_bad_attachment_does_not_stay_to_spoil_every_name(
    engine: Engine, session: Session
) -> None:
    start: Path = engine.settings.start_folder
    with pytest.raises((Forbidden, QueryError)):
        session.run(f"attach '{start}/missing.sqlite' as spoiled (type sqlite)")
    other = Session(engine, "bystander")
    run = other.run("select count(*) from 'inside.csv'; select 1 from duckdb_tables() limit 0")
    assert run.state == "done"
