"""SQLite and DuckDB files: read only, in place, and never a danger to the other sources."""

from __future__ import annotations

import os
import sqlite3
import tempfile
from pathlib import Path

import duckdb
import pytest

from connectors.duckdb import Duckdb
from connectors.sqlite import Sqlite
from core.errors import ConnectError

SQLITE, DUCKDB = Sqlite(), Duckdb()


@pytest.fixture
def sqlite_file(tmp_path):
    path = tmp_path / "it's a?[1] ü#%20.db"
    db = sqlite3.connect(path)
    db.executescript(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT, loose);"
        "INSERT INTO t VALUES (1, 'x', 'y'); CREATE VIEW \"the view\" AS SELECT name FROM t;"
    )
    db.close()
    return path


def test_tables_and_views_of_sqlite_are_queryable(con, sqlite_file):
    options = SQLITE.Options(path=str(sqlite_file))
    report = SQLITE.inspect(con, options, "lite")
    assert report.tables == ("lite.t", 'lite."the view"')
    assert report.notes == ("Columns without a type are read as bytes: t.loose.",)
    SQLITE.attach(con, options, "lite")
    assert con.execute('SELECT * FROM lite."the view"').fetchall() == [("x",)]


@pytest.mark.parametrize("make", ["sqlite", "duckdb"])
def test_nothing_is_written(con, sqlite_file, tmp_path, make):
    if make == "sqlite":
        SQLITE.attach(con, SQLITE.Options(path=str(sqlite_file)), "d")
    else:
        duckdb.connect(str(tmp_path / "a.duckdb")).execute("CREATE TABLE t (id INTEGER)").close()
        DUCKDB.attach(con, DUCKDB.Options(path=str(tmp_path / "a.duckdb")), "d")
    with pytest.raises(duckdb.Error, match="read-only"):
        con.execute("INSERT INTO d.t (id) VALUES (2)")


def test_a_view_that_cannot_be_prepared_does_not_break_the_other_sources(con, sqlite_file):
    db = sqlite3.connect(sqlite_file)
    db.executescript(
        "CREATE TABLE gone (a); CREATE VIEW bad AS SELECT a FROM gone; DROP TABLE gone"
    )
    db.close()
    with pytest.raises(ConnectError, match="bad in it cannot be read: no such table") as caught:
        SQLITE.attach(con, SQLITE.Options(path=str(sqlite_file)), "lite")
    assert sqlite_file.name in caught.value.message
    assert con.execute("SELECT table_name FROM information_schema.tables").fetchall() == []


def test_a_database_in_wal_mode_is_read_while_it_is_written(con, sqlite_file):
    db = sqlite3.connect(sqlite_file)
    db.execute("PRAGMA journal_mode = wal")
    db.execute("INSERT INTO t VALUES (2, 'new', NULL)")
    db.commit()
    options = SQLITE.Options(path=str(sqlite_file))
    assert {path.removeprefix(options.path) for path in SQLITE.grants(options).read} == {
        *("", "-wal", "-shm")
    }
    SQLITE.attach(con, options, "lite")
    assert con.execute("SELECT count(*) FROM lite.t").fetchall() == [(2,)]
    db.close()


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="needs root to drop it")
def test_a_database_in_wal_mode_that_nobody_may_write_beside_says_so(con, tmp_path):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.db"
        db = sqlite3.connect(path)
        db.execute("PRAGMA journal_mode = wal")
        db.execute("CREATE TABLE t (a TEXT)")
        db.close()
        Path(folder).chmod(0o755)
        os.seteuid(65534)
        try:
            with pytest.raises(ConnectError, match="is in WAL mode"):
                SQLITE.inspect(con, SQLITE.Options(path=str(path)), "d")
        finally:
            os.seteuid(0)


def test_a_catalog_can_be_replaced_while_another_cursor_reads_it(con, sqlite_file):
    options = SQLITE.Options(path=str(sqlite_file))
    SQLITE.attach(con, options, "lite")
    reader = con.cursor()
    reader.execute("BEGIN; SELECT * FROM lite.t")
    SQLITE.attach(con, options, "lite")
    assert reader.execute("SELECT count(*) FROM lite.t").fetchall() == [(1,)]


@pytest.mark.parametrize(("right", "wrong"), [(SQLITE, DUCKDB), (DUCKDB, SQLITE)])
def test_the_other_kind_of_database_is_named(con, sqlite_file, tmp_path, right, wrong):
    path = sqlite_file
    if right is DUCKDB:
        path = tmp_path / "a.db"
        duckdb.connect(str(path)).execute("CREATE TABLE t (a INTEGER)").close()
    with pytest.raises(ConnectError) as caught:
        wrong.inspect(con, wrong.Options(path=str(path)), "d")
    assert right.label in caught.value.hint


def test_a_sqlite_file_cut_in_half_is_refused(con, tmp_path):
    path = tmp_path / "a.sqlite"
    db = sqlite3.connect(path)
    db.executescript("CREATE TABLE t (a TEXT); CREATE TABLE u (a TEXT)")
    db.executemany("INSERT INTO t VALUES (?)", [("x" * 500,)] * 500)
    db.commit()
    db.close()
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(ConnectError, match=r"a\.sqlite cannot be read"):
        SQLITE.attach(con, SQLITE.Options(path=str(path)), "d")
    assert con.execute("SELECT table_name FROM information_schema.tables").fetchall() == []


def test_a_duckdb_file_another_program_writes_is_said(con, tmp_path):
    import subprocess
    import sys

    path = tmp_path / "a.duckdb"
    code = f"import duckdb; c = duckdb.connect({str(path)!r}); print(1, flush=True); input()"
    holder = subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        assert holder.stdout.readline()
        with pytest.raises(ConnectError, match="another program has it open"):
            DUCKDB.attach(con, DUCKDB.Options(path=str(path)), "d")
    finally:
        holder.communicate(b"\n", timeout=10)


def test_inspecting_an_attached_duckdb_file_leaves_it_attached(con, tmp_path):
    path = tmp_path / "a.duckdb"
    other = duckdb.connect(str(path))
    other.execute(
        "CREATE SCHEMA s; CREATE TABLE s.t (a INTEGER); CREATE TABLE u (a INTEGER)"
    ).close()
    options = DUCKDB.Options(path=str(path))
    DUCKDB.attach(con, options, "d")
    assert DUCKDB.inspect(con, options, "d").tables == ("d.u", "d.s.t")
    assert con.execute("SELECT count(*) FROM d.s.t").fetchall() == [(0,)]
