"""Schemas for tests: made by SQL in a real DuckDB, and told as the engine's worker tells them."""

from __future__ import annotations

import duckdb

from core.catalog.alters import alters
from core.catalog.compare import compare
from core.catalog.differences import Comparison, Side
from core.engine.worker.structures import _own
from core.structure import Structure


def side(con: duckdb.DuckDBPyConnection, catalog: str, schema: str = "main") -> Side:
    told = _own(con, {"catalog": catalog, "schema": schema, "name": None})
    structures = tuple(Structure.from_json(each) for each in told)
    return Side(f"{catalog}.{schema}", catalog, schema, "duckdb", structures)


def opened(left: str, right: str) -> duckdb.DuckDBPyConnection:
    """Make two catalogs by SQL, `old` and `new`."""
    con = duckdb.connect()
    for name, sql in (("old", left), ("new", right)):
        con.execute(f"ATTACH ':memory:' AS {name}; USE {name}; {sql}")
    return con


def compared(left: str, right: str) -> Comparison:
    with opened(left, right) as con:
        return compare(side(con, "old"), side(con, "new"))


def altered(left: str, right: str) -> tuple[str, Comparison]:
    """Run the statements that turn left into right; return them, and what differs after that."""
    with opened(left, right) as con:
        sql = alters(compare(side(con, "old"), side(con, "new")), "duckdb")
        con.execute(sql)
        return sql, compare(side(con, "old"), side(con, "new"))
