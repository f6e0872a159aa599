"""The op `describe`: one table in full, as the real engine tells it."""

from __future__ import annotations

import json

import pytest

from core.engine.description import Constraint, DescribedColumn, Description, Index, description
from core.engine.engine import Engine
from core.engine.session import Session
from core.errors import NotFound

PONDS = """
CREATE TABLE ponds (id INTEGER PRIMARY KEY, name VARCHAR NOT NULL DEFAULT 'new' UNIQUE);
CREATE TABLE depths (
    pond INTEGER REFERENCES ponds (id), metres DECIMAL(5, 2) CHECK (metres > 0), day DATE
);
CREATE INDEX depths_by_day ON depths (day);
COMMENT ON TABLE depths IS 'Measured by hand';
COMMENT ON COLUMN depths.metres IS 'at the deepest place';
CREATE VIEW deep AS SELECT * FROM depths WHERE metres > 3;
CREATE SCHEMA "o.d""d";
CREATE TABLE "o.d""d"."🦆 pond" ("a ""b"".c" INTEGER);
"""


@pytest.fixture
def engine(make_engine) -> Engine:
    engine = make_engine()
    Session(engine, "test").run(PONDS)
    return engine


def described(engine: Engine, name: str, schema: str = "main") -> Description:
    answer = engine.call("describe", catalog="workspace", schema=schema, name=name)
    return description(json.loads(answer.body))


def test_columns_come_with_default_null_comment_and_keys(engine):
    ponds, depths = described(engine, "ponds"), described(engine, "depths")
    assert ponds.columns == (
        DescribedColumn("id", "INTEGER", False, "", ""),
        DescribedColumn("name", "VARCHAR", False, "'new'", ""),
    )
    assert depths.columns[1] == DescribedColumn(
        "metres", "DECIMAL(5,2)", True, "", "at the deepest place"
    )
    assert (ponds.keys("id"), ponds.keys("name")) == (("PRIMARY KEY",), ("UNIQUE",))
    assert (depths.keys("pond"), depths.keys("metres")) == (("FOREIGN KEY",), ())


def test_a_table_comes_with_comment_constraints_indexes_and_its_sql(engine):
    depths = described(engine, "depths")
    assert depths.comment == "Measured by hand"
    assert depths.sql.startswith("CREATE TABLE depths(")
    assert depths.constraints == (
        Constraint("FOREIGN KEY", ("pond",), "FOREIGN KEY (pond) REFERENCES ponds(id)"),
        Constraint("CHECK", ("metres",), "CHECK((metres > 0))"),
    )
    assert depths.indexes == (
        Index("depths_by_day", False, 'CREATE INDEX depths_by_day ON depths("day");'),
    )


def test_a_view_comes_with_the_query_that_it_is(engine):
    deep = described(engine, "deep")
    assert "SELECT * FROM depths" in deep.sql
    assert [column.name for column in deep.columns] == ["pond", "metres", "day"]
    assert (deep.constraints, deep.indexes) == ((), ())


def test_odd_names_are_found_as_they_are(engine):
    odd = described(engine, "🦆 pond", schema='o.d"d')
    assert [column.name for column in odd.columns] == ['a "b".c']


@pytest.mark.parametrize("name", ["PONDS'; --", "pond", ""])
def test_a_table_that_is_not_there_is_said(engine, name):
    with pytest.raises(NotFound, match="no table"):
        described(engine, name)


def test_a_macro_named_like_the_engines_own_function_does_not_answer(engine):
    Session(engine, "test").run("CREATE MACRO duckdb_columns() AS TABLE SELECT 1 AS one")
    assert len(described(engine, "ponds").columns) == 2
