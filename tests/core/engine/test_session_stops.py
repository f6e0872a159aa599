"""Stopping: by hand, by time, by limits, by force; what stops takes nobody else with it."""

from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path

import psutil
import pytest

from core.engine.engine import Attachment, Engine
from core.engine.reach import Reach
from core.engine.run import Run
from core.engine.session import Session
from core.errors import (
    ConfigError,
    Forbidden,
    LimitExceeded,
    MillpondError,
    QueryCancelled,
    WorkerLost,
)
from core.settings import Settings
from core.workers.supervisor import Supervisor

SLOW = "select count(*) from range(1_000_000) a(i), range(1_000_000) b(j) where i * j % 7 = 3"
DEAF = "select list_reduce(range(50_000_000), lambda x, y: x + y)"  # does not hear an interrupt


def until(condition, seconds: float = 30) -> bool:
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.02)
    return condition()


def works(session: Session) -> bool:
    run = session.run("select 42")
    return session.page(run, run.results[0]).frame.item() == 42


@pytest.fixture
def others(engine: Engine):
    """Another session of the same engine."""
    session = Session(engine, "others")
    yield session
    session.close()


def test_a_running_query_is_cancelled(session: Session, engine: Engine) -> None:
    session.run("create temp table kept as select 1")
    starts, run = engine.starts, session.start(SLOW)
    time.sleep(0.2)
    run.cancel()
    assert run.wait(10)
    assert run.state == "cancelled"
    assert isinstance(run.error, QueryCancelled)
    session.run("from kept")  # the same worker, the same session
    assert engine.starts == starts


def test_a_queued_query_is_cancelled_without_harm_to_the_one_before(
    session: Session, engine: Engine
) -> None:
    starts, first = engine.starts, session.start(SLOW)
    second, third = session.start("select 2"), session.start("select 3")
    second.cancel()
    assert second.wait(10)
    assert second.state == "cancelled"
    time.sleep(0.8)  # longer than the grace: nobody may have been killed for it
    assert first.state == third.state == "running"
    assert engine.starts == starts
    first.cancel()
    assert third.wait(10)
    assert third.state == "done"


def test_a_query_may_be_cancelled_before_it_has_begun(session: Session) -> None:
    for _ in range(10):
        run = session.start(SLOW)
        run.cancel()
        assert run.wait(10)
        assert run.state == "cancelled"
    assert works(session)


def test_a_cancel_after_the_end_changes_nothing(session: Session) -> None:
    run = session.run("select 1")
    run.cancel()
    assert (run.state, run.error) == ("done", None)


def test_a_query_that_takes_too_long_is_stopped_and_names_the_setting(session: Session) -> None:
    with pytest.raises(LimitExceeded, match=r"longer than 0\.3 s") as caught:
        session.run(SLOW, timeout=0.3)
    assert caught.value.setting == "MILLPOND_QUERY_TIMEOUT"
    assert works(session)


def test_questions_about_a_plan_take_no_longer_than_a_query_may(make_engine) -> None:
    session = Session(make_engine(query_timeout=0.4), "s")
    with pytest.raises(LimitExceeded) as caught:
        session.explain(SLOW, analyze=True)
    assert caught.value.setting == "MILLPOND_QUERY_TIMEOUT"
    with pytest.raises(LimitExceeded):
        session.export(SLOW, None, format="csv")
    assert works(session)


def test_progress_arrives(session: Session) -> None:
    session.run("create or replace temp table big as select i from range(3_000_000) t(i)")
    run = session.start("select count(distinct md5(sha256((i * 7)::varchar))) from big")
    assert until(lambda: run.progress > 0 or run.ended)
    assert 0 < run.progress <= 100
    run.cancel()
    run.wait()


def test_a_query_that_does_not_listen_is_killed_and_all_hear_why(
    session: Session, others: Session, engine: Engine
) -> None:
    starts = engine.starts
    deaf, neighbour = session.start(DEAF), others.start(SLOW)
    time.sleep(0.5)
    deaf.cancel()
    assert deaf.wait(20)
    assert neighbour.wait(20)
    assert deaf.state == "cancelled"
    assert isinstance(deaf.error, QueryCancelled)
    assert isinstance(neighbour.error, WorkerLost)
    assert "a cancelled query did not stop" in neighbour.error.message
    assert works(session)
    assert works(others)
    assert engine.starts == starts + 1


@pytest.mark.parametrize(
    ("number", "words"),
    [(signal.SIGKILL, "it was killed"), (signal.SIGSEGV, "it crashed")],
)
def test_a_worker_that_dies_is_replaced(
    session: Session, engine: Engine, number: int, words: str
) -> None:
    session.run("create or replace table survivor as select 7 as n")
    run = session.start(SLOW)
    time.sleep(0.3)
    os.kill(engine.pid, number)
    assert run.wait(20)
    assert isinstance(run.error, WorkerLost)
    assert words in run.error.message
    again = session.run("from survivor")
    assert session.page(again, again.results[0]).frame.item() == 7


def test_a_worker_that_died_unseen_costs_nobody_an_error(session: Session, engine: Engine) -> None:
    works(session)
    pid = engine.pid
    os.kill(pid, signal.SIGKILL)
    assert until(lambda: engine.pid is None)
    assert works(session)


def test_a_stopped_worker_is_killed_by_a_cancel(session: Session, engine: Engine) -> None:
    works(session)
    os.kill(engine.pid, signal.SIGSTOP)
    assert not engine.healthy(0.2)
    run = session.start("select 1")
    run.cancel()
    assert run.wait(20)
    assert run.state == "cancelled"
    assert works(session)
    assert engine.healthy()


def test_a_stopped_worker_cannot_hold_up_who_sends_it_much(
    session: Session, engine: Engine
) -> None:
    works(session)
    os.kill(engine.pid, signal.SIGSTOP)
    runs: list[Run] = []
    sql = f"select '{'x' * 1_900_000}'"  # more than fits between the two processes
    sender = threading.Thread(target=lambda: runs.append(session.start(sql, timeout=0.3)))
    sender.start()
    sender.join(20)
    assert not sender.is_alive()
    assert runs[0].wait(10)
    assert isinstance(runs[0].error, MillpondError)
    assert works(session)


def test_a_call_to_a_stopped_worker_ends(session: Session, engine: Engine) -> None:
    works(session)
    os.kill(engine.pid, signal.SIGSTOP)
    with pytest.raises(WorkerLost, match=r"did not answer within 0\.3 s"):
        engine.call("explain", 0.3, session="x", sql="select 1", params={}, analyze=False)
    assert works(session)


@pytest.mark.parametrize(
    ("sql", "setting"),
    [
        ("select len(list(i)) from range(200_000_000) t(i)", "MILLPOND_MEMORY_LIMIT"),
        ("select length(repeat('x', 2_000_000_000))", "MILLPOND_MEMORY_LIMIT"),
        (
            "select max(v) from (select i, repeat(i::varchar, 20) as v "
            "from range(9_000_000) t(i) order by v limit 8_000_000)",
            "MILLPOND_TEMP_LIMIT",
        ),
        ("from range(5_000_000)", "MILLPOND_SPOOL_LIMIT"),
    ],
)
def test_a_limit_names_its_setting(make_engine, sql: str, setting: str) -> None:
    limits = {"memory_limit": 200_000_000, "temp_limit": 30_000_000, "spool_limit": 5_000_000}
    session = Session(make_engine(**limits), "s")
    with pytest.raises(LimitExceeded) as caught:
        session.run(sql)
    assert caught.value.setting == setting
    assert works(session)


def test_a_result_beyond_its_limit_ends_before_the_query_gives_its_next_rows(make_engine) -> None:
    session = Session(make_engine(spool_limit=3_000_000), "s")
    # Two batches of 2 MB arrive while DuckDB holds the third back; more would take hours.
    run = session.start(
        "select repeat('x', 100) from range(10_000_000_000_000) t(i) "
        "where i < 112_000 or i = 9_000_000_000_000"
    )
    assert run.wait(60)
    assert isinstance(run.error, LimitExceeded)
    assert run.error.setting == "MILLPOND_SPOOL_LIMIT"
    assert works(session)


def test_a_full_disk_is_said(make_engine) -> None:
    # RLIMIT_FSIZE stands for the disk: it is the greater of the two limits.
    engine = make_engine(temp_limit=1_000_000, spool_limit=1_000_000)
    session = Session(engine, "s")
    with pytest.raises(LimitExceeded, match="A file grew") as caught:
        session.export("select hash(i) from range(1_000_000) t(i)", None, format="csv")
    assert caught.value.setting == "MILLPOND_SPOOL_LIMIT"
    assert list(engine.exports.iterdir()) == []
    assert works(session)


def test_a_query_out_of_memory_leaves_its_neighbour_alone(make_engine) -> None:
    engine = make_engine(memory_limit=300_000_000)
    hungry, modest = Session(engine, "hungry"), Session(engine, "modest")
    modest.run("create temp table mine as from range(1000)")
    for _ in range(2):
        run = hungry.start("select len(list(i)) from range(200_000_000) t(i)")
        neighbour = modest.run("select count(*) from mine a, mine b")
        assert modest.page(neighbour, neighbour.results[0]).frame.item() == 1_000_000
        run.wait()
        assert isinstance(run.error, LimitExceeded)
    assert engine.starts == 1


def test_two_workspaces_do_not_notice_each_other(make_engine) -> None:
    mine, theirs = make_engine(workspace="mine"), make_engine(workspace="theirs")
    me, them = Session(mine, "s"), Session(theirs, "s")
    me.run("create table t as select 'mine' as owner")
    them.run("create table t as select 'theirs' as owner")
    running = me.start(SLOW)
    os.kill(theirs.pid, signal.SIGKILL)
    assert until(lambda: theirs.pid is None)
    assert works(them)
    assert running.state == "running"
    running.cancel()
    running.wait()
    run = me.run("from t")
    assert me.page(run, run.results[0]).frame.item() == "mine"


def test_a_broken_source_is_named_and_breaks_nothing_else(make_engine, tmp_path: Path) -> None:
    good = tmp_path / "home" / "start" / "good.csv"
    good.parent.mkdir(parents=True)
    good.write_text("a\n1\n2\n")
    engine = make_engine(
        attachments=lambda: [
            Attachment("gone", "csv", {"path": str(tmp_path / "gone.csv")}),
            Attachment("nonsense", "no_such_kind", {}),
            Attachment("good", "csv", {"path": str(good)}),
        ]
    )
    session = Session(engine, "s")
    run = session.run("select count(*) from good")
    assert session.page(run, run.results[0]).frame.item() == 2
    assert set(engine.broken) == {"gone", "nonsense"}
    assert all(isinstance(error, MillpondError) for error in engine.broken.values())


def test_a_folder_that_is_granted_is_readable_after_the_renewal(
    supervisor: Supervisor, tmp_path: Path
) -> None:
    granted = tmp_path / "granted"
    granted.mkdir()
    (granted / "a.csv").write_text("n\n5\n")
    grants: list[str] = []
    settings = Settings(home=tmp_path, start_folder=tmp_path, memory_limit=300_000_000)
    engine = Engine(
        supervisor,
        settings,
        tmp_path / "w",
        reach=lambda: Reach(read=tuple(grants)),
        attachments=list,
    )
    session = Session(engine, "s")
    sql = f"create or replace table kept as from '{granted}/a.csv'; from kept"
    with pytest.raises(Forbidden) as caught:
        session.run(sql)
    assert caught.value.path == f"{granted}/a.csv"
    grants.append(str(granted))
    running = session.start(SLOW)
    engine.renew()
    assert running.state == "running"  # it is not ended for it
    running.cancel()
    running.wait()
    session.run(sql)
    engine.close()
    again = Engine(supervisor, settings, tmp_path / "w", reach=Reach, attachments=list)
    run = Session(again, "s").run("from kept")  # tables outlive engine and wall
    assert Session(again, "s").page(run, run.results[0]).frame.item() == 5
    again.close()


def test_a_closed_engine_starts_no_worker_again(make_engine) -> None:
    engine = make_engine()
    session = Session(engine, "s")
    works(session)
    pid = engine.pid
    engine.close()
    assert not psutil.pid_exists(pid)
    with pytest.raises(WorkerLost, match="closed"):
        session.run("select 1")
    assert engine.pid is None


@pytest.mark.parametrize("content", [b"", b"no database" * 1_000])
def test_a_workspace_that_cannot_be_read_is_named_with_what_to_do(make_engine, content) -> None:
    engine = make_engine()
    (engine.folder / "workspace.duckdb").write_bytes(content)
    with pytest.raises(ConfigError, match=r"workspace\.duckdb, cannot be read") as caught:
        Session(engine, "s").run("select 1")
    assert "move it away" in caught.value.hint
    assert (engine.folder / "workspace.duckdb").read_bytes() == content


def test_what_processes_before_left_is_removed_at_the_start(make_engine) -> None:
    engine = make_engine()
    for name in ("exports", "temp", "spools"):
        (engine.folder / name / "left.behind").write_text("x")
    session = Session(engine, "s")
    works(session)
    assert [[*(engine.folder / n).iterdir()] for n in ("exports", "temp", "spools")] == [[], [], []]
    kept = session.export("select 1", None, format="csv")
    run = session.run("from range(50_000)")
    (engine.folder / "temp" / "spilled").write_text("x")
    engine.renew()
    assert kept.exists()
    assert session.page(run, run.results[0], 40_000, 1).frame.item() == 40_000
    assert not (engine.folder / "temp" / "spilled").exists()


@pytest.mark.soak
def test_a_worker_killed_over_and_over_never_takes_the_engine_with_it(engine: Engine) -> None:
    session = Session(engine, "soak")
    session.run("create or replace table counted (n int)")
    for number in range(40):
        session.run(f"insert into counted values ({number})")
        run = session.start(SLOW if number % 2 else DEAF)
        time.sleep(0.1 * (number % 5))
        os.kill(engine.pid, (signal.SIGKILL, signal.SIGSEGV, signal.SIGSTOP)[number % 3])
        run.cancel()
        assert run.wait(30)
        total = session.run("select count(*) from counted")
        assert session.page(total, total.results[0]).frame.item() == number + 1
