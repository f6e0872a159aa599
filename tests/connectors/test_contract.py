"""One suite for all connectors: what each must declare, and how those of files must behave.

How those of servers must is in test_contract_servers.py.
"""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest
from pyarrow import ipc

from core.connector import Connector, Options
from core.errors import ConnectError
from core.plugins import discover

ROSTER = discover("connectors", Connector)
ALIAS = "Sales 'of' \"2024\""  # every alias must be quoted everywhere


def _copy(path: Path, how: str, select: str = "SELECT i AS id, 'x' || i AS t FROM range(5) r(i)"):
    con = duckdb.connect()
    con.execute(f"COPY ({select}) TO '{path}' ({how})")
    con.close()


def _arrow(path: Path) -> None:
    table = pa.table({"id": list(range(5)), "t": [f"x{i}" for i in range(5)]})
    with ipc.new_file(str(path), table.schema) as writer:
        writer.write_table(table)


def _folder(path: Path) -> None:
    for year in (2023, 2024):
        (path / f"year={year}").mkdir(parents=True)
        _copy(path / f"year={year}" / "a.parquet", "FORMAT parquet")


def _sqlite(path: Path) -> None:
    db = sqlite3.connect(path)
    db.executescript(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, t TEXT); INSERT INTO t VALUES (1,'x')"
    )
    db.close()


def _duckdb(path: Path) -> None:
    con = duckdb.connect(str(path))
    con.execute("CREATE TABLE t AS SELECT 1 AS id; CREATE SCHEMA s; CREATE VIEW s.v AS SELECT 2 b")
    con.close()


# Name of a connector -> file name of a small good source, and how it is made.
GOOD: dict[str, tuple[str, Callable[[Path], None]]] = {
    "arrow": ("a.arrow", _arrow),
    "csv": ("a.csv", lambda path: _copy(path, "FORMAT csv, HEADER")),
    "duckdb": ("a.duckdb", _duckdb),
    "excel": ("a.xlsx", lambda path: None),  # by the fixture write_workbook
    "folder": ("many", _folder),
    "json": ("a.json", lambda path: _copy(path, "FORMAT json")),
    "parquet": ("a.parquet", lambda path: _copy(path, "FORMAT parquet")),
    "sqlite": ("a.sqlite", _sqlite),
}


JUNK = b'\x00\x01 not \xff\xfe it \n"' * 50


FILES = sorted(name for name, found in ROSTER.found.items() if found.group == "file")


@pytest.fixture(params=FILES)
def connector(request) -> Connector[Options]:
    return ROSTER.found[request.param]


@pytest.fixture
def good(connector, tmp_path, write_workbook) -> Path:
    # DuckDB would take each of these for a pattern or the end of a text.
    folder = tmp_path / "it's [odd] ü" / "year=1"
    folder.mkdir(parents=True)
    name, make = GOOD[connector.name]
    made = tmp_path / name
    make(made)
    if connector.name == "excel":
        write_workbook(made, {"One": [["id"], [1]], 'T "w"\'s': [["b"], [2]]})
    return made.rename(folder / name)


def _options(connector, path: Path) -> Options:
    return connector.Options.model_validate({"path": str(path)})


def test_the_roster_is_the_one_we_know():
    assert sorted(GOOD) == FILES
    assert ROSTER.broken == {}


def test_no_two_connectors_claim_the_same_ending():
    endings = [end for found in ROSTER.found.values() for end in found.suffixes]
    assert len(endings) == len(set(endings))
    assert all(end == end.lower() and end.startswith(".") for end in endings)


def test_finding_the_connectors_loads_no_driver():
    code = (
        "import sys; from core.plugins import discover; from core.connector import Connector\n"
        "assert discover('connectors', Connector).found\n"
        "print([name for name in ('duckdb', 'pyarrow', 'polars') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_it_declares_what_a_person_is_shown(connector):
    assert connector.label
    assert connector.help.endswith(".")
    assert connector.icon.replace("_", "").isalpha()
    fields = connector.Options.model_json_schema()["properties"]
    assert all(field.get("title") and field.get("description") for field in fields.values())
    assert fields["path"]["title"] in ("File", "Folder")


def test_every_field_but_the_path_has_a_default(connector):
    assert connector.Options.model_json_schema()["required"] == ["path"]


@pytest.mark.parametrize("path", ["", "  ", "relative.csv", "/a\0b", "/" + "x" * 5000])
def test_a_path_that_can_be_none_is_refused(connector, path):
    with pytest.raises(ValueError, match="path"):
        connector.Options.model_validate({"path": path})


def test_it_asks_for_no_more_than_its_source(connector, good):
    grants = connector.grants(_options(connector, good))
    assert grants.read == (str(good),)
    assert grants.write == ()
    assert grants.hosts == ()


def test_inspect_attach_select_detach(connector, good, con):
    report = connector.inspect(con, _options(connector, good), ALIAS)
    options = report.options or _options(connector, good)
    assert report.rejected == 0
    assert report.tables
    assert _visible(con) == []
    for _ in range(2):  # attaching again replaces what was there
        connector.attach(con, options, ALIAS)
        for table in report.tables:
            assert con.cursor().execute(f"SELECT * FROM {_from(table)}").fetchall()
    connector.detach(con, ALIAS)
    assert _visible(con) == []
    connector.detach(con, ALIAS)  # nothing to do
    with pytest.raises(duckdb.Error):
        con.execute(f"SELECT * FROM {_from(report.tables[0])}")


def _from(table: str) -> str:
    return table if "." in table else f"files.main.{table}"


def _visible(con) -> list[tuple[str, ...]]:
    return con.execute(
        "SELECT table_catalog, table_name FROM information_schema.tables "
        "WHERE table_catalog NOT IN ('system', 'temp')"
    ).fetchall()


def test_what_it_tells_of_tables_is_of_those_that_are_attached(connector, good, con):
    options = connector.inspect(con, _options(connector, good), "a").options
    options = options or _options(connector, good)
    connector.attach(con, options, "a")
    told = connector.structures(options, None, None)
    if told is None:
        return  # DuckDB knows it all
    seen = con.execute(
        "SELECT schema_name, table_name, list(column_name ORDER BY column_index) "
        "FROM duckdb_columns() WHERE database_name = 'a' GROUP BY ALL ORDER BY ALL"
    ).fetchall()
    assert [(t.schema, t.name, [c.name for c in t.columns]) for t in told] == seen
    for schema, name, _ in seen:
        (one,) = connector.structures(options, schema, name)
        assert one in told
    assert connector.structures(options, "no such schema", None) == []
    assert connector.structures(options, None, "no such table") == []


def test_options_survive_being_stored(connector, good, con):
    options = connector.inspect(con, _options(connector, good), "a").options
    options = options or _options(connector, good)
    assert connector.Options.model_validate_json(options.model_dump_json()) == options


def test_it_takes_the_place_of_another_kind_of_source(connector, good, con):
    con.execute("CREATE TABLE files.main.a (x INTEGER)")
    if connector.name not in ("sqlite", "duckdb"):
        connector.attach(con, _options(connector, good), "a")
        connector.detach(con, "a")
        assert _visible(con) == []


@pytest.mark.parametrize("verb", ["inspect", "attach"])
def test_a_source_that_is_gone_is_a_connect_error(connector, good, con, verb):
    good.rename(good.with_name("elsewhere"))
    with pytest.raises(ConnectError, match=good.name) as caught:
        getattr(connector, verb)(con, _options(connector, good), "a")
    assert "\n" not in caught.value.message
    assert caught.value.message.endswith(".")
    assert _visible(con) == []


@pytest.mark.parametrize("verb", ["inspect", "attach"])
@pytest.mark.parametrize("content", [b"", JUNK], ids=["empty", "junk"])
def test_a_broken_source_is_a_connect_error(connector, good, con, verb, content):
    if good.is_dir():
        good = next(good.rglob("*.parquet"))
        path = good.parent.parent
    else:
        path = good
    good.write_bytes(content)
    if connector.name == "csv" and content:
        return  # any bytes are rows of text; tests/connectors/test_csv.py says which are refused
    with pytest.raises(ConnectError) as caught:
        getattr(connector, verb)(con, _options(connector, path), "a")
    assert good.name in caught.value.message
    assert "\n" not in caught.value.message
    assert caught.value.message.endswith(".")
    assert "Error" not in caught.value.message
    assert _visible(con) == []


def test_a_folder_in_place_of_a_file_and_the_reverse(connector, good, con):
    if good.is_dir():
        good = next(good.rglob("*.parquet"))
    else:
        good.unlink()
        good.mkdir()
    with pytest.raises(ConnectError, match=good.name):
        connector.inspect(con, _options(connector, good), "a")


def test_a_path_below_a_file_is_a_connect_error(connector, good, con):
    below = (good if good.is_file() else next(good.rglob("*.parquet"))) / "a.x"
    with pytest.raises(ConnectError, match=r"a\.x"):
        connector.inspect(con, _options(connector, below), "a")
