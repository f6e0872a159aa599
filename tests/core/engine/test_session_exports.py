"""Exports and plans: files that other programs read back, and trees that tell what happens."""

from __future__ import annotations

import os
import re
import signal
import stat
import threading
import time
import zipfile
from pathlib import Path

import duckdb
import polars as pl
import pyarrow as pa
import pytest

from core.engine.engine import Engine
from core.engine.filters import Filter
from core.engine.plan import PlanNode
from core.engine.session import FORMATS, Session
from core.engine.views import Sort
from core.errors import InvalidInput, LimitExceeded, MillpondError, QueryError

ROWS = "select i as n, 'text ' || i as t, [i] as l, i::hugeint as h, i % 2 = 0 as e, "
ROWS += "date '2024-01-01' + i::int as d from range(5000) t(i)"


def read_back(path: Path, format: str) -> tuple[int, list[str]]:
    """Rows and column names, as a program that knows nothing of us sees them."""
    if format == "excel":
        with zipfile.ZipFile(path) as book:
            sheet = book.read("xl/worksheets/sheet1.xml").decode()
        with duckdb.connect() as con:
            (names,) = con.execute(
                "select regexp_extract_all(?, '<t>(\\w+)</t>', 1)", [sheet]
            ).fetchone()
        return sheet.count("<row ") - 1, names[:2]
    if format == "arrow":
        table = pa.ipc.open_stream(path).read_all()
        return table.num_rows, table.column_names
    read = {"csv": pl.read_csv, "parquet": pl.read_parquet, "json": pl.read_ndjson}[format]
    frame = read(path)
    return frame.height, frame.columns


def numbers(path: Path, format: str) -> list[int]:
    """The first column of a file, in its order, as whole numbers."""
    if format == "excel":
        with zipfile.ZipFile(path) as book:
            sheet = book.read("xl/worksheets/sheet1.xml").decode()
        return [int(float(value)) for value in re.findall(r"<v>([^<]+)</v>", sheet)]
    if format == "arrow":
        return pa.ipc.open_stream(path).read_all().column(0).to_pylist()
    read = {"csv": pl.read_csv, "parquet": pl.read_parquet, "json": pl.read_ndjson}[format]
    return read(path).to_series(0).to_list()


@pytest.mark.parametrize("format", FORMATS)
def test_a_kept_result_is_exported_in_its_order(session: Session, format: str) -> None:
    # Many batches and several threads: more than one row group or buffer of each format.
    run = session.run("select (i * 7919) % 400_009 as n from range(400_009) t(i)")
    kept = [i * 7919 % 400_009 for i in range(400_009)]
    above = [n for n in kept if n > 1_000]
    for filters, limit, expected in (
        ((), None, kept),
        ((Filter(0, ">", "1000"),), None, above),
        ((), 200_000, kept[:200_000]),
        ((Filter(0, ">", "1000"),), 200_000, above[:200_000]),
    ):
        path = session.export_result(
            run, run.results[0], format=format, filters=filters, limit=limit
        )
        assert numbers(path, format) == expected
        path.unlink()


@pytest.mark.parametrize("format", FORMATS)
def test_a_query_and_a_result_are_exported_alike(
    session: Session, engine: Engine, format: str
) -> None:
    run = session.run(ROWS)
    for path in (
        session.export(f"{ROWS}; -- the end", None, format=format),
        session.export_result(run, run.results[0], format=format),
    ):
        rows, names = read_back(path, format)
        assert rows == 5000
        assert names[:2] == ["n", "t"] or format == "excel"
        assert path.suffix == FORMATS[format]
        assert path.parent == engine.exports
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        path.unlink()


@pytest.mark.parametrize("format", [each for each in FORMATS if each != "excel"])
def test_repeated_names_are_made_different(session: Session, format: str) -> None:
    sql = "select 1 as a, 2 as a, 3 as A, 4 as a_1"
    run = session.run(sql)
    for path in (
        session.export(sql, None, format=format),
        session.export_result(run, run.results[0], format=format),
    ):
        rows, names = read_back(path, format)
        path.unlink()
        assert rows == 1
        # An Arrow file of a query keeps the names: its columns have positions.
        assert len({name.lower() for name in names}) == 4


def test_a_result_is_exported_as_it_is_sorted_and_filtered(session: Session) -> None:
    run = session.run("select i, i % 3 as r from range(10_000) t(i)")
    path = session.export_result(
        run,
        run.results[0],
        format="parquet",
        sorts=[Sort(0, descending=True)],
        filters=[Filter(1, "=", "1")],
    )
    frame = pl.read_parquet(path)
    path.unlink()
    assert frame["i"].to_list() == [n for n in range(9999, -1, -1) if n % 3 == 1]


def test_sums_keep_their_digits_in_parquet(session: Session) -> None:
    sql = "select sum(i) as s from (select 9007199254740993 as i)"
    run = session.run(sql)
    for path in (
        session.export(sql, None, format="parquet"),
        session.export_result(run, run.results[0], format="parquet"),
    ):
        assert int(pl.read_parquet(path)["s"][0]) == 9007199254740993
        path.unlink()


def test_parameters_and_pivots_can_be_exported(session: Session) -> None:
    sql = "pivot (select 'x' as k, 5 as v where 1 < $most) on k using sum(v)"
    with pytest.raises(QueryError):
        session.export(sql.replace("$most", "nope"), {}, format="csv")
    path = session.export("select $a as a", {"A": 7, "unused": 1}, format="csv")
    assert path.read_text() == "a\n7\n"
    path.unlink()
    path = session.export(sql.replace("$most", "2"), None, format="csv")
    assert path.read_text() == "x\n5\n"
    path.unlink()


@pytest.mark.parametrize(
    ("sql", "kind", "words"),
    [
        ("select 1; select 2", InvalidInput, "one statement"),
        ("select\n nope", QueryError, "nope"),
        ("create table t (a int)", QueryError, "syntax error"),
        ("", InvalidInput, "no statement"),
        ("select $missing", InvalidInput, "missing"),
        (
            "select (case when i < 400000 then '1' else 'x' end)::int from range(500000) t(i)",
            QueryError,
            "Could not convert",
        ),
    ],
)
@pytest.mark.parametrize("format", FORMATS)
def test_a_failed_export_leaves_no_file(
    session: Session, engine: Engine, sql: str, kind: type[MillpondError], words: str, format: str
) -> None:
    with pytest.raises(kind, match=words) as caught:
        session.export(sql, {}, format=format)
    assert list(engine.exports.iterdir()) == []
    if words == "nope":
        assert (caught.value.line, caught.value.column) == (2, 2)


def test_a_format_that_there_is_not_is_refused_with_those_there_are(session: Session) -> None:
    with pytest.raises(InvalidInput) as caught:
        session.export("select 1", None, format="pdf")
    assert "arrow, csv, excel, json, parquet" in caught.value.hint


def test_a_sheet_takes_no_more_rows_than_excel(session: Session, engine: Engine) -> None:
    with pytest.raises(LimitExceeded, match="1,048,575"):
        session.export("from range(1_048_576)", None, format="excel")
    assert list(engine.exports.iterdir()) == []


def test_an_export_whose_worker_dies_leaves_an_error(make_engine) -> None:
    engine = make_engine()
    session = Session(engine, "s")
    session.run("select 1")
    pid = engine.pid

    def kill_when_it_writes() -> None:
        while not any(engine.exports.iterdir()):
            time.sleep(0.01)
        os.kill(pid, signal.SIGKILL)

    killer = threading.Thread(target=kill_when_it_writes)
    killer.start()
    with pytest.raises(MillpondError, match="The engine stopped"):
        session.export("select hash(i) from range(1_000_000_000) t(i)", None, format="csv")
    killer.join()
    assert list(engine.exports.iterdir()) == []


def names(node: PlanNode) -> list[str]:
    return [node.name, *(name for child in node.children for name in names(child))]


@pytest.mark.parametrize("analyze", [False, True])
@pytest.mark.parametrize(
    "sql",
    [
        "select i % 7 as k, count(*) from range(100) t(i) where i > $least group by k order by k",
        "explain select count(*) from range(10) where range > $least",
        "pivot (select 'x' as k, 5 as v) on k using sum(v)",
        "select 1",
        "create temp table made as select 1 as a",
    ],
)
def test_a_plan_is_a_tree(session: Session, sql: str, analyze: bool) -> None:
    tree = session.explain(sql, {"least": 5}, analyze=analyze)
    assert tree.name
    if "group by" in sql:
        assert len(names(tree)) >= 4
        assert any("GROUP" in name or "AGGREGATE" in name for name in names(tree))


def test_a_statement_runs_only_when_its_plan_is_analyzed(session: Session) -> None:
    session.run("create temp sequence counted")
    session.explain("select nextval('counted')")
    run = session.run("select nextval('counted')")
    assert session.page(run, run.results[0]).frame.item() == 1


@pytest.mark.parametrize(
    ("sql", "line", "column"),
    [
        ("select nope", 1, 8),
        ("\n\n select nope", 3, 9),
        ("explain select nope", 1, 16),
        ("selec", 1, 1),
    ],
)
def test_an_error_in_a_plan_is_placed_in_the_text(
    session: Session, sql: str, line: int, column: int
) -> None:
    with pytest.raises(QueryError) as caught:
        session.explain(sql)
    assert (caught.value.line, caught.value.column) == (line, column)


def test_a_plan_belongs_to_one_statement(session: Session) -> None:
    with pytest.raises(InvalidInput, match="one statement"):
        session.explain("select 1; select 2")
