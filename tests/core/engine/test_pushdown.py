"""What a plan tells of the work that sources do themselves."""

from __future__ import annotations

import pytest

from core.engine.plan import PlanNode
from core.engine.pushdown import Pushed, pushed


def scan(name: str = "POSTGRES_SCAN", **details: str) -> PlanNode:
    return PlanNode(name, tuple(details.items()))


def query(*children: PlanNode, name: str = "QUERY") -> PlanNode:
    return PlanNode(name, children=children)


ITEMS = {"Table": "items", "Projections": "id, name", "Filters": "id>=3"}


def test_a_servers_table_is_asked_for_columns_and_rows_by_its_name_in_the_query():
    sql = "SELECT name FROM pg.public.items WHERE id >= 3 AND lower(name) = 'x'"
    assert pushed(query(query(scan(**ITEMS), name="FILTER")), sql) == (
        Pushed("PostgreSQL", "pg.public.items", "id, name", "id>=3"),
    )


def test_of_two_tables_of_one_name_only_that_is_known():
    sql = "SELECT * FROM pg.items JOIN shop.items USING (id)"
    found = pushed(query(scan(Table="items"), scan("MYSQL_SCAN", Table="items")), sql)
    assert [(each.reader, each.table) for each in found] == [
        ("PostgreSQL", "items"),
        ("MySQL", "items"),
    ]


@pytest.mark.parametrize(
    ("sql", "steps", "limited"),
    [
        ("FROM pg.items LIMIT 5", (), True),
        ("FROM pg.items LIMIT $n", (), True),
        # counted here
        ("FROM pg.items LIMIT 5", ("STREAMING_LIMIT",), False),
        ("FROM pg.items ORDER BY id LIMIT 5", ("TOP_N",), False),
        ("FROM pg.items", (), False),
        ("SELECT limit FROM pg.items", (), False),
    ],
)
def test_a_limit_that_no_step_counts_is_the_sources(sql, steps, limited):
    plan = scan(**ITEMS)
    for step in steps:
        plan = query(plan, name=step)
    (asked,) = pushed(query(plan), sql)
    assert asked.limited is limited


def test_a_file_has_no_limit_of_its_own_and_own_tables_are_not_asked():
    plan = query(scan("READ_PARQUET", Projections="a"))
    assert pushed(plan, "SELECT a FROM flights LIMIT 3") == (Pushed("Parquet", "", "a", ""),)
    assert pushed(query(scan("SEQ_SCAN", Table="own")), "FROM own") == ()
