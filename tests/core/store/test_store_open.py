"""The store opens once, for many processes at once, and says why where it cannot."""

from __future__ import annotations

import os
import socket
import sqlite3
import stat
import subprocess
import sys
import threading
from contextlib import closing
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.dialects import sqlite
from sqlalchemy.exc import IntegrityError

from core.errors import ConfigError, MillpondError
from core.settings import Settings
from core.store import database
from core.store.documents import Documents
from core.store.rows import UtcTime, clean
from core.store.store import Store

OPEN_AND_SAVE = """
import sys
from core.settings import Settings
from core.store.documents import Documents
from core.store.store import Store

name = sys.argv[1]
print("ready", flush=True)
sys.stdin.readline()
store = Store.open(Settings())
documents = Documents(store, "w", "note")
for number in range(20):
    documents.save(f"{name} {number}", title=name, actor=name)
store.close()
"""


def open_in(home: Path) -> Store:
    return Store.open(Settings(home=home))


def test_what_is_saved_is_there_after_reopening(store_settings):
    store = Store.open(store_settings)
    saved = Documents(store, "w", "note").save("text", title="A", actor="me")
    store.close()
    store.close()

    again = Store.open(store_settings)
    assert Documents(again, "w", "note").get(saved.id) == saved
    again.close()


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such modes")
def test_nobody_else_can_read_the_store(tmp_path):
    home = tmp_path / "new" / "home"
    before = os.umask(0)
    try:
        store = open_in(home)
        Documents(store, "w", "note").save("text", title="A", actor="me")
    finally:
        os.umask(before)
    modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in home.iterdir()}
    store.close()

    assert stat.S_IMODE(home.stat().st_mode) == 0o700
    assert modes == dict.fromkeys(["store.sqlite", "store.sqlite-wal", "store.sqlite-shm"], 0o600)


def test_sqlite_is_set_for_many_processes(tmp_path):
    store = open_in(tmp_path)
    with store.read() as session:
        found = {
            name: session.scalar(text(f"PRAGMA {name}"))
            for name in ("journal_mode", "foreign_keys", "synchronous", "busy_timeout")
        }
    store.close()
    assert found == {
        "journal_mode": "wal",
        "foreign_keys": 1,
        "synchronous": 1,  # NORMAL
        "busy_timeout": 10_000,
    }


def test_opening_an_up_to_date_store_does_not_import_alembic(tmp_path):
    open_in(tmp_path).close()
    script = (
        "import sys; from core.settings import Settings; from core.store.store import Store;"
        "from pathlib import Path; Store.open(Settings(home=Path(sys.argv[1]))).close();"
        "sys.exit('alembic' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", script, str(tmp_path)]).returncode == 0


def test_processes_that_start_together_make_one_store(store_settings, store_environment):
    command = [sys.executable, "-c", OPEN_AND_SAVE]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    started = [
        subprocess.Popen([*command, f"p{n}"], env=store_environment, text=True, **pipes)
        for n in range(4)
    ]
    for each in started:
        assert each.stdout.readline() == "ready\n"
    for each in started:
        each.stdin.write("go\n")
        each.stdin.flush()
    errors = [each.communicate(timeout=60)[1] for each in started]

    assert errors == ["", "", "", ""]
    store = Store.open(store_settings)
    assert len(Documents(store, "w", "note").list()) == 80
    store.close()


def test_threads_share_one_store(store_settings):
    store = Store.open(store_settings)
    documents = Documents(store, "w", "note")
    document = documents.save("0", title="A", actor="me")

    def save() -> None:
        for _ in range(20):
            documents.save("more", title="A", actor="me", id=document.id)

    threads = [threading.Thread(target=save) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert documents.get(document.id).revision == 161
    store.close()


def test_a_reader_waits_for_no_writer_and_sees_nothing_half_done(store_settings):
    store = Store.open(store_settings)
    with store.begin() as writer:
        writer.execute(text("INSERT INTO workspace_fact VALUES ('w', 'k', '1')"))
        with store.read() as reader:
            assert reader.scalar(text("SELECT count(*) FROM workspace_fact")) == 0
    with store.read() as reader:
        assert reader.scalar(text("SELECT count(*) FROM workspace_fact")) == 1
    store.close()


def test_a_reader_sees_one_moment(store_settings):
    store = Store.open(store_settings)
    with store.read() as reader:
        assert reader.scalar(text("SELECT count(*) FROM workspace_fact")) == 0
        with store.begin() as writer:
            writer.execute(text("INSERT INTO workspace_fact VALUES ('w', 'k', '1')"))
        assert reader.scalar(text("SELECT count(*) FROM workspace_fact")) == 0
    store.close()


def insert_and_fail(store: Store) -> None:
    with store.begin() as session:
        session.execute(text("INSERT INTO workspace_fact VALUES ('w', 'k', '1')"))
        raise KeyError


def insert_twice(store: Store) -> None:
    with store.begin() as session:
        session.execute(text("INSERT INTO workspace_fact VALUES ('w', 'k', '1')"))
        session.execute(text("INSERT INTO workspace_fact VALUES ('w', 'k', '2')"))


@pytest.mark.parametrize(
    ("work", "error"), [(insert_and_fail, KeyError), (insert_twice, IntegrityError)]
)
def test_an_exception_rolls_the_transaction_back(store_settings, work, error):
    store = Store.open(store_settings)
    with pytest.raises(error):
        work(store)
    with store.read() as session:
        assert session.scalar(text("SELECT count(*) FROM workspace_fact")) == 0
    store.close()


def test_a_store_kept_busy_says_so_and_works_afterwards(tmp_path, monkeypatch):
    monkeypatch.setattr(database, "_BUSY_SECONDS", 0.05)
    store = open_in(tmp_path)
    with closing(sqlite3.connect(tmp_path / "store.sqlite", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(MillpondError, match="busy"):
            Documents(store, "w", "note").save("secret", title="A", actor="me")
        other.execute("ROLLBACK")
    Documents(store, "w", "note").save("text", title="A", actor="me")
    store.close()


def garbage(home: Path) -> None:
    (home / "store.sqlite").write_bytes(b"This is no database. " * 500)


def torn(home: Path) -> None:
    open_in(home).close()
    with (home / "store.sqlite").open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * 8192)


def of_another_program(home: Path) -> None:
    with closing(sqlite3.connect(home / "store.sqlite")) as other:
        other.execute("CREATE TABLE theirs (x)")


def a_folder(home: Path) -> None:
    (home / "store.sqlite").mkdir()


@pytest.mark.parametrize("damage", [garbage, torn, of_another_program, a_folder])
def test_a_file_that_is_no_store_is_refused_with_its_path_and_left_alone(tmp_path, damage):
    damage(tmp_path)
    path = tmp_path / "store.sqlite"
    before = path.read_bytes() if path.is_file() else None
    with pytest.raises(ConfigError) as refused:
        open_in(tmp_path)
    assert str(path) in refused.value.message
    assert refused.value.hint
    assert path.is_dir() or path.read_bytes() == before


def test_a_home_that_cannot_be_made_is_refused(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(ConfigError, match="cannot be opened for writing"):
        open_in(tmp_path / "file" / "home")


@pytest.mark.parametrize(
    "url",
    [
        "nonsense",
        "mysql://me:hunter2@host/db",
        "nosuch://me:hunter2@host/db",
        "postgresql+asyncpg://me:hunter2@host/db",
        "postgresql://me:hunter2@host:port/db",
        "sqlite://",  # in memory: lost at the end, and one per connection
        "sqlite:///:memory:",
    ],
)
def test_a_wrong_url_is_refused_without_its_password(tmp_path, url):
    with pytest.raises(ConfigError) as refused:
        Store.open(Settings(home=tmp_path, store_url=url))
    assert "hunter2" not in refused.value.message + refused.value.hint
    assert "postgresql://" in refused.value.hint


def test_a_server_that_is_not_there_is_told_without_its_password(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and not listened on
        url = f"postgresql://me:hunter2@127.0.0.1:{taken.getsockname()[1]}/db"
        with pytest.raises(MillpondError, match="did not answer") as refused:
            Store.open(Settings(home=tmp_path, store_url=url))
    assert "hunter2" not in refused.value.message + refused.value.hint


def test_the_driver_of_postgresql_is_imported_where_it_is_named_only(tmp_path):
    script = (
        "import sys; from core.settings import Settings; from core.store.store import Store;"
        "Store.open(Settings(home=sys.argv[1])).close(); sys.exit('psycopg' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", script, str(tmp_path)]).returncode == 0


def test_a_connection_that_the_server_ended_is_replaced(postgresql_url, tmp_path):
    store = Store.open(Settings(home=tmp_path, store_url=postgresql_url))
    with psycopg.connect(postgresql_url) as other:
        others = "datname = current_database() AND pid <> pg_backend_pid()"
        other.execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {others}")
    store.healthy()
    store.close()


def test_a_sqlite_file_may_be_named_by_url(tmp_path):
    url = f"sqlite:///{tmp_path}/elsewhere/mine.db"
    store = Store.open(Settings(home=tmp_path / "home", store_url=url))
    store.healthy()
    store.close()
    assert (tmp_path / "elsewhere" / "mine.db").stat().st_size > 0
    assert not (tmp_path / "home").exists()


def test_health_notices_a_store_that_is_gone(tmp_path):
    store = open_in(tmp_path)
    store.healthy()
    (tmp_path / "store.sqlite").rename(tmp_path / "away")
    with pytest.raises(ConfigError, match="deleted"):
        store.healthy()
    store.close()


def test_health_notices_another_version(store_settings):
    store = Store.open(store_settings)
    with store.begin() as session:
        session.execute(text("UPDATE millpond_version SET version_num = '9999'"))
    with pytest.raises(ConfigError, match="another version"):
        store.healthy()
    store.close()


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("plain é 🦆", "plain é 🦆"),
        ("a\x00b", "a\ufffdb"),
        ("half \ud83e only", "half \ufffd only"),
    ],
)
def test_text_that_no_database_takes_is_mended(given, kept):
    assert clean(given) == kept


def test_times_are_kept_in_utc_and_naive_ones_refused():
    kind, dialect = UtcTime(), sqlite.dialect()
    paris = datetime(2024, 7, 1, 12, tzinfo=timezone(timedelta(hours=2)))
    stored = kind.process_bind_param(paris, dialect)
    assert stored.isoformat() == "2024-07-01T10:00:00+00:00"
    for answer in (stored.replace(tzinfo=None), paris):  # as SQLite and as PostgreSQL give it back
        found = kind.process_result_value(answer, dialect)
        assert (found, found.tzinfo) == (paris, UTC)
    with pytest.raises(ValueError, match="no time zone"):
        kind.process_bind_param(datetime(2024, 7, 1), dialect)
