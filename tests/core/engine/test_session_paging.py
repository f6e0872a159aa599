"""Results: at once, in pieces, deep, sorted and filtered; executed once, outliving workers."""

from __future__ import annotations

import os
import signal
import stat
import time

import psutil
import pytest

from core.engine.filters import Filter
from core.engine.relation import Query
from core.engine.session import Session
from core.engine.views import Sort
from core.errors import LimitExceeded, NotFound, QueryCancelled

# The first 400,000 rows come quickly, the rest slowly.
SLOW_END = """
select i, i % 10 as digit, case when i > 400_000 then list_sum(range(3_000 + i % 2)) end as slow
from range(3_000_000) t(i)
"""


def test_the_first_rows_are_there_while_the_rest_arrives(session: Session) -> None:
    run = session.start(SLOW_END)
    assert run.wait_rows(30)
    result = run.results[0]
    page = session.page(run, result)
    assert page.frame["c0"].to_list() == list(range(200))
    totals = [page.total]
    for _ in range(200):
        page = session.page(run, result)
        totals.append(page.total)
        if page.total > 100_000 or run.ended:
            break
        time.sleep(0.02)
    assert page.arriving
    assert totals == sorted(totals)
    assert totals[-1] > totals[0]
    last = page.total - 1
    assert session.page(run, result, last, 5).frame["c0"][0] == last
    ordered = session.page(run, result, 0, 3, sorts=[Sort(0, descending=True)])
    assert ordered.arriving
    assert ordered.frame["c0"][0] >= last
    found = session.page(run, result, filters=[Filter(1, "=", "3")])
    assert found.matching == pytest.approx(found.total / 10, rel=0.1)
    run.cancel()
    run.wait()
    assert isinstance(run.error, QueryCancelled)
    assert not session.page(run, result).arriving


def test_the_first_rows_stay_when_the_file_had_to_go(session: Session, engine) -> None:
    run = session.start("select i from range(10_000_000_000_000) t(i) where i < 5_000_000")
    while not run.results or run.results[0].rows < 1_000_000:
        time.sleep(0.01)
    (engine.spools / f"{run.results[0].id}.arrow").unlink()  # as where there is no more room
    run.cancel()
    assert run.wait(30)
    assert run.state == "cancelled"
    result = run.results[0]
    assert 0 < result.rows <= 1_000
    assert session.page(run, result, 0, 1_000).frame.height == result.rows


def test_any_row_of_a_large_result_is_a_page_away(session: Session) -> None:
    run = session.run("select i, 'row ' || i from range(1_000_000) t(i)")
    result = run.results[0]
    assert (result.rows, result.complete) == (1_000_000, True)
    for offset in (0, 999, 1_000, 20_479, 20_480, 567_890, 999_999):
        frame = session.page(run, result, offset, 3).frame
        assert frame.rows() == [(n, f"row {n}") for n in range(offset, min(offset + 3, 1_000_000))]
    assert session.page(run, result, 1_000_000, 3).frame.shape == (0, 2)
    assert session.page(run, result, -5, 2).frame["c0"].to_list() == [0, 1]
    page = session.page(
        run, result, 2, 2, sorts=[Sort(0, descending=True)], filters=[Filter(1, "contains", "77")]
    )
    expected = sorted((n for n in range(1_000_000) if "77" in str(n)), reverse=True)
    assert page.frame["c0"].to_list() == expected[2:4]
    assert (page.matching, page.total) == (len(expected), 1_000_000)


def test_a_result_is_spooled_for_its_owner_only(session: Session, engine) -> None:
    run = session.run("from range(50_000)")
    spool = engine.spools / f"{run.results[0].id}.arrow"
    assert stat.S_IMODE(spool.stat().st_mode) == 0o600
    assert stat.S_IMODE(engine.folder.stat().st_mode) == 0o700


@pytest.mark.parametrize(
    "value",
    ["nextval('q')", "[nextval('q')]", "interval (nextval('q')) day", "nextval('q')::uhugeint"],
)
def test_a_query_is_executed_once_however_it_is_looked_at(session: Session, value: str) -> None:
    session.run("create or replace temp sequence q")
    run = session.run(f"select {value} as v, i from range(30_000) t(i)")
    result = run.results[0]
    session.page(run, result, 20_000, 10)
    session.page(run, result, 0, 10, sorts=[Sort(0)], filters=[Filter(1, ">", "5")])
    session.over(run, result, Query("select max(c1) as m from result"))
    session.export_result(run, result, format="parquet").unlink()
    after = session.run("select nextval('q')")
    assert session.page(after, after.results[0]).frame.item() == 30_001


def test_results_outlive_their_worker(make_engine) -> None:
    engine = make_engine()
    session = Session(engine, "s")
    run = session.run("select i, i % 7 as w from range(100_000) t(i)")
    small = session.run("select 'small' as word")
    first = engine.pid
    os.kill(first, signal.SIGKILL)
    assert session.page(run, run.results[0], 99_990, 5).frame["c0"][0] == 99_990
    ordered = session.page(run, run.results[0], 0, 1, sorts=[Sort(1, descending=True)])
    assert ordered.frame.rows() == [(6, 6)]
    assert session.page(small, small.results[0], sorts=[Sort(0)]).frame.item() == "small"
    assert engine.pid not in (None, first)


def test_a_forgotten_result_is_not_found(session: Session, engine) -> None:
    run = session.run("from range(50_000)")
    result = run.results[0]
    session.page(run, result, 0, 5, sorts=[Sort(0)])  # the worker has it mapped now
    (engine.spools / f"{result.id}.arrow").unlink()
    with pytest.raises(NotFound, match="no longer kept"):
        session.page(run, result, 40_000, 5)
    with pytest.raises(NotFound, match="no longer kept"):
        session.page(run, result, 0, 5, sorts=[Sort(0)])
    other = session.run("select 1")
    with pytest.raises(NotFound):
        session.page(run, other.results[0])


def test_a_page_of_huge_values_is_refused_before_it_fills_the_app(make_engine) -> None:
    session = Session(make_engine(memory_limit=1_000_000_000), "s")
    run = session.run("select repeat('x', 1_000_000) as v, i from range(400) t(i)")
    result = run.results[0]
    assert session.page(run, result, 399, 1).frame["c0"][0] == "x" * 1_000_000
    with pytest.raises(LimitExceeded, match="268 MB"):
        session.page(run, result, 0, 400)


def test_the_app_does_not_grow_with_the_result(session: Session) -> None:
    app = psutil.Process()
    session.page(run := session.run("from range(30_000)"), run.results[0], 20_000, 10)
    before = app.memory_info().rss
    run = session.run("select i, hash(i) as h, 'text ' || i as t from range(3_000_000) t(i)")
    for offset in range(0, 3_000_000, 300_000):
        session.page(run, run.results[0], offset, 200)
    session.page(run, run.results[0], 5, 200, sorts=[Sort(1)])
    grown = app.memory_info().rss - before
    assert run.results[0].rows == 3_000_000  # about 110 MB in its spool
    assert grown < 40 * 2**20
