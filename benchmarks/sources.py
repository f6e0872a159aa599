"""Measure sources: `uv run --group peers python -m benchmarks.sources [--only arrow,join,tree]`.

PostgreSQL comes from its wheel, MariaDB from the system, both on this machine. The ways to Arrow
take turns; the floor is the fastest of the others.
"""

from __future__ import annotations

import argparse
import json
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from functools import partial
from importlib import import_module
from pathlib import Path
from statistics import median
from urllib.parse import quote

from benchmarks.figures import RESULTS, Figure, Report
from benchmarks.inputs import FOLDER, sales
from benchmarks.opened import opened
from benchmarks.rounds import seconds, spoken, wait_for_quiet
from benchmarks.tree import measure as measure_page
from core.catalog.search import Index
from core.engine.session import Session
from core.workbench import Workspace
from tests.connectors.servers import (
    MariadbServer,
    PostgresServer,
    mariadb_server,
    postgres_server,
)

PARTS = ("arrow", "mariadb", "sqlite", "join", "tree", "page")

_ROWS = """
CREATE TABLE mixed AS
SELECT i AS id, (i % 100000 / 100.0)::numeric(12, 2) AS amount, md5(i::text) AS note,
       timestamptz '2024-01-01' + i * interval '3 s' AS at, i * 1.5::float8 AS weight,
       i % 7 = 0 AS kept, (date '2024-01-01' + i % 365) AS day, i % 500 AS shop
FROM generate_series(1, {rows}) AS numbers(i)
"""


_MARIADB_ROWS = """
CREATE TABLE mixed AS
SELECT seq AS id, CAST(seq % 100000 / 100.0 AS DECIMAL(12, 2)) AS amount, md5(seq) AS note,
       TIMESTAMP '2024-01-01 00:00:00' + INTERVAL seq * 3 SECOND AS at,
       CAST(seq * 1.5 AS DOUBLE) AS weight,
       CAST(seq % 7 = 0 AS INTEGER) AS kept, DATE '2024-01-01' + INTERVAL seq % 365 DAY AS day,
       CAST(seq % 500 AS INTEGER) AS shop
FROM seq_1_to_{rows}
"""
_SQLITE_TABLE = """
CREATE TABLE mixed (
    id INTEGER, amount REAL, note TEXT, at TEXT, weight REAL, kept INTEGER, day TEXT, shop INTEGER
)
"""
_SQLITE_ROWS = """
INSERT INTO mixed
WITH RECURSIVE numbers(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM numbers WHERE i < {rows})
SELECT i AS id, i % 100000 / 100.0 AS amount, lower(hex(i * 7919)) || 'abcdefabcdef' AS note,
       datetime('2024-01-01', i * 3 || ' seconds') AS at, i * 1.5 AS weight, i % 7 = 0 AS kept,
       date('2024-01-01', i % 365 || ' days') AS day, i % 500 AS shop
FROM numbers
"""
_ALL = "SELECT * FROM mixed"


def arrow(rows: int, rounds: int) -> list[Figure]:
    """Take a table of PostgreSQL's to Arrow, in as many ways as people do."""
    with postgres_server() as server, opened() as workbench:
        server.execute(_ROWS.format(rows=rows), "VACUUM ANALYZE mixed")
        here = workbench.workspace()
        here.connections.add("pg", "postgres", server.options)
        ways = {"ADBC": partial(_by_adbc, "postgresql", _url(server)), **_readers(_url(server))}
        return [_beside(here, "PostgreSQL", "FROM pg.public.mixed", ways, rows, rounds)]


def arrow_mariadb(rows: int, rounds: int) -> list[Figure]:
    """Take a table of MariaDB's to Arrow."""
    with mariadb_server() as server, opened() as workbench:
        server.execute(_MARIADB_ROWS.format(rows=rows))
        here = workbench.workspace()
        here.connections.add("maria", "mariadb", server.options)
        ways = _readers(_url(server, "mysql", server.options["database"]))
        return [_beside(here, "MariaDB", "FROM maria.mixed", ways, rows, rounds)]


def arrow_sqlite(rows: int, rounds: int) -> list[Figure]:
    """Take a table of a SQLite file to Arrow."""
    file = FOLDER / "mixed.sqlite"
    file.unlink(missing_ok=True)
    FOLDER.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(file)) as db, db:
        db.execute(_SQLITE_TABLE)
        db.execute(_SQLITE_ROWS.format(rows=rows))
    with opened() as workbench:
        here = workbench.workspace()
        here.connections.add("lite", "sqlite", {"path": str(file)})
        ways = {"ADBC": partial(_by_adbc, "sqlite", str(file)), **_readers(f"sqlite://{file}")}
        return [_beside(here, "SQLite", "FROM lite.mixed", ways, rows, rounds)]


def _beside(
    here: Workspace,
    source: str,
    sql: str,
    others: dict[str, Callable[[], object]],
    rows: int,
    rounds: int,
) -> Figure:
    """Let all ways take turns; the floor is the one of the others that is fastest."""
    session = here.queries.session("arrow")
    ways = {"ours": lambda: _all(session, sql), **others}
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for number in range(rounds + 1):
        for name, way in ways.items():
            wait_for_quiet()
            passed = seconds(way)
            if number:
                taken[name].append(passed)
    medians = {name: median(taken[name]) for name in others}
    best = min(medians, key=lambda name: medians[name])
    ratio = median(a / b for a, b in zip(taken["ours"], taken[best], strict=True))
    told = ", ".join(f"{name} {spoken(value)}" for name, value in sorted(medians.items()))
    how = f"{spoken(median(taken['ours']))}; {told}; medians of {rounds} alternating rounds"
    return Figure(f"{source} to Arrow, {rows:,} rows x 8, beside {best}", ratio, "x", 1.1, how)


def _all(session: Session, sql: str) -> int:
    run = session.start(sql)
    run.wait_rows()
    assert run.result is not None, run.error
    return sum(batch.num_rows for batch in session.batches(run, run.result))


def _url(
    server: PostgresServer | MariadbServer, kind: str = "postgresql", database: str = "postgres"
) -> str:
    given = server.options
    password = quote(given["password"], safe="")
    return f"{kind}://{given['user']}:{password}@{given['host']}:{given['port']}/{database}"


def _by_adbc(kind: str, place: str) -> object:
    driver = import_module(f"adbc_driver_{kind}.dbapi")
    with driver.connect(place) as connection, connection.cursor() as cursor:
        cursor.execute(_ALL)
        return cursor.fetch_arrow_table()


def _readers(url: str) -> dict[str, Callable[[], object]]:
    import connectorx
    import polars as pl

    return {
        "connectorx": lambda: connectorx.read_sql(url, _ALL, return_type="arrow"),
        "polars": lambda: pl.read_database_uri(_ALL, url),
    }


def join(rows: int, rounds: int) -> list[Figure]:
    """Join PostgreSQL, Parquet and SQLite, beside pandas and SQLAlchemy, in processes of their own.

    pandas gets its filters and columns pushed down by hand.
    """
    file, lite = sales(rows), FOLDER / "regions.sqlite"
    with postgres_server() as server:
        server.execute(
            "CREATE TABLE shops AS SELECT 'shop ' || i AS shop, i % 20 AS region, "
            "i % 2 = 0 AS kept FROM generate_series(0, 499) AS numbers(i)"
        )
        _write_regions(lite)
        given = {"options": server.options, "url": _url(server)}
        given |= {"sales": str(file), "lite": str(lite)}
        taken: dict[str, list[dict[str, float]]] = {"ours": [], "pandas": []}
        for _ in range(rounds):
            for way, results in taken.items():
                wait_for_quiet()
                command = [sys.executable, "-m", "benchmarks.federated", way]
                done = subprocess.run(
                    command, input=json.dumps(given), capture_output=True, text=True, check=True
                )
                results.append(json.loads(done.stdout.splitlines()[-1]))
    ours, theirs = taken["ours"], taken["pandas"]

    def figure(what: str, key: str, limit: float, shown: Callable[[float], str]) -> Figure:
        ratio = median(a[key] / b[key] for a, b in zip(ours, theirs, strict=True))
        mine, other = (median(each[key] for each in way) for way in (ours, theirs))
        how = f"{shown(mine)} against {shown(other)}, median of {rounds} alternating rounds"
        name = f"PostgreSQL x Parquet ({rows:,} rows) x SQLite: {what}, beside pandas + SQLAlchemy"
        return Figure(name, ratio, "x", limit, how)

    return [
        figure("time", "seconds", 1 / 3, spoken),
        figure("peak memory", "bytes", 1 / 3, lambda value: f"{value / 1e6:.0f} MB"),
    ]


def _write_regions(file: Path) -> None:
    file.unlink(missing_ok=True)
    with closing(sqlite3.connect(file)) as db:
        db.execute("CREATE TABLE regions (id INTEGER PRIMARY KEY, name TEXT)")
        db.executemany("INSERT INTO regions VALUES (?, ?)", [(i, f"region {i}") for i in range(20)])
        db.commit()


def tree(tables: int, rounds: int) -> list[Figure]:
    """Read the tree of a server of many tables, 20 columns each, and search it."""
    with postgres_server() as server, opened() as workbench:
        columns = ", ".join(f"c{number} integer" for number in range(20))
        for first in range(0, tables, 250):
            many = range(first, min(first + 250, tables))
            server.execute(*(f"CREATE TABLE t{number} ({columns})" for number in many))
        here = workbench.workspace()
        here.connections.add("pg", "postgres", server.options)
        here.catalog.whole()
        engine = here.engine
        first = []
        for _ in range(rounds):
            engine.renew()  # a new process knows nothing of the server yet
            wait_for_quiet()
            first.append(seconds(here.catalog.whole))
        known = here.catalog.whole()
        index = Index(known, {})
        found = [seconds(lambda: index.find("t49 c7")) for _ in range(rounds)]
    size = f"{tables:,} tables, {tables * 20:,} columns"
    read = f"behind the pages, with its start, median of {rounds}, slowest {spoken(max(first))}"
    looked = f"median of {rounds}, slowest {spoken(max(found))}"
    return [
        Figure(
            f"The tree of a PostgreSQL of {size}: read by a new engine",
            median(first) * 1e3, "ms", None, read,
        ),
        Figure("The same tree: searched for two words", median(found) * 1e3, "ms", 100, looked),
    ]  # fmt: skip


def main() -> None:
    """Run the parts asked for, and keep their figures."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sources", description=__doc__)
    parser.add_argument("--only", default=",".join(PARTS), help=", ".join(PARTS))
    parser.add_argument("--rows", type=int, default=2_000_000, help="of PostgreSQL's table")
    parser.add_argument("--sales", type=int, default=10_000_000, help="rows of the Parquet file")
    parser.add_argument("--tables", type=int, default=5_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--results", type=Path, default=RESULTS, help="file of the figures")
    given = parser.parse_args()
    report = Report("uv run --group peers python -m benchmarks.sources", given.results)
    parts: dict[str, Callable[[], list[Figure]]] = {
        "arrow": lambda: arrow(given.rows, given.rounds),
        "mariadb": lambda: arrow_mariadb(given.rows, given.rounds),
        "sqlite": lambda: arrow_sqlite(given.rows, given.rounds),
        "join": lambda: join(given.sales, given.rounds),
        "tree": lambda: tree(given.tables, given.rounds),
        "page": lambda: measure_page(given.tables, given.rounds),
    }
    for name in given.only.split(","):
        report.add(name, parts[name]())


if __name__ == "__main__":
    main()
