"""What a statement refers to, as a table of named cases."""

from __future__ import annotations

import subprocess
import sys

import duckdb
import pytest

from core.engine.references import TableName, references, statement_kind

# name: (sql, {field: what it must be}); a field that is not named must be empty.
CASES = {
    "plain": ("select * from t", {"reads": "t"}),
    "from first": ("from t", {"reads": "t"}),
    "from first, select": ("from s.t select a", {"reads": "s.t"}),
    "three parts": ("from c.s.t", {"reads": "c.s.t"}),
    "quoted": ('from "My ""T"".x"', {"reads": 'My "T".x'}),
    "comma and join": ("from a, b join c using (k) natural join d", {"reads": "a b c d"}),
    "asof": ("from a asof join b on a.t >= b.t", {"reads": "a b"}),
    "positional": ("from a positional join b", {"reads": "a b"}),
    "semi": ("from a semi join b using (k)", {"reads": "a b"}),
    "lateral": ("from a, lateral (from b where b.x = a.x)", {"reads": "a b"}),
    "join lateral": ("from a join lateral (from b) on true", {"reads": "a b"}),
    "qualify": (
        "from t qualify row_number() over () = 1",
        {"reads": "t", "functions": "row_number"},
    ),
    "sample": ("from t using sample 10%", {"reads": "t"}),
    "time travel": ("from t at (version => 3)", {"reads": "t"}),
    "prefix alias": ("from x: t select b: a", {"reads": "t"}),
    "table statement": ("table t", {"reads": "t"}),
    "values": ("values (1), (2)", {}),
    "pipe": ("from t |> select a", {"reads": "t"}),
    "scalar subquery": (
        "select (select max(a) from u) from t",
        {"reads": "t u", "functions": "max"},
    ),
    "in subquery": ("from t where x in (from u)", {"reads": "t u"}),
    "exists": ("select exists (from u)", {"reads": "u", "functions": "exists"}),
    "union": ("(from a) union all (from b)", {"reads": "a b"}),
    "column is no table": ("select t, a.b.c from t", {"reads": "t"}),
    "cte": ("with a as (from t) from a", {"reads": "t"}),
    "cte shadows": ("with t as (from u) from t", {"reads": "u"}),
    "cte of its own name": ("with t as (from t) from t", {"reads": "t"}),
    "cte does not shadow a schema": ("with t as (select 1) from t, s.t", {"reads": "s.t"}),
    "cte is not seen before": ("with a as (from b), b as (select 1) from a", {"reads": "b"}),
    "cte of another case": ("with A as (from t) from a", {"reads": "t"}),
    "inner cte ends": ("with a as (with b as (from x) from b) from a, b", {"reads": "b x"}),
    "cte in a union": ("select 1 union (with q as (from a) from q) union from q", {"reads": "a q"}),
    "recursive": (
        "with recursive r as (select 1 a union all select a + 1 from r, t) from r",
        {"reads": "t"},
    ),
    "using key": ("with recursive r using key (a) as (select 1 a union from r) from r", {}),
    "pivot": ("pivot t on y using sum(p)", {"reads": "t", "functions": "sum"}),
    "pivot in from": ("from (pivot t on y using sum(p))", {"reads": "t", "functions": "sum"}),
    "unpivot": ("unpivot t on a, b into name n value v", {"reads": "t"}),
    "unpivot in from": ("from t unpivot (v for n in (a, b))", {"reads": "t"}),
    "file": (
        "from 'a/*.parquet' x join 's3://b/y.csv' y using (k)",
        {"files": "a/*.parquet s3://b/y.csv"},
    ),
    "reader": ("from read_csv('x.csv')", {"files": "x.csv", "functions": "read_csv"}),
    "reader of a list": (
        "from read_parquet(['a', 'b'], union_by_name = true)",
        {"files": "a b", "functions": "read_parquet"},
    ),
    "scanner": ("from sqlite_scan('a.db', 't')", {"files": "a.db", "functions": "sqlite_scan"}),
    "range": ("from range(10) r(i)", {"functions": "range"}),
    "macro calls": ("select m(a), s.f(b) from tm(3)", {"functions": "f m tm"}),
    "method call": ("select a.upper() from t", {"reads": "t", "functions": "upper"}),
    "lambda": (
        "select list_transform(l, lambda x: x + 1) from t",
        {"reads": "t", "functions": "list_transform"},
    ),
    "operators are no functions": (
        "select a and [1] = [2], case when a then b end from t",
        {"reads": "t"},
    ),
    "getenv": ("select getenv('HOME')", {"functions": "getenv"}),
    "query_table": ("from query_table('x')", {"functions": "query_table", "dynamic": True}),
    "query": ("from query('from y')", {"functions": "query", "dynamic": True}),
    "summarize": ("summarize t", {"reads": "t"}),
    "summarize a query": ("summarize from t", {"reads": "t"}),
    "describe": ("describe t", {"reads": "t"}),
    "describe in from": ("from (describe t)", {"reads": "t"}),
    "show a table": ("show t", {"reads": "t"}),
    "show tables": ("from (show tables)", {}),
    "explain": ("explain from t", {"reads": "t"}),
    "explain analyze, format": ("EXPLAIN (ANALYZE, FORMAT json) from t", {"reads": "t"}),
    "explain of a write": ("explain insert into t from s", {"reads": "s t"}),
    "explain analyze of a write": (
        "explain analyze insert into t from s",
        {"reads": "s", "writes": "t", "kind": "write"},
    ),
    "create as": ("create or replace temp table z as from t", {"reads": "t", "writes": "z"}),
    "create": ("create table a.b.c (x int references d (y))", {"reads": "d", "writes": "a.b.c"}),
    "create like": ("create table if not exists u (like t)", {"reads": "t", "writes": "u"}),
    "view": ("create view v as with c as (from t) from c", {"reads": "t", "writes": "v"}),
    "view of a pivot": (
        "create view v as pivot t on a using sum(b)",
        {"reads": "t", "writes": "v", "functions": "sum"},
    ),
    "index": ("create index i on s.t (a)", {"writes": "s.t"}),
    "schema": ("create schema s", {"kind": "write"}),
    "scalar macro": ("create macro f(a) as a + 1", {"macros": "f", "kind": "write"}),
    "table macro": (
        "create macro f(a) as table from t where x = a",
        {"macros": "f", "reads": "t", "kind": "write"},
    ),
    "drop": ("drop table if exists a, s.b", {"writes": "a s.b"}),
    "drop view": ("drop view v", {"writes": "v"}),
    "drop macro": ("drop macro f", {"macros": "f", "kind": "write"}),
    "alter": ("alter table t add column q int", {"writes": "t"}),
    "rename": ("alter table t rename to u", {"writes": "t u"}),
    "truncate": ("truncate t", {"writes": "t"}),
    "comment on": ("comment on table t is 'x'", {"writes": "t"}),
    "insert": ("insert into t values (1)", {"writes": "t"}),
    "insert by name": ("insert or replace into t by name from s", {"reads": "s", "writes": "t"}),
    "insert with a cte of its name": (
        "insert into t with t as (from s) from t",
        {"reads": "s", "writes": "t"},
    ),
    "cte before insert": ("with c as (from s) insert into t from c", {"reads": "s", "writes": "t"}),
    "update": ("update t set a = s.a from s where s.k = t.k", {"reads": "s", "writes": "t"}),
    "delete": ("delete from t using s where s.k = t.k", {"reads": "s", "writes": "t"}),
    "merge": (
        "merge into t using (from s) s on t.a = s.a when matched then update set b = s.b "
        "when not matched then insert values (s.a)",
        {"reads": "s", "writes": "t"},
    ),
    "copy to": ("copy t to 'o.csv'", {"reads": "t", "outputs": "o.csv", "kind": "write"}),
    "copy a query": (
        "copy (from t) to 'o' (format parquet)",
        {"reads": "t", "outputs": "o", "kind": "write"},
    ),
    "copy from": ("copy t from 'i.csv'", {"writes": "t", "files": "i.csv"}),
    "copy a database": ("copy from database a to b", {"dynamic": True, "kind": "write"}),
    "attach": ("attach 'x.db' as x (type sqlite)", {"files": "x.db", "kind": "other"}),
    "use": ("use a.b", {"kind": "other"}),
    "set": ("set threads = 2", {"kind": "other"}),
    "set variable": ("set variable x = (select a from t)", {"reads": "t", "kind": "other"}),
    "call": ("call f(1)", {"functions": "f", "kind": "other"}),
    "prepare": ("prepare p as from t where a = $1", {"reads": "t"}),
    "execute": ("execute p(1)", {"dynamic": True, "kind": "other"}),
    "begin": ("begin transaction", {"kind": "other"}),
    "many": ("create table b as from a; from b; ;", {"reads": "a b", "writes": "b"}),
    "read then set": ("from t; set x = 1", {"reads": "t", "kind": "other"}),
    "comments": ("-- from x\nfrom /* y /* z */ */ t", {"reads": "t"}),
    "text": ("select 'from x', $$ from y $$ from t", {"reads": "t"}),
    "slice of parameters": ("select l[$i:$j], a->>'$.x' from t", {"reads": "t"}),
    "cast of a parameter": ("select ?::int, $p.x from t where a in $l limit $n", {"reads": "t"}),
}


@pytest.mark.parametrize(("sql", "expected"), CASES.values(), ids=CASES.keys())
def test_a_statement_refers_to(sql: str, expected: dict[str, object]) -> None:
    found = references(sql)
    for name in ("reads", "writes", "functions", "macros", "files", "outputs"):
        text = {str(each) for each in getattr(found, name)}
        want = str(expected.get(name, ""))
        assert text == ({want} if '"' in want else set(want.split())), name
    assert found.dynamic is expected.get("dynamic", False)
    assert found.parsed
    assert found.kind == expected.get("kind", "write" if found.writes else "read")


# What the parser refuses is still skimmed, and says so.
UNPARSED = {
    "exclude after columns": (
        "select columns(*) exclude (a) from t join s.u using (k)",
        "t s.u",
        "",
    ),
    "half a statement": ("select a from t where", "t", ""),
    "cte": (
        "with c as (from t), d as materialized (from c) select columns(*) exclude (a) from c, d",
        "t",
        "",
    ),
    "comma": ("select a, from (((from t, u", "t u", ""),
    "enum": ("create type mood as enum (select x from t)", "t", ""),
    "operator": ("select a is distinct from b, extract(year from c) from t where", "t", ""),
    "into": ('insert into "a b".t (x) select columns(*) exclude (a) from t', "t", "a b.t"),
    "delete": ("delete from t where where", "", "t"),
    "create": (
        "create or replace table if not exists t as select columns(*) exclude (a) from u",
        "u",
        "t",
    ),
    "open string": ("from t where a = 'x", "t", ""),
}


@pytest.mark.parametrize(("sql", "reads", "writes"), UNPARSED.values(), ids=UNPARSED.keys())
def test_what_cannot_be_parsed_is_skimmed_and_flagged(sql: str, reads: str, writes: str) -> None:
    found = references(sql)
    assert not found.parsed
    assert {str(each) for each in found.reads} == set(reads.split())
    assert {str(each) for each in found.writes} == ({writes} if writes else set())


@pytest.mark.parametrize("sql", ["", ";;", "-- x", "/* open", "'", '"', "$", "(", "\x00", "🦆 🦆"])
def test_nonsense_is_never_an_error(sql: str) -> None:
    assert not references(sql).writes


def test_deep_nesting_is_never_an_error() -> None:
    assert not references("select " + "(" * 3000 + "1" + ")" * 3000).parsed
    assert references("select a from t where " + " or ".join(["a = 1"] * 1000)).reads
    assert references("explain " * 1000 + "select 1 from t").reads
    assert references("explain analyze " * 1000 + "delete from t").writes


def test_each_statement_is_counted() -> None:
    assert references("select 1; select ';'; -- ;\n ;select 3").statements == 3


def test_names_are_equal_as_the_engine_compares_them() -> None:
    assert references('from Foo, "FOO", foo').reads == {TableName("", "", "fOO")}
    with duckdb.connect() as con:
        con.execute('create table "Foo" (a int); create table "É" (a int)')
        assert con.execute("from FOO").fetchall() == []
        with pytest.raises(duckdb.CatalogException):
            con.execute('from "é"')
    assert TableName("", "", "É") != TableName("", "", "é")


@pytest.mark.parametrize(
    ("sql", "kind"),
    [
        ("from t", "read"),
        ("summarize t", "read"),
        ("pivot t on a", "read"),
        ("create view v as from t", "write"),
        ("with c as (select 1) insert into t from c", "write"),
        ("from t; drop table t", "write"),
        ("checkpoint", "other"),
        ("nonsense", "other"),
        ("", "other"),
    ],
)
def test_a_kind_is_given_to_each_statement(sql: str, kind: str) -> None:
    assert statement_kind(sql) == kind


def test_importing_references_does_not_import_the_parser() -> None:
    code = "import sys, core.engine.references; print('sqlglot' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    "name", ["a.b_c" * 200, '"' + 'x""' * 500 + '"', '"a"' * 500, '"' * 1001, "a" * 5000]
)
def test_a_long_name_is_read_at_once(name):
    references(f"CREATE OR REPLACE TABLE {name} AS SELECT 1")
    references(f"CREATE OR REPLACE TABLE {name} AS PIVOT t ON a USING sum(b)")
