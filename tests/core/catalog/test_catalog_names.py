"""Names in SQL lead to the tables that the engine would find."""

from __future__ import annotations

import pytest

from core.catalog.models import catalogs
from core.catalog.names import Names
from core.engine.references import TableName

TABLES = [
    ("workspace", "main", "ponds"),
    ("files", "main", "ponds"),
    ("files", "main", "weather"),
    ("workspace", "s", "deep"),
    ("shop", "main", "orders"),
    ("shop", "s", "deep"),
    ("pg", "public", "users"),
    ("pg", "public", "Odd.Name"),
    ("pg", "other", "twice"),
    ("pg", "public", "twice"),
    ("pg", "public", "A"),
    ("pg", "public", "a"),
]
NAMES = Names(
    catalogs(
        {"catalog": catalog, "schema": schema, "table": table, "kind": "table", "rows": None}
        | {"column": "x", "type": "INTEGER"}
        for catalog, schema, table in TABLES
    )
)


@pytest.mark.parametrize(
    ("written", "home", "expected"),
    [
        # the workspace stands before the files on the search path
        ("ponds", None, "workspace.main.ponds"),
        ("weather", None, "files.main.weather"),
        # no case
        ("WEATHER", None, "files.main.weather"),
        # a schema of the workspace, not the catalog's
        ("s.deep", None, "workspace.s.deep"),
        ("main.weather", None, "files.main.weather"),
        # a catalog, with the schema that it begins with
        ("shop.orders", None, "shop.main.orders"),
        ("pg.users", None, "pg.public.users"),
        # ... where only the engine knows which
        ("pg.twice", None, None),
        # in full
        ("shop.s.deep", None, "shop.s.deep"),
        ("Pg.Public.Odd|Name", None, "pg.public.Odd.Name"),
        # not what is elsewhere
        ("orders", None, None),
        ("s.nothing", None, None),
        # two that differ in case only
        ("pg.public.A", None, "pg.public.A"),
        ("pg.public.a", None, "pg.public.a"),
        # a view looks in its own schema first
        ("deep", ("shop", "s"), "shop.s.deep"),
        ("orders", ("shop", "main"), "shop.main.orders"),
        ("s.deep", ("shop", "main"), "shop.s.deep"),
        ("ponds", ("shop", "main"), "workspace.main.ponds"),
    ],
)
def test_a_name_means_the_table_that_the_engine_finds(written, home, expected):
    parts = [part.replace("|", ".") for part in written.split(".")]
    name = TableName(*["", "", *parts][-3:])
    found = NAMES.find(name, home)
    assert (found and ".".join(found.key)) == expected


@pytest.mark.parametrize(
    ("source", "written", "expected"),
    [
        ("pg", "users", "pg.public.users"),
        ("PG", "public.users", "pg.public.users"),
        ("pg", "A", "pg.public.A"),
        # which of two, only the source's own search path tells
        ("pg", "twice", None),
        ("pg", "other.twice", "pg.other.twice"),
        # its engine knows nothing of what is elsewhere
        ("pg", "ponds", None),
        ("pg", "shop.orders", None),
    ],
)
def test_a_name_in_a_sources_own_sql_means_a_table_of_that_source(source, written, expected):
    name = TableName(*["", "", *written.split(".")][-3:])
    found = NAMES.find_at(source, name)
    assert (found and ".".join(found.key)) == expected
