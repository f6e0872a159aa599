"""Snapshots of tables: whole, more of them, kept through bad days, and by the real scheduler."""

from __future__ import annotations

import os
import signal
import sqlite3
import threading
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from core.access import Actor
from core.engine.session import Session
from core.errors import Conflict, Forbidden, InvalidInput, MillpondError, NotFound
from core.jobs.models import Plan
from core.workbench import Workspace
from tests.core.catalog.test_profile_job import ended

ORDERS = "CREATE TABLE orders (id INTEGER, changed TEXT, what TEXT)"
FIRST = [(1, "2026-01-01", "a"), (2, "2026-01-02", "b"), (3, None, "c")]


@pytest.fixture
def shop(here: Workspace, folder: Path) -> Path:
    """A source with a table `shop.orders`; returns its file."""
    path = folder / "shop.sqlite"
    write(path, ORDERS)
    write(path, "INSERT INTO orders VALUES (?, ?, ?)", *FIRST)
    here.connections.add("shop", "sqlite", {"path": str(path)})
    return path


def write(path: Path, sql: str, *rows: tuple) -> None:
    with closing(sqlite3.connect(path)) as db, db:
        if rows:
            db.executemany(sql, rows)
        else:
            db.execute(sql)


def rows(here: Workspace, sql: str) -> list[tuple]:
    with closing(Session(here.engine, "test")) as session:
        run = session.run(sql)
        return session.page(run, run.result).frame.rows()


def add_slow(here: Workspace, folder: Path) -> None:
    """Add a source with a view `slow.s` that takes minutes to read."""
    with duckdb.connect(str(folder / "slow.duckdb")) as db:
        db.execute("CREATE VIEW s AS SELECT sum(hash(i)) AS s FROM range(100_000_000_000) AS r(i)")
    here.connections.add("slow", "duckdb", {"path": str(folder / "slow.duckdb")})


def take(here: Workspace, name: str = "shop.orders", cursor: str = ""):
    return here.snapshots.take(here.snapshots.table(name), cursor, timeout=60)


ALL = 'SELECT * FROM workspace.snapshots."shop.orders" ORDER BY id, what'


def test_a_copy_is_found_by_its_name_and_tells_when_it_was_taken(here, shop):
    before = datetime.now(UTC)
    taken = take(here)
    assert (taken.source, taken.rows, taken.cursor) == ("shop.main.orders", 3, "")
    assert taken.address == 'workspace.snapshots."shop.orders"'
    assert before - timedelta(seconds=1) <= taken.taken_at <= datetime.now(UTC)
    assert rows(here, ALL) == FIRST
    kept = here.snapshots.find(here.catalog.find("shop.orders"))
    assert (kept.name, kept.rows, kept.taken_at) == (taken.name, 3, taken.taken_at)
    assert here.catalog.find(taken.address).columns == here.catalog.find("shop.orders").columns


def test_it_stays_as_it_was_until_it_is_taken_anew(here, shop):
    take(here)
    write(shop, "DELETE FROM orders WHERE id < 3")
    assert rows(here, ALL) == FIRST
    assert take(here).rows == 1
    assert rows(here, ALL) == FIRST[2:]


def test_it_is_read_while_its_source_is_off_and_after_it_was_removed(here, shop):
    take(here)
    here.connections.enable("shop", False)
    assert rows(here, ALL) == FIRST
    here.connections.remove("shop")
    here.engine.renew()
    assert rows(here, ALL) == FIRST


def test_with_a_cursor_only_what_is_new_is_read_with_all_rows_of_the_last_value(here, shop):
    take(here, cursor="changed")
    write(shop, "UPDATE orders SET what = 'old, and changed since' WHERE id = 1")
    write(shop, "UPDATE orders SET what = 'of the last value' WHERE id = 2")
    late = [(4, "2026-01-02", "came later"), (5, "2026-01-03", "new"), (6, None, "never seen")]
    write(shop, "INSERT INTO orders VALUES (?, ?, ?)", *late)
    taken = take(here, cursor="changed")
    assert (taken.rows, taken.cursor) == (5, "changed")
    of_the_last = (2, "2026-01-02", "of the last value")
    assert rows(here, ALL) == [FIRST[0], of_the_last, FIRST[2], *late[:2]]
    assert take(here).rows == 6  # without one all is read


def test_other_columns_are_a_reason_to_read_all(here, shop):
    take(here, cursor="id")
    write(shop, "ALTER TABLE orders ADD COLUMN more TEXT")
    write(shop, "UPDATE orders SET what = 'z'")
    here.connections.look_again("shop")
    assert take(here, cursor="id").rows == 3
    assert [row[2:] for row in rows(here, ALL)] == [("z", None)] * 3


def test_a_source_is_asked_for_new_rows_by_a_constant(here, folder, monkeypatch):
    texts = []
    start = Session.start
    monkeypatch.setattr(
        Session, "start", lambda self, sql, *a, **k: texts.append(sql) or start(self, sql, *a, **k)
    )
    duckdb.sql(f"COPY (SELECT range AS n FROM range(5)) TO '{folder / 'n.parquet'}'")
    here.connections.add("n", "parquet", {"path": str(folder / "n.parquet")})
    take(here, "n", cursor="n")
    take(here, "n", cursor="n")
    (copied,) = (each for each in texts if "BY NAME" in each)
    assert "FROM files.main.n WHERE n >= CAST('4' AS BIGINT);" in copied


@pytest.mark.parametrize(
    "after",
    [
        "SELECT 2.5::DECIMAL(9, 1) AS n, 'b' AS t",
        "SELECT 2 AS n, 'b' AS t, 0 AS more",
        "SELECT 2 AS n",
    ],
    ids=["another type", "one more", "one less"],
)
def test_what_comes_with_other_columns_is_copied_whole(here, folder, after):
    file = folder / "n.parquet"
    duckdb.sql(f"COPY (SELECT 1 AS n, 'a' AS t) TO '{file}'")
    here.connections.add("n", "parquet", {"path": str(file)})
    take(here, "n", cursor="n")
    duckdb.sql(f"COPY ({after} UNION ALL {after}) TO '{file}'")
    take(here, "n", cursor="n")
    wanted = duckdb.sql(f"FROM '{file}'")
    (snapshot,) = here.snapshots.list()
    with closing(Session(here.engine, "look")) as session:
        run = session.run(f"FROM {snapshot.address}")
        assert [each.name for each in run.result.columns] == wanted.columns
        assert session.page(run, run.result).frame.rows() == wanted.fetchall()
    assert snapshot.rows == 2


def test_texts_in_the_order_of_their_source_are_not_doubled(here, folder):
    file = folder / "shop.sqlite"
    with closing(sqlite3.connect(file)) as shop:
        shop.execute("CREATE TABLE t (n TEXT COLLATE NOCASE)")
        shop.execute("INSERT INTO t VALUES ('a'), ('B')")  # DuckDB has B before a
        shop.commit()
        here.connections.add("shop", "sqlalchemy", {"url": f"sqlite:///{file}"})
        table = here.snapshots.table("shop.main.t")
        here.snapshots.take(table, "n", timeout=60)
        shop.execute("INSERT INTO t VALUES ('C')")
        shop.commit()
    assert here.snapshots.take(table, "n", timeout=60).rows == 3


@pytest.mark.parametrize(
    "value",
    [
        "interval '1 month 2 days'",
        "'infinity'::date",
        "'12:30:00+02'::timetz",
        "170141183460469231731687303715884105727::hugeint",
        "1.5::decimal(38, 10)",
        "'a'::enum('a', 'b')",
        "union_value(num := 2)",
        "'0101'::bit",
        "map {'k': [1]}",
        "'c60bd8f5-8a0d-4bd1-b2b1-000000000001'::uuid",
        "'\\xAA'::blob",
    ],
)
def test_every_type_is_kept_as_it_is(here, folder, value):
    file = folder / "types.duckdb"
    with duckdb.connect(str(file)) as db:
        db.execute(f"CREATE TABLE t AS SELECT {value} AS v")
    here.connections.add("types", "duckdb", {"path": str(file)})
    take(here, "types.t")
    both = "SELECT typeof(a.v) = typeof(b.v), a.v::VARCHAR = b.v::VARCHAR"
    assert rows(here, f'{both} FROM types.t a, snapshots."types.t" b') == [(True, True)]


def test_names_with_quotes_dots_and_signs(here, shop):
    write(shop, 'CREATE TABLE "a.b ""🦆"" select" ("x ""y"" z" INTEGER)')
    write(shop, 'INSERT INTO "a.b ""🦆"" select" VALUES (?)', (1,))
    here.connections.look_again("shop")
    taken = take(here, 'shop."a.b ""🦆"" select"', cursor='x "y" z')
    assert take(here, 'shop."a.b ""🦆"" select"', cursor='x "y" z').rows == 1
    assert rows(here, f"FROM {taken.address}") == [(1,)]


def test_a_source_that_is_away_leaves_the_copy_as_it_was(here, shop):
    take(here)
    table = here.snapshots.table("shop.orders")
    shop.unlink()
    with pytest.raises(MillpondError):
        here.snapshots.take(table, timeout=60)
    assert rows(here, ALL) == FIRST
    assert here.snapshots.find(table).rows == 3


def test_a_worker_that_is_killed_in_the_midst_leaves_the_copies_as_they_were(here, shop, folder):
    take(here)
    add_slow(here, folder)
    table = here.snapshots.table("slow.s")

    def killed(run) -> None:
        threading.Timer(0.3, os.kill, [here.engine.pid, signal.SIGKILL]).start()
        run.wait()

    with pytest.raises(MillpondError):
        here.snapshots.take(table, timeout=60, follow=killed)
    assert here.snapshots.find(table) is None
    assert rows(here, ALL) == FIRST


def test_what_is_refused(workbench, here, shop):
    rows(here, "CREATE OR REPLACE TABLE mine AS SELECT 1 AS i")
    with pytest.raises(InvalidInput, match="in the workspace already"):
        here.snapshots.table("mine")
    with pytest.raises(NotFound, match="no table nowhere"):
        here.snapshots.table("nowhere")
    with pytest.raises(NotFound, match="no column nothing"):
        take(here, cursor="nothing")
    with pytest.raises(NotFound, match="no snapshot"):
        here.snapshots.drop("nothing")
    viewer = workbench.workspace(Actor("vera", "viewer"))
    with pytest.raises(Forbidden):
        viewer.snapshots.take(here.snapshots.table("shop.orders"), timeout=60)
    with pytest.raises(InvalidInput, match="snapshots"):
        here.connections.add("snapshots", "sqlite", {"path": str(shop)})


def test_a_table_of_somebodys_own_is_not_overwritten(here, shop):
    take(here)
    rows(here, 'CREATE TABLE workspace.snapshots."shop.other" AS SELECT 1 AS i')
    write(shop, "CREATE TABLE other AS SELECT 2 AS i")
    here.connections.look_again("shop")
    with pytest.raises(Conflict, match="no snapshot"):
        take(here, "shop.other")
    assert rows(here, 'FROM workspace.snapshots."shop.other"') == [(1,)]
    rows(here, 'DROP TABLE workspace.snapshots."shop.other"')


def test_a_dropped_one_is_gone(here, shop):
    here.snapshots.drop(take(here).name)
    assert here.snapshots.list() == []
    with pytest.raises(MillpondError, match="does not exist"):
        rows(here, ALL)


def test_the_scheduler_takes_it_when_it_is_due_and_says_what_it_did(workbench, here, shop):
    workbench.start_jobs()
    options = {"table": "shop.orders", "cursor": "id"}
    plan = Plan(kind="table-snapshot", title="Orders", options=options, cron="* * * * * *")
    job = here.jobs.add(plan)
    deadline = time.monotonic() + 60
    while not (found := here.jobs.runs(job=job.id)) or not found[-1].ended:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    here.jobs.enable(job.id, False)
    assert (found[-1].state, found[-1].outcome["rows"]) == ("succeeded", 3)
    assert '"shop.orders": 3 rows' in found[-1].log
    gone = ended(here, here.jobs.submit("table-snapshot", {"table": "nowhere"}))
    assert (gone.state, gone.error) == ("failed", "There is no table nowhere.")
    here.jobs.delete(job.id)


def test_a_cancelled_run_is_cancelled_and_leaves_nothing(workbench, here, folder):
    workbench.start_jobs()
    add_slow(here, folder)
    run = here.jobs.submit("table-snapshot", {"table": "slow.s"})
    deadline = time.monotonic() + 60
    while here.jobs.run(run.id).progress.phase == "":
        assert time.monotonic() < deadline
        time.sleep(0.1)
    here.jobs.cancel(run.id)
    assert ended(here, run).state == "cancelled"
    assert [each.name for each in here.snapshots.list()] == []
