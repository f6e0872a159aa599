"""An older store is migrated once with a copy kept; a newer one is refused and left alone."""

from __future__ import annotations

import importlib
import io
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateIndex, CreateTable

import core.catalog.records
import core.catalog.snapshots
import core.connections.records
import core.jobs.records
import core.notify.records
import core.queries.records
import core.secrets.records
import core.store.documents  # noqa: F401 - the slices declare the tables when imported
from core.errors import ConfigError
from core.settings import Settings
from core.store import upgrade
from core.store.database import reach
from core.store.documents import Documents
from core.store.rows import Row
from core.store.store import Store

NEXT_STEP = """
import sqlalchemy as sa
from alembic import op

revision = "{number}"
down_revision = "{before}"

def upgrade():
    op.create_table("extra", sa.Column("x", sa.Integer))
    {last}
"""

OPEN_WITH = """
import sys
from pathlib import Path
from core.settings import Settings
from core.store import upgrade
from core.store.store import Store

upgrade.MIGRATIONS = Path(sys.argv[1])
print("ready", flush=True)
sys.stdin.readline()
Store.open(Settings()).close()
"""


def with_next_step(folder: Path, last: str = "pass") -> Path:
    migrations = folder / "100% migrations"
    shutil.copytree(upgrade.MIGRATIONS, migrations)
    before = upgrade.newest()
    number = f"{int(before) + 1:04}"
    step = NEXT_STEP.format(number=number, before=before, last=last)
    (migrations / "versions" / f"v{number}_next.py").write_text(step)
    return migrations


def tables(settings: Settings) -> set[str]:
    engine = reach(settings)
    found = set(inspect(engine).get_table_names())
    engine.dispose()
    return found


def test_the_last_migration_is_what_the_file_names_say():
    script = ScriptDirectory(str(upgrade.MIGRATIONS))
    assert script.get_current_head() == upgrade.newest()
    assert all(Path(each.path).name[1:5] == each.revision for each in script.walk_revisions())


def test_the_migrations_make_the_tables_that_the_slices_declare(store_settings):
    store = Store.open(store_settings)
    with store.begin() as session:
        context = MigrationContext.configure(
            session.connection(),
            opts={"version_table": upgrade.VERSION_TABLE, "compare_type": True},
        )
        assert compare_metadata(context, Row.metadata) == []
    store.close()


def test_what_is_kept_for_an_empty_file_is_what_the_migrations_make():
    kept = (upgrade.MIGRATIONS / upgrade.NEWEST).read_text(encoding="utf-8")
    assert kept == upgrade.newest_sql(), "write it anew: uv run python -m core.store.upgrade"


def test_an_empty_file_needs_no_migration(tmp_path, monkeypatch):
    monkeypatch.setattr(upgrade, "_migrate", lambda connection: pytest.fail("it took the steps"))
    store = Store.open(Settings(home=tmp_path))
    store.healthy()
    assert Documents(store, "w", "note").save("text", title="A", actor="me").revision == 1
    store.close()


def test_the_migrations_and_tables_are_good_for_postgresql():
    written = io.StringIO()
    context = MigrationContext.configure(
        dialect_name="postgresql", opts={"as_sql": True, "output_buffer": written}
    )
    for file in sorted((upgrade.MIGRATIONS / "versions").glob("v*.py")):
        step = importlib.import_module(f"core.store.migrations.versions.{file.stem}")
        with Operations.context(context):
            step.upgrade()
    dialect = postgresql.dialect()
    for table in Row.metadata.sorted_tables:
        assert f"CREATE TABLE {table.name} (" in written.getvalue()
        assert str(CreateTable(table).compile(dialect=dialect))
        for index in table.indexes:
            assert str(CreateIndex(index).compile(dialect=dialect))
    assert "TIMESTAMP WITH TIME ZONE" in written.getvalue()
    assert "number SERIAL" in written.getvalue()
    assert "WHERE state = 'running'" in written.getvalue()


def test_an_older_store_is_migrated_with_what_is_in_it(store_settings, tmp_path, monkeypatch):
    store = Store.open(store_settings)
    saved = Documents(store, "w", "note").save("text", title="A", actor="me")
    store.close()
    monkeypatch.setattr(upgrade, "MIGRATIONS", with_next_step(tmp_path))

    migrated = Store.open(store_settings)
    migrated.healthy()
    assert Documents(migrated, "w", "note").get(saved.id) == saved
    migrated.close()
    assert "extra" in tables(store_settings)


def test_of_a_file_a_copy_is_kept_from_before(tmp_path, monkeypatch):
    store = Store.open(Settings(home=tmp_path))
    Documents(store, "w", "note").save("text", title="A", actor="me")
    old = upgrade.newest()
    monkeypatch.setattr(upgrade, "MIGRATIONS", with_next_step(tmp_path))

    # The first is still open, so that the copy has to take what is only in the WAL yet.
    Store.open(Settings(home=tmp_path)).close()
    store.close()

    copy = tmp_path / f"store.sqlite.v{old}"
    assert copy.stat().st_mode & 0o077 == 0
    assert "extra" not in tables(Settings(home=tmp_path, store_url=f"sqlite:///{copy}"))
    with closing(sqlite3.connect(copy)) as found:
        assert found.execute("SELECT text FROM document_revision").fetchall() == [("text",)]


def test_a_migration_that_fails_changes_nothing(store_settings, tmp_path, monkeypatch):
    Store.open(store_settings).close()
    good = upgrade.MIGRATIONS
    bad = with_next_step(tmp_path, last='raise RuntimeError("half way")')
    monkeypatch.setattr(upgrade, "MIGRATIONS", bad)
    with pytest.raises(RuntimeError, match="half way"):
        Store.open(store_settings)
    assert "extra" not in tables(store_settings)

    monkeypatch.setattr(upgrade, "MIGRATIONS", good)
    Store.open(store_settings).close()


def test_a_newer_store_is_refused(store_settings, tmp_path, monkeypatch):
    with monkeypatch.context() as newer:
        newer.setattr(upgrade, "MIGRATIONS", with_next_step(tmp_path))
        Store.open(store_settings).close()
    with pytest.raises(ConfigError, match="versions up to"):
        Store.open(store_settings)


def test_a_newer_file_is_left_alone(tmp_path, monkeypatch):
    with monkeypatch.context() as newer:
        newer.setattr(upgrade, "MIGRATIONS", with_next_step(tmp_path))
        Store.open(Settings(home=tmp_path)).close()
    before = (tmp_path / "store.sqlite").read_bytes()
    with pytest.raises(ConfigError, match="versions up to"):
        Store.open(Settings(home=tmp_path))
    assert (tmp_path / "store.sqlite").read_bytes() == before


def test_processes_that_start_together_migrate_once(store_settings, store_environment, tmp_path):
    Store.open(store_settings).close()
    command = [sys.executable, "-c", OPEN_WITH, str(with_next_step(tmp_path))]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    started = [
        subprocess.Popen(command, env=store_environment, text=True, **pipes) for _ in range(3)
    ]
    for each in started:
        assert each.stdout.readline() == "ready\n"
    for each in started:
        each.stdin.write("go\n")
        each.stdin.flush()
    assert [each.communicate(timeout=60)[1] for each in started] == ["", "", ""]
    assert "extra" in tables(store_settings)
    # Who came second found it done, and kept no copy of the new.
    copies = [file.name for file in tmp_path.glob("store.sqlite.v*")]
    assert copies == ([] if store_settings.store_url else [f"store.sqlite.v{upgrade.newest()}"])
