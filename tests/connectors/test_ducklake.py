"""A DuckLake is read in place, as another program makes it: its list in three kinds of databases,
its files in a folder or in a store."""

from __future__ import annotations

import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from connectors.ducklake import Ducklake
from core.errors import ConnectError, Forbidden, InvalidInput, MillpondError, QueryError
from core.secret import Secret, secret_fields
from core.workbench import Workspace
from tests.connectors.lakes import filled, opened
from tests.connectors.servers import PASSWORD, postgres_server
from tests.connectors.stores import object_store
from tests.connectors.test_contract_servers import rows, wait_until

ALIAS = "The 'lake' \"2026\".é"
QUOTED = '"' + ALIAS.replace('"', '""') + '"'
KINDS = ["duckdb", "sqlite", "postgres"]


@pytest.fixture(scope="module")
def server():
    with postgres_server() as running:
        yield running


@pytest.fixture(scope="module")
def folder(workbench) -> Path:
    """A folder that SQL may read, with a lake of each kind of list."""
    return workbench.settings.start_folder


@pytest.fixture(scope="module")
def lakes(folder, server) -> dict[str, dict[str, Any]]:
    """The options of a lake by the kind of its list; their files are in folders of that name."""
    wheres = {"duckdb": str(folder / "list.duckdb"), "sqlite": f"sqlite:{folder}/list.sqlite"}
    for kind in KINDS:
        given = server.options if kind == "postgres" else None
        filled(wheres.get(kind, ""), f"{folder}/{kind}/", given).close()
    return {
        "duckdb": {"catalog": "duckdb", "path": wheres["duckdb"]},
        "sqlite": {"catalog": "sqlite", "path": str(folder / "list.sqlite")},
        "postgres": {"catalog": "postgres", **server.options},
    }


@pytest.fixture
def here(workbench) -> Workspace:
    here = workbench.workspace()
    yield here
    for each in here.connections.list():
        here.connections.remove(each.connection.alias)


@pytest.fixture(params=KINDS)
def options(request, lakes, folder) -> dict[str, Any]:
    return {"data": str(folder / request.param), **lakes[request.param]}


def test_it_declares_what_a_person_is_shown():
    assert secret_fields(Ducklake.Options) == {"password", "secret_key"}
    for name, option in Ducklake.Options.model_fields.items():
        assert option.title, name
        assert option.description, name
        assert option.annotation is not Secret or option.default is not None, name


def test_a_lake_is_tested_and_joined_with_what_is_here(here, options):
    checked = here.connections.test("ducklake", options)
    assert checked.version == "DuckLake 1.0"
    facts = dict(checked.facts)
    assert (facts["Tables"], facts["Versions"]) == ("1", "4")
    here.connections.add(ALIAS, "ducklake", options)
    rows(here, "CREATE OR REPLACE TABLE own AS SELECT 1 AS id, 'here' AS place")
    joined = f"SELECT name, place FROM {QUOTED}.items JOIN own USING (id) WHERE name NOT NULL"
    assert rows(here, joined) == [("ä'\"", "here")]
    (table,) = [each for one in here.catalog.whole() if one.name == ALIAS for each in one.tables]
    assert (table.name, [each.name for each in table.columns]) == ("items", ["id", "name"])


def test_a_lake_is_read_as_it_was(here, options):
    here.connections.add("now", "ducklake", options)
    assert rows(here, "SELECT count(*) FROM now.items AT (VERSION => 2)") == [(1,)]
    here.connections.add("before", "ducklake", options | {"version": 2})
    counted = "SELECT (SELECT count(*) FROM before.items), (SELECT count(*) FROM now.items)"
    assert rows(here, counted) == [(1, 101)]
    with pytest.raises(ConnectError, match="no version 77"):
        here.connections.test("ducklake", options | {"version": 77})


def test_it_only_reads(here, options):
    here.connections.add("lake", "ducklake", options)
    for sql in ("INSERT INTO lake.items VALUES (1, 'a')", "CREATE TABLE lake.made (a INTEGER)"):
        with pytest.raises(QueryError, match="read-only"):
            rows(here, sql)
    with pytest.raises(MillpondError):
        rows(here, "CALL ducklake_expire_snapshots('lake', older_than => now())")
    assert rows(here, "SELECT count(*) FROM lake.items AT (VERSION => 2)") == [(1,)]


def test_the_password_is_nowhere_in_reach_of_sql(here, lakes, folder):
    options = {"data": str(folder / "postgres"), **lakes["postgres"]}
    here.connections.add("lake", "ducklake", options)
    for told in ("databases", "secrets", "settings", "views", "variables"):
        assert PASSWORD not in json.dumps(rows(here, f"FROM duckdb_{told}()"), default=str)
    assert rows(here, "FROM duckdb_secrets()") == []
    with pytest.raises(ConnectError, match="password is wrong") as refusal:
        here.connections.test("ducklake", options | {"password": "n0t-the-1-it-is"})
    assert "n0t-the-1" not in str(refusal.value) + refusal.value.hint


def test_what_is_committed_meanwhile_is_seen(here, lakes, server, folder):
    options = {"data": str(folder / "postgres"), **lakes["postgres"]}
    here.connections.add("lake", "ducklake", options)
    counted = "SELECT count(*) FROM lake.items"
    before = rows(here, counted)[0][0]
    with closing(opened("", f"{folder}/postgres/", server.options)) as other:
        other.execute("INSERT INTO lake.items SELECT 7, 'new' FROM range(9)")
        assert rows(here, counted) == [(before + 9,)]
        other.execute("DELETE FROM lake.items WHERE id = 7 AND name = 'new'")
    assert rows(here, counted) == [(before,)]


def test_a_list_that_is_none_is_said_by_what_it_is(here, folder, lakes):
    (folder / "rubbish").write_bytes(b"SQLite format 3\0" + b"rubbish" * 100)
    with closing(sqlite3.connect(folder / "other.sqlite")) as db:
        db.execute("CREATE TABLE a (b)")
    good = {"data": str(folder / "sqlite"), **lakes["sqlite"]}
    for changed, said in (
        ({"path": str(folder / "none")}, "There is no file"),
        ({"path": str(folder / "rubbish")}, "rubbish"),
        ({"path": str(folder / "other.sqlite")}, "There is no DuckLake in"),
        ({"catalog": "duckdb"}, "is not a DuckDB file"),
        ({"data": str(folder / "duckdb")}, "The lake's files are in"),
        ({"data": str(folder / "nowhere")}, "There is no"),
    ):
        with pytest.raises(ConnectError, match=said):
            here.connections.test("ducklake", good | changed)
    assert here.connections.list() == []


def test_options_that_make_no_sense_are_refused(here, lakes):
    for options in (
        {"data": "relative"},
        {"catalog": "duckdb", "path": "", "data": "/x"},
        {"catalog": "postgres", "data": "/x"},
        {"catalog": "mysql", "path": "/x", "data": "/x"},
        {"catalog": "sqlite", "path": "/x", "data": "s3://"},
        {"catalog": "sqlite", "path": "/x", "data": "/x", "version": -1},
    ):
        with pytest.raises(InvalidInput):
            here.connections.add("bad", "ducklake", options)


def test_a_list_that_leads_to_files_elsewhere_reads_none_of_them(here, folder, tmp_path):
    outside = tmp_path / "outside"
    filled(f"sqlite:{folder}/hostile.sqlite", f"{outside}/").close()
    (folder / "innocent").mkdir(exist_ok=True)
    with closing(sqlite3.connect(folder / "hostile.sqlite")) as db:
        # The list says that its files are in a folder that may be read, and then names others.
        db.execute(
            "UPDATE ducklake_metadata SET value = ? WHERE key = 'data_path'",
            [f"{folder}/innocent/"],
        )
        files = [*outside.rglob("*.parquet")]
        assert files
        db.execute("UPDATE ducklake_data_file SET path = ?, path_is_relative = 0", [str(files[0])])
        db.commit()
    options = {
        "catalog": "sqlite",
        "path": str(folder / "hostile.sqlite"),
        "data": str(folder / "innocent"),
    }
    with pytest.raises((Forbidden, ConnectError)):
        here.connections.add("hostile", "ducklake", options)
    assert here.connections.list() == []


def test_files_outside_the_folders_are_not_granted(here, folder, lakes, tmp_path):
    with pytest.raises(Forbidden):
        here.connections.add("lake", "ducklake", {**lakes["sqlite"], "data": str(tmp_path)})


def test_a_lake_in_a_store_is_read_with_its_key(here, folder):
    with object_store() as store:
        key, secret = store.keys["admin"]
        filled(
            f"sqlite:{folder}/far.sqlite",
            "s3://data/lake/",
            endpoint=f"127.0.0.1:{store.port}",
            key_id=key,
            secret=secret,
            region="us-east-1",
        ).close()
        key, secret = store.keys["reader"]
        options = {
            "catalog": "sqlite",
            "path": str(folder / "far.sqlite"),
            "data": "s3://data/lake",
            "endpoint": f"127.0.0.1:{store.port}",
            "key_id": key,
            "secret_key": secret,
            "s3_tls": False,
        }
        here.connections.add("far", "ducklake", options)
        assert rows(here, "SELECT count(*) FROM far.items") == [(101,)]
        for told in ("databases", "secrets", "settings"):
            assert secret not in json.dumps(rows(here, f"FROM duckdb_{told}()"), default=str)
        with pytest.raises(ConnectError, match="secret key"):
            here.connections.test("ducklake", options | {"secret_key": "0ther-k3y"})
        here.connections.remove("far")
        assert rows(here, "FROM duckdb_secrets()") == []


def test_a_server_that_goes_away_is_found_again(here, lakes, server, folder):
    options = {"data": str(folder / "postgres"), **lakes["postgres"]}
    here.connections.add("lake", "ducklake", options)
    server.stop()
    try:
        with pytest.raises(MillpondError):
            rows(here, "SELECT count(*) FROM lake.items")
        assert rows(here, "SELECT 42") == [(42,)]
    finally:
        server.start()
    wait_until(lambda: here.connections.check("lake").health.problem == "")
    wait_until(lambda: not here.engine.broken)
    assert rows(here, "SELECT count(*) FROM lake.items") == [(101,)]


def test_a_lake_is_attached_again_by_a_new_engine(here, lakes, folder):
    options = {"data": str(folder / "duckdb"), **lakes["duckdb"]}
    here.connections.add("lake", "ducklake", options)
    here.engine.renew()
    assert rows(here, "SELECT count(*) FROM lake.items") == [(101,)]
    shutil.move(folder / "list.duckdb", folder / "moved")
    try:
        here.engine.renew()
        with pytest.raises(ConnectError, match="There is no file"):
            rows(here, "SELECT count(*) FROM lake.items")
    finally:
        shutil.move(folder / "moved", folder / "list.duckdb")
