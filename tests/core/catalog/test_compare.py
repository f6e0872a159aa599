"""What differs between two schemas: a table of named cases, of schemas that a real DuckDB tells."""

from __future__ import annotations

from dataclasses import replace

import duckdb
import pytest

from core.catalog.compare import compare
from core.catalog.differences import Comparison, Side
from core.structure import Constraint, Index, Structure, StructuredColumn, Target
from tests.core.catalog.declared import compared, side


def told(comparison: Comparison) -> dict[str, object]:
    """Return each change as its state, or in the words for what changed."""
    return {each.name: each.told() or each.state for each in comparison.changes}


CASES = {
    "no tables": ("", "", {}),
    "the same": ("CREATE TABLE t (a INT)", "CREATE TABLE t (a INT)", {}),
    "added and removed": (
        "CREATE TABLE a (x INT)",
        "CREATE TABLE b (y INT)",
        {"a": "removed", "b": "added"},
    ),
    "a column more": (
        "CREATE TABLE t (a INT)",
        "CREATE TABLE t (a INT, b INT)",
        {"t": ["1 column"]},
    ),
    "a column's type": ("CREATE TABLE t (a INT)", "CREATE TABLE t (a BIGINT)", {"t": ["1 column"]}),
    "a column's null": (
        "CREATE TABLE t (a INT)",
        "CREATE TABLE t (a INT NOT NULL)",
        {"t": ["1 column"]},
    ),
    "a column's default": (
        "CREATE TABLE t (a INT)",
        "CREATE TABLE t (a INT DEFAULT 1)",
        {"t": ["1 column"]},
    ),
    "a column's comment": (
        "CREATE TABLE t (a INT)",
        "CREATE TABLE t (a INT); COMMENT ON COLUMN t.a IS 'x'",
        {"t": ["1 column"]},
    ),
    "a table's comment": (
        "CREATE TABLE t (a INT)",
        "CREATE TABLE t (a INT); COMMENT ON TABLE t IS 'x'",
        {"t": ["comment"]},
    ),
    "the order of columns": ("CREATE TABLE t (a INT, b INT)", "CREATE TABLE t (b INT, a INT)", {}),
    "rows": ("CREATE TABLE t AS SELECT 1 AS a", "CREATE TABLE t (a INT)", {}),
    "capitals": (
        'CREATE TABLE "T" ("A" INT)',
        "CREATE TABLE t (a INT)",
        {"t": ["name", "1 column"]},
    ),
    "a primary key": (
        "CREATE TABLE t (a INT NOT NULL)",
        "CREATE TABLE t (a INT PRIMARY KEY)",
        {"t": ["1 key"]},
    ),
    "another primary key is one change": (
        "CREATE TABLE t (a INT PRIMARY KEY, b INT NOT NULL)",
        "CREATE TABLE t (a INT NOT NULL, b INT PRIMARY KEY)",
        {"t": ["1 key"]},
    ),
    "a rule": (
        "CREATE TABLE t (a INT CHECK (a > 0))",
        "CREATE TABLE t (a INT CHECK (a > 1))",
        {"t": ["2 keys"]},
    ),
    "a foreign key": (
        "CREATE TABLE p (a INT PRIMARY KEY); CREATE TABLE t (a INT)",
        "CREATE TABLE p (a INT PRIMARY KEY); CREATE TABLE t (a INT REFERENCES p (a))",
        {"t": ["1 key"]},
    ),
    "an index": (
        "CREATE TABLE t (a INT); CREATE INDEX i ON t (a)",
        "CREATE TABLE t (a INT); CREATE UNIQUE INDEX i ON t (a)",
        {"t": ["1 index"]},
    ),
    "a view's SQL": (
        "CREATE VIEW v AS SELECT 1 AS a",
        "CREATE VIEW v AS SELECT 2 AS a",
        {"v": ["definition"]},
    ),
    "a view's spelling": (
        "CREATE TABLE t (a INT); CREATE VIEW v AS SELECT a FROM t WHERE a=1",
        "CREATE TABLE t (a INT); create view v as /* the one */ select A from main.T where (a = 1)",
        {},
    ),
    "a view's names of columns": (
        "CREATE VIEW v (a) AS SELECT 1",
        "CREATE VIEW v (b) AS SELECT 1",
        {"v": ["definition"]},
    ),
    "a view is a table": (
        "CREATE VIEW v AS SELECT 1 AS a",
        "CREATE TABLE v (a INT)",
        {"v": ["view now a table"]},
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_a_comparison_tells_what_differs(name):
    left, right, expected = CASES[name]
    assert told(compared(left, right)) == expected
    assert compared(right, left).equal is not bool(expected)


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE TABLE {0}t (a INT PRIMARY KEY); CREATE TABLE {0}c (a INT REFERENCES {0}t (a))",
        "CREATE TABLE {0}t (a INT); CREATE INDEX i ON {0}t (lower(a::VARCHAR))",
        "CREATE TABLE {0}t (a INT); CREATE VIEW {0}v AS SELECT x.a FROM {0}t AS x",
    ],
)
def test_schemas_of_other_names_are_equal_where_all_else_is(sql):
    with duckdb.connect() as con:
        for schema in ("one", '"2. ""🦆"'):
            con.execute(f"CREATE SCHEMA {schema}; USE {schema}; {sql.format(schema + '.')}")
        assert compare(side(con, "memory", "one"), side(con, "memory", '2. "🦆')).equal


def test_a_line_sums_it_up():
    comparison = compared(
        "CREATE TABLE a (x INT); CREATE TABLE b (x INT); CREATE TABLE s (x INT)",
        "CREATE TABLE b (y INT); CREATE TABLE s (x INT); CREATE TABLE c (z INT); "
        "CREATE TABLE d (z INT)",
    )
    assert comparison.summary() == "2 added, 1 removed, 1 changed, 1 the same"


def test_tables_with_columns_in_another_order_are_named_though_they_count_as_equal():
    assert compared(
        "CREATE TABLE t (a INT, b INT); CREATE TABLE s (a INT)",
        "CREATE TABLE t (b INT, c INT, a INT); CREATE TABLE s (b INT, a INT)",
    ).reordered == ("t",)


RENAMES = {
    "a table of the same columns": (
        "CREATE TABLE a (x INT, y INT)",
        "CREATE TABLE b (x INT, y INT)",
        [("a", "b")],
    ),
    "a table of most columns": (
        "CREATE TABLE a (x INT, y INT, z INT)",
        "CREATE TABLE b (x INT, y INT, z INT, w INT)",
        [("a", "b")],
    ),
    "a table of other columns": (
        "CREATE TABLE a (x INT, y INT)",
        "CREATE TABLE b (x INT, z VARCHAR)",
        [],
    ),
    "the name that is closer, of two": (
        "CREATE TABLE orders (x INT)",
        "CREATE TABLE zzz (x INT); CREATE TABLE order_s (x INT)",
        [("orders", "order_s")],
    ),
    "a view is no table": ("CREATE TABLE a (x INT)", "CREATE VIEW b AS SELECT 1::INT AS x", []),
    "a column": (
        "CREATE TABLE t (a INT, colour INT)",
        "CREATE TABLE t (a INT, color INT)",
        [("colour", "color")],
    ),
    "a column of another type": (
        "CREATE TABLE t (a INT, colour INT)",
        "CREATE TABLE t (a INT, color DATE)",
        [],
    ),
}


@pytest.mark.parametrize("name", RENAMES)
def test_renames_are_suggested(name):
    left, right, expected = RENAMES[name]
    comparison = compared(left, right)
    found = [
        *comparison.renames,
        *(each for change in comparison.changes for each in change.renames),
    ]
    assert [(each.left, each.right) for each in found] == expected


def of(connector: str, *tables: Structure) -> Side:
    return Side(connector, "x", "main", connector, tables)


POSTGRES = Structure(
    "public",
    "t",
    columns=(
        StructuredColumn("id", "INTEGER", nullable=False, declared="integer"),
        StructuredColumn("name", "VARCHAR", default="'new'::character varying", declared="text"),
    ),
    constraints=(Constraint("PRIMARY KEY", ("id",), "PRIMARY KEY (id)", name="t_pkey"),),
)
SQLITE = Structure(
    "main",
    "t",
    columns=(
        StructuredColumn("id", "INTEGER", nullable=True, declared="INTEGER"),
        StructuredColumn("name", "VARCHAR", default="'new'", declared="TEXT"),
    ),
    constraints=(Constraint("PRIMARY KEY", ("id",), "PRIMARY KEY(id)"),),
)


def test_two_kinds_of_sources_are_compared_by_what_the_engine_sees():
    left, right = of("postgres", POSTGRES), of("sqlite", SQLITE)
    assert compare(replace(left, schema="public"), right).equal


def test_one_kind_of_source_is_compared_by_what_it_declares():
    longer = replace(POSTGRES.columns[1], declared="character varying(20)")
    other = replace(POSTGRES, columns=(POSTGRES.columns[0], longer))
    assert told(compare(of("postgres", POSTGRES), of("supabase", other))) == {"t": ["1 column"]}


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("FOREIGN KEY (a) REFERENCES public.p(id)", {}),  # the same in words of its own
        ("FOREIGN KEY (a) REFERENCES p (id) ON DELETE NO ACTION", {}),  # what is so anyway
        ("FOREIGN KEY (a) REFERENCES p (id) ON DELETE CASCADE", {"t": ["2 keys"]}),
    ],
)
def test_a_foreign_key_is_compared_with_what_it_does_on_a_delete(sql, expected):
    def table(sql: str) -> Structure:
        key = Constraint("FOREIGN KEY", ("a",), sql, Target("public", "p", ("id",)))
        return Structure("public", "t", constraints=(key,))

    plain = table("FOREIGN KEY (a) REFERENCES p(id)")
    assert told(compare(of("postgres", plain), of("postgres", table(sql)))) == expected


def test_names_that_differ_in_capitals_alone_stay_two_where_both_are_there():
    column = (StructuredColumn("a", "INTEGER"),)
    both = of("postgres", Structure("p", "T", columns=column), Structure("p", "t", columns=column))
    one = of("postgres", Structure("p", "t", columns=column))
    assert told(compare(both, one)) == {"T": "removed"}
    assert told(compare(one, both)) == {"T": "added"}


def test_an_index_of_another_kind_of_source_is_compared_by_its_columns():
    def table(sql: str) -> Structure:
        return Structure("main", "t", indexes=(Index("i", False, sql, ("a", "b")),))

    left = of("postgres", table("CREATE INDEX i ON main.t USING btree (a, b)"))
    assert compare(left, of("sqlite", table("CREATE INDEX i ON t (a, b)"))).equal


def test_sql_that_cannot_be_read_is_compared_by_its_words():
    def view(sql: str) -> Structure:
        return Structure("main", "v", "view", sql=sql)

    left = of("duckdb", view("CREATE VIEW v AS SELECT ((("))
    assert compare(left, of("duckdb", view("CREATE  VIEW v AS\nSELECT ((("))).equal
    assert not compare(left, of("duckdb", view("CREATE VIEW v AS SELECT (("))).equal
