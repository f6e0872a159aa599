"""Each run is in the history, whatever its text; what a dead process left is told apart."""

from __future__ import annotations

import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta

import psutil
import pytest
from sqlalchemy import text

from core.errors import Conflict, InvalidInput, NotFound
from core.queries.models import SavedQuery
from core.queries.records import QueryLog
from core.store.store import Store

START_AND_WAIT = """
import sys
from core.queries.records import QueryLog
from core.settings import Settings
from core.store.store import Store

log = QueryLog(Store.open(Settings()), "w")
log.started("theirs", "ann", "SELECT 2")
print("ready", flush=True)
sys.stdin.readline()
"""


@pytest.fixture
def store(store_settings):
    opened = Store.open(store_settings)
    yield opened
    opened.close()


@pytest.fixture
def log(store):
    return QueryLog(store, "w")


def found(log: QueryLog, text: str = "", **options) -> list[str]:
    return [entry.id for entry in log.search(text, **options)]


def test_a_run_is_logged_from_start_to_end(store_settings, store, log):
    before = datetime.now(UTC)
    log.started("q1", "ann", "SELECT 1", "warehouse")
    running = log.get("q1")
    assert (running.state, running.rows, running.error, running.elapsed) == ("running", None, "", 0)
    assert before <= running.started_at <= datetime.now(UTC)

    log.finished("q1", state="done", elapsed=0.25, rows=3_000_000_000)
    store.close()
    again = Store.open(store_settings)
    entry = QueryLog(again, "w").get("q1")
    again.close()
    assert (entry.id, entry.workspace, entry.actor) == ("q1", "w", "ann")
    assert (entry.sql, entry.connection) == ("SELECT 1", "warehouse")
    assert (entry.state, entry.elapsed, entry.rows) == ("done", 0.25, 3_000_000_000)
    assert entry.started_at == running.started_at


@pytest.mark.parametrize(
    ("needle", "expected"),
    [
        ("", ["e", "d", "c", "b", "a"]),
        ("FROM t", ["d", "a"]),
        ("from T", ["d", "a"]),
        ("100%", ["b"]),  # a wildcard elsewhere
        ("a_b", ["c"]),
        ("/", ["e"]),  # the escape itself
        ("ÉTÉ", ["d"]),
        ("no such table", ["a"]),  # in the error
        ("it's", []),
    ],
)
def test_search_finds_the_text_as_it_is_in_any_case(log, needle, expected):
    texts = {
        "a": "select x from t",
        "b": "SELECT '100%'",
        "c": "SELECT a_b, 1000, axb",
        "d": "SELECT 'été' FROM t",
        "e": "SELECT 4/2",
    }
    for name, sql in texts.items():
        log.started(name, "ann", sql)
    log.finished("a", state="failed", elapsed=0.1, error="No such TABLE: t")
    assert found(log, needle) == expected


def test_search_filters_and_pages(store, log):
    for number in range(5):
        log.started(f"q{number}", "ann" if number % 2 else "bob", "SELECT 1")
    log.finished("q1", state="done", elapsed=0.1, rows=1)
    QueryLog(store, "other").started("x", "ann", "SELECT 1")

    assert found(log, actor="ann") == ["q3", "q1"]
    assert found(log, state="running", actor="ann") == ["q3"]
    assert found(log, limit=2) == ["q4", "q3"]
    assert found(log, limit=2, before="q3") == ["q2", "q1"]
    assert found(log, before="q0") == []


def test_a_search_for_a_novel_is_refused(log):
    log.started("q", "ann", "%_/é" * 2_500)
    assert found(log, "%_/é" * 2_500) == ["q"]
    with pytest.raises(InvalidInput, match="10,000"):
        log.search("x" * 10_001)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("SELECT 1 -- " + "é" * 2_000_000, None),
        ("", None),
        ("\ufeffSELECT 1", None),
        ("SELECT '\x00'", "SELECT '\ufffd'"),
        ("SELECT '\udcff'", "SELECT '\ufffd'"),
    ],
)
def test_any_sql_is_kept(log, given, kept):
    log.started("q", "ann\x00", given, "a\x00")
    log.finished("q", state="failed", elapsed=1, error=given)
    entry = log.get("q")
    assert entry.sql == entry.error == (given if kept is None else kept)
    assert found(log, given[:30]) == ["q"]


def test_what_is_not_there(store, log):
    with pytest.raises(NotFound, match="gone"):
        log.get("gone")
    log.finished("gone", state="done", elapsed=1)
    log.started("q", "ann", "SELECT 1")
    with pytest.raises(Conflict, match="q"):
        log.started("q", "ann", "SELECT 1")
    other = QueryLog(store, "other")
    other.finished("q", state="done", elapsed=1)
    with pytest.raises(NotFound):
        other.get("q")
    assert log.get("q").state == "running"


def test_only_what_a_dead_process_left_running_is_interrupted(store_environment, log):
    log.started("ours", "ann", "SELECT 1")
    command = [sys.executable, "-c", START_AND_WAIT]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, env=store_environment, **pipes) as other:
        assert other.stdout.readline() == "ready\n"
        assert log.interrupt_running() == 0
        other.kill()
        while psutil.Process(other.pid).status() != psutil.STATUS_ZOMBIE:
            time.sleep(0.01)
        # Dead, though not yet buried: its parent has not asked for it.
        assert log.interrupt_running() == 1
    assert [log.get(each).state for each in ("ours", "theirs")] == ["running", "interrupted"]
    assert log.interrupt_running() == 0


def test_a_process_with_the_pid_of_a_dead_one_is_another(store, log):
    log.started("old", "ann", "SELECT 1")
    with store.begin() as session:
        session.execute(text("UPDATE query_log SET owner = owner || '0'"))
    assert log.interrupt_running() == 1


def test_another_machine_is_believed_for_as_long_as_a_query_can_run(store, log):
    log.started("new", "ann", "SELECT 1")
    log.started("old", "ann", "SELECT 1")
    with store.begin() as session:
        session.execute(text("UPDATE query_log SET owner = 'elsewhere:1:2'"))
        long_ago = (datetime.now(UTC) - timedelta(hours=2)).strftime("%Y-%m-%d %H:%M:%S.%f")
        session.execute(
            text("UPDATE query_log SET started_at = :at WHERE id = 'old'"), {"at": long_ago}
        )
    assert log.interrupt_running() == 0
    assert log.interrupt_running(longest=3600) == 1
    assert log.get("old").state == "interrupted"


def test_pruning_keeps_the_newest_and_the_running(store, log):
    for number in range(6):
        log.started(f"q{number}", "ann", "SELECT 1")
        if number:
            log.finished(f"q{number}", state="done", elapsed=1)
    other = QueryLog(store, "other")
    other.started("x", "ann", "SELECT 1")
    other.finished("x", state="done", elapsed=1)

    assert log.prune(keep=10) == 0
    assert log.prune(keep=2) == 3
    assert found(log) == ["q5", "q4", "q0"]
    assert found(other) == ["x"]
    assert log.prune(keep=0) == 2


def test_a_saved_query_is_one_canonical_text():
    query = SavedQuery(
        name="Delays",
        sql="SELECT $b, '\x00é'",
        tags=[" a", "b", "a", ""],
        parameters={"b": 1, "a": 2},
        on="shop",
    )
    same = SavedQuery(
        name="Delays",
        sql="SELECT $b, '\x00é'",
        tags=["a", "b"],
        parameters={"a": 2, "b": 1},
        on="shop",
    )
    assert query.to_text() == same.to_text()
    assert "é" in query.to_text()
    assert "\x00" not in query.to_text()
    assert SavedQuery.from_text(query.to_text()) == query
    assert query.tags == ["a", "b"]


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("no JSON", "text"),
        ('{"name": "", "sql": ""}', "name"),
        ('{"name": "A"}', "sql"),
        ('{"name": "A", "sql": "", "schema_version": 3}', "schema_version"),
        ('{"name": "A", "sql": "", "tags": "a"}', "tags"),
        ('{"name": "A", "sql": "", "surprise": 1}', "surprise"),
    ],
)
def test_a_text_that_is_no_saved_query_says_where(text, field):
    with pytest.raises(InvalidInput, match=f": {field}: "):
        SavedQuery.from_text(text)
