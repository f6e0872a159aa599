"""The op `structures`: tables in full, as the real engine tells it."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing

import pytest

from core.engine.engine import Attachment, Engine
from core.engine.session import Session
from core.errors import NotFound
from core.structure import Constraint, Index, Structure, StructuredColumn, Target

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


def described(engine: Engine, name: str, schema: str = "main") -> Structure:
    answer = engine.call("structures", catalog="workspace", schema=schema, name=name)
    (told,) = json.loads(answer.body)
    return Structure.from_json(told)


def test_columns_come_with_default_null_comment_and_keys(engine):
    ponds, depths = described(engine, "ponds"), described(engine, "depths")
    assert ponds.columns == (
        StructuredColumn("id", "INTEGER", False, "", ""),
        StructuredColumn("name", "VARCHAR", False, "'new'", ""),
    )
    assert depths.columns[1] == StructuredColumn(
        "metres", "DECIMAL(5,2)", True, "", "at the deepest place"
    )
    assert (ponds.keys("id"), ponds.keys("name")) == (("PRIMARY KEY",), ("UNIQUE",))
    assert (depths.keys("pond"), depths.keys("metres")) == (("FOREIGN KEY",), ())


def test_a_table_comes_with_comment_constraints_indexes_and_its_sql(engine):
    depths = described(engine, "depths")
    assert depths.comment == "Measured by hand"
    assert depths.sql.startswith("CREATE TABLE depths(")
    assert depths.constraints == (
        Constraint(
            "FOREIGN KEY",
            ("pond",),
            "FOREIGN KEY (pond) REFERENCES ponds(id)",
            Target("main", "ponds", ("id",)),
            "depths_pond_id_fkey",
        ),
        Constraint("CHECK", ("metres",), "CHECK((metres > 0))", name="depths_metres_check"),
    )
    assert depths.indexes == (
        Index("depths_by_day", False, 'CREATE INDEX depths_by_day ON depths("day");', ("day",)),
    )


def test_a_view_comes_with_the_query_that_it_is(engine):
    deep = described(engine, "deep")
    assert "SELECT * FROM depths" in deep.sql
    assert [column.name for column in deep.columns] == ["pond", "metres", "day"]
    assert (deep.constraints, deep.indexes) == ((), ())


def test_odd_names_are_found_as_they_are(engine):
    odd = described(engine, "🦆 pond", schema='o.d"d')
    assert [column.name for column in odd.columns] == ['a "b".c']


def test_a_whole_catalog_or_a_schema_is_told_at_once(engine):
    def names(schema):
        answer = engine.call("structures", catalog="workspace", schema=schema, name=None)
        return [(each["schema"], each["name"], each["kind"]) for each in json.loads(answer.body)]

    main = [("main", "deep", "view"), ("main", "depths", "table"), ("main", "ponds", "table")]
    odd = [('o.d"d', "🦆 pond", "table")]
    assert (names(None), names("main"), names('o.d"d')) == (main + odd, main, odd)
    assert names("nowhere") == []


def test_what_a_connector_tells_gets_the_types_that_the_engine_sees(make_engine, tmp_path):
    path = tmp_path / "home" / "start" / "shop.db"
    path.parent.mkdir(parents=True)
    with closing(sqlite3.connect(path)) as db:
        db.execute("CREATE TABLE t (id INT8 PRIMARY KEY, price DECIMAL(9, 2), twice AS (id * 2))")
    shop = Attachment("shop", "sqlite", {"path": str(path)})
    engine = make_engine(attachments=lambda: [shop])
    for name in ("t", None):
        answer = engine.call("structures", catalog="shop", schema=None, name=name)
        (told,) = json.loads(answer.body)
        columns = Structure.from_json(told).columns
        assert [(each.declared, each.type) for each in columns] == [
            ("INT8", "BIGINT"),
            ("DECIMAL(9, 2)", "DOUBLE"),
            ("GENERATED virtual", ""),  # the engine does not see it
        ]


@pytest.mark.parametrize("name", ["PONDS'; --", "pond", ""])
def test_a_table_that_is_not_there_is_said(engine, name):
    with pytest.raises(NotFound, match="no table"):
        described(engine, name)


def test_a_macro_named_like_the_engines_own_function_does_not_answer(engine):
    Session(engine, "test").run("CREATE MACRO duckdb_columns() AS TABLE SELECT 1 AS one")
    assert len(described(engine, "ponds").columns) == 2
