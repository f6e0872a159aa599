"""The columns that SQL reads of one table: told where they can be, and never half."""

from __future__ import annotations

import pytest

from core.engine.columns import columns_read

TABLES = {
    "flights": ("carrier", "dep_delay", "origin"),
    "airlines": ("carrier", "name"),
    "odd name": ("A b", "c.d"),
}
ALL = {"carrier", "dep_delay", "origin"}


def read(sql: str, table: str = "flights") -> set[str] | None:
    def find(name):
        key = name.name.lower()
        return (key, TABLES[key]) if key in TABLES else None

    found = columns_read(sql, table, find)
    return None if found is None else set(found)


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("SELECT carrier FROM flights", {"carrier"}),
        # every column
        ("SELECT * FROM flights", ALL),
        ("FROM flights", ALL),
        ("SELECT * EXCLUDE (origin) FROM flights", {"carrier", "dep_delay"}),
        # none by name
        ("SELECT count(*) FROM flights", set()),
        # no case
        ("select F.ORIGIN from Flights f", {"origin"}),
        # a column of another table of the query
        ("SELECT name FROM flights f JOIN airlines a ON f.carrier = a.carrier", {"carrier"}),
        ("SELECT origin, name FROM flights JOIN airlines USING (carrier)", {"origin", "carrier"}),
        # what is filtered, grouped, sorted and windowed by
        (
            "SELECT count(*) FROM flights WHERE dep_delay > 1 GROUP BY origin",
            {"dep_delay", "origin"},
        ),
        ("SELECT sum(1) OVER (PARTITION BY origin) FROM flights", {"origin"}),
        ("SELECT origin AS o FROM flights ORDER BY o", {"origin"}),
        # through a common table expression, and one that hides the table
        ("WITH c AS (SELECT carrier FROM flights) SELECT * FROM c", {"carrier"}),
        ("WITH flights AS (SELECT 1 AS x) SELECT x FROM flights", set()),
        # in a query inside
        (
            "SELECT 1 FROM airlines WHERE name IN "
            "(SELECT carrier FROM flights WHERE origin = airlines.name)",
            {"carrier", "origin"},
        ),
        (
            "SELECT 1 FROM flights WHERE 1 = (SELECT 2 FROM airlines WHERE name = origin)",
            {"origin"},
        ),
        # several statements
        (
            "SELECT origin FROM flights; SELECT carrier FROM files.main.flights",
            {"origin", "carrier"},
        ),
        ("SELECT origin FROM flights UNION ALL SELECT name FROM airlines", {"origin"}),
        # what is made or filled by a query
        ("CREATE VIEW v AS SELECT origin FROM flights", {"origin"}),
        ("INSERT INTO airlines SELECT carrier, origin FROM flights", {"carrier", "origin"}),
        # parameters
        ("SELECT origin FROM flights WHERE dep_delay > $least AND carrier = ?", ALL),
    ],
)
def test_columns_are_told_that_a_text_reads(sql, expected):
    assert read(sql) == expected


def test_names_in_quotes_are_told_as_the_table_has_them():
    assert read('SELECT "a B", t."C.D" FROM "Odd Name" AS t', "odd name") == {"A b", "c.d"}


@pytest.mark.parametrize(
    "sql",
    [
        # a pattern of names
        "SELECT COLUMNS('d.*') FROM flights",
        # a whole row
        "SELECT flights FROM flights",
        # a column that there is not, as after a change of the table
        "SELECT gone FROM flights",
        # a table that nobody knows, which may have it
        "SELECT origin, depth FROM flights, unknown",
        # what is no query
        "UPDATE flights SET origin = 'x'",
        "SUMMARIZE flights",
        "PIVOT flights ON carrier",
        # broken
        "SELECT origin FROM flights WHERE (",
        "SELECT (" * 3000 + "FROM flights",
        "\x00",
    ],
)
def test_nothing_is_told_where_it_cannot_be_told(sql):
    assert read(sql) is None
