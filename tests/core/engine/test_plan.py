"""Plans of real queries, as DuckDB explains them."""

from __future__ import annotations

import duckdb
import pytest

from core.engine.plan import PlanNode, plan
from core.errors import InvalidInput

JOIN = """
    select g, count(*) n from t join range(100) k(v) on v = i
    where s like 'x1%' group by g order by n desc limit 3
"""


@pytest.fixture(scope="module")
def con():
    with duckdb.connect() as con:
        con.execute("create table t as select i, i % 7 g, 'x' || i s from range(10000) r(i)")
        yield con


def explained(con, sql: str, *, analyze: bool) -> PlanNode:
    how = "analyze, format json" if analyze else "format json"
    return plan(con.execute(f"explain ({how}) {sql}").fetchall()[0][1])


def test_a_plan_has_estimates_and_no_measurements(con) -> None:
    root = explained(con, JOIN, analyze=False)
    nodes = [node for _, node in root.walk()]
    assert (root.name, root.seconds, root.details) == ("QUERY", None, ())
    assert all(node.rows is None and node.seconds is None and node.share is None for node in nodes)
    scan = next(node for node in nodes if node.name == "SEQ_SCAN")
    assert scan.estimated == 2000
    assert dict(scan.details)["Table"] == "memory.main.t"
    assert dict(scan.details)["Projections"] == "i, g"
    assert "Estimated Cardinality" not in dict(scan.details)


def test_an_analyzed_plan_has_rows_times_and_shares(con) -> None:
    root = explained(con, JOIN, analyze=True)
    operators = [node for depth, node in root.walk() if depth]
    assert root.seconds is not None
    assert root.seconds > 0
    assert "Rows scanned" in dict(root.details)
    assert root.children[0].name == "TOP_N"  # not the node that measures
    assert root.children[0].rows == 3
    assert sum(node.share or 0 for node in operators) == pytest.approx(1)
    scan = next(node for node in operators if node.name == "SEQ_SCAN")
    assert scan.rows == 11
    assert dict(scan.details)["Rows scanned"] == "7952"


def test_a_join_has_two_children_in_order(con) -> None:
    root = explained(con, JOIN, analyze=True)
    join = next(node for _, node in root.walk() if node.name == "HASH_JOIN")
    assert [child.name for child in join.children] == ["SEQ_SCAN", "RANGE"]
    depths = {node.name: depth for depth, node in root.walk()}
    assert depths["SEQ_SCAN"] == depths["HASH_JOIN"] + 1


@pytest.mark.parametrize("analyze", [False, True])
@pytest.mark.parametrize(
    "sql",
    [
        "select 1",
        "from query_table('t') where false",
        "with recursive r as (select 1 a union all select a + 1 from r where a < 9) from r",
        "create temp table z as select 1",
        "select 1 union all select 2 union all from range(3)",
        "select unnest([1, 2]), row_number() over ()",
    ],
)
def test_each_kind_of_statement_has_a_plan(con, sql: str, analyze: bool) -> None:
    assert len(list(explained(con, sql, analyze=analyze).walk())) > 1


def test_a_deep_plan_is_read(con) -> None:
    sql = " union all ".join(f"(select count(*) from range({n}))" for n in range(100))
    nodes = list(explained(con, sql, analyze=False).walk())
    assert sum(node.name == "RANGE" for _, node in nodes) >= 99


def test_a_decoded_plan_is_taken_as_well() -> None:
    root = plan([{"name": "DUMMY_SCAN ", "children": [], "extra_info": {"A": {"b": ["c", "d"]}}}])
    assert root.children == (PlanNode("DUMMY_SCAN", details=(("A", "b: c, d"),)),)


@pytest.mark.parametrize("text", ["", "[]", "{}", "1", "null", "[1]", '{"children": [3]}', "{"])
def test_what_is_no_plan_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match="no plan"):
        plan(text)
