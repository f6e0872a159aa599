"""The workbench as pages and API use it: sources, runs, history, through one Workspace."""

from __future__ import annotations

import io
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.access import Actor
from core.engine.filters import Filter
from core.engine.views import Sort
from core.errors import Conflict, ConnectError, Forbidden, InvalidInput, LimitExceeded, NotFound
from core.queries.models import SavedQuery
from core.queries.runs import Entry
from core.settings import Settings
from core.workbench import Workbench, Workspace


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder that the app was started in."""
    start = tmp_path / "start"
    start.mkdir()
    return start


@pytest.fixture
def workbench(tmp_path: Path, folder: Path) -> Iterator[Workbench]:
    settings = Settings(
        home=tmp_path / "home", start_folder=folder, sample_data=False, upload_limit=1000, threads=2
    )
    opened = Workbench.open(settings)
    yield opened
    opened.close()


@pytest.fixture
def here(workbench: Workbench) -> Workspace:
    return workbench.workspace()


def rows(here: Workspace, sql: str) -> list[tuple[object, ...]]:
    entry = here.queries.run(sql, document="test")
    entry.run.wait(30)
    if entry.run.error is not None:
        raise entry.run.error
    assert entry.run.result is not None
    return entry.session.page(entry.run, entry.run.result).frame.rows()


def write_csv(path: Path, *lines: str) -> str:
    path.write_text("\n".join(lines) + "\n")
    return str(path)


def test_a_file_in_the_start_folder_is_queried_after_it_is_added(here, folder):
    path = write_csv(folder / "people.csv", "id,name", "1,Ada", "2,Grace")
    report = here.connections.inspect("csv", {"path": path}, "people")
    here.connections.add("people", "csv", {"path": path})
    assert report.tables == ("people",)
    assert rows(here, "SELECT name FROM people ORDER BY id") == [("Ada",), ("Grace",)]
    assert [table.name for each in here.catalog.list() for table in each.tables] == ["people"]


def test_a_run_that_is_not_logged_is_found_again_and_not_in_the_history(here):
    entry = here.queries.run("SELECT 42", document="page", logged=False)
    assert entry.run.wait(30)
    assert here.queries.find("page") is entry
    assert not here.queries.history()


def test_a_file_that_appears_later_or_is_saved_anew_is_found(here, folder):
    assert rows(here, "SELECT 1") == [(1,)]  # the wall stands now
    path = write_csv(folder / "late.csv", "a", "1")
    assert rows(here, f"SELECT * FROM read_csv('{path}')") == [(1,)]
    other = write_csv(folder / "other", "a", "2")
    os.replace(other, path)  # as editors save: another file under the name
    here.connections.inspect("csv", {"path": path}, "late")
    assert rows(here, f"SELECT * FROM read_csv('{path}')") == [(2,)]


def test_hidden_files_and_the_home_are_not_in_reach(here, folder, workbench):
    secret = write_csv(folder / ".secret.csv", "a", "1")
    store = str(workbench.settings.home / "store.sqlite")
    for path in (secret, store):
        with pytest.raises(Forbidden, match="outside"):
            rows(here, f"SELECT * FROM read_text('{path}')")


def test_a_folder_is_in_reach_once_it_is_allowed_and_until_it_is_taken_back(here, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    path = write_csv(outside / "a.csv", "a", "1")
    with pytest.raises(Forbidden) as refused:
        here.connections.inspect("csv", {"path": path}, "a")
    assert refused.value.path == path
    here.connections.allow(str(outside))
    assert rows(here, f"SELECT * FROM '{path}'") == [(1,)]
    here.connections.disallow(str(outside))
    with pytest.raises(Forbidden):
        rows(here, f"SELECT * FROM '{path}'")


@pytest.mark.parametrize("path", ["", "..", "workspaces"], ids=["home", "above", "inside"])
def test_the_data_folder_itself_cannot_be_allowed(here, workbench, path):
    asked = workbench.settings.home / path
    asked.mkdir(parents=True, exist_ok=True)
    with pytest.raises(InvalidInput, match="data folder"):
        here.connections.allow(str(asked))


def test_a_source_that_cannot_be_attached_is_not_added(here, folder):
    path = write_csv(folder / "a.parquet", "this is no Parquet")
    with pytest.raises(ConnectError, match=r"a\.parquet"):
        here.connections.add("a", "parquet", {"path": path})
    assert here.connections.list() == []


def test_a_source_outside_the_folders_is_not_added_either(here, tmp_path):
    path = write_csv(tmp_path / "outside.csv", "a", "1")
    with pytest.raises(Forbidden, match="outside"):
        here.connections.add("a", "csv", {"path": path})
    assert here.connections.list() == []


def test_a_link_in_the_start_folder_does_not_lead_into_the_home(workbench, folder):
    link = folder / "link"
    link.symlink_to(workbench.settings.home / "store.sqlite")
    with pytest.raises(Forbidden):
        rows(workbench.workspace(), f"SELECT * FROM read_text('{link}')")


@pytest.mark.parametrize("alias", ["workspace", "FILES", "temp"])
def test_names_of_the_engine_cannot_be_aliases(here, folder, alias):
    path = write_csv(folder / "a.csv", "a", "1")
    with pytest.raises(InvalidInput, match="engine"):
        here.connections.add(alias, "csv", {"path": path})


def test_an_alias_is_taken_in_any_case_of_letters(here, folder):
    path = write_csv(folder / "a.csv", "a", "1")
    here.connections.add("a", "csv", {"path": path})
    with pytest.raises(Conflict):
        here.connections.add("A", "csv", {"path": path})


def test_sources_come_back_after_the_engine_was_killed(here, folder):
    path = write_csv(folder / "a.csv", "a", "1")
    here.connections.add("a", "csv", {"path": path})
    assert here.engine.pid is not None
    os.kill(here.engine.pid, signal.SIGKILL)
    here.queries.run("SELECT 1", document="probe").run.wait(30)
    assert rows(here, "SELECT * FROM a") == [(1,)]


def test_a_broken_source_is_named_and_mended_by_looking_again(here, folder):
    path = write_csv(folder / "a.csv", "a,b", "1,2")
    here.connections.add("a", "csv", {"path": path})
    Path(path).unlink()
    with pytest.raises(ConnectError):
        here.connections.look_again("a")
    assert [each.problem is None for each in here.connections.list()] == [False]
    write_csv(folder / "a.csv", "x", "7")
    here.connections.look_again("a")
    assert [each.problem for each in here.connections.list()] == [None]
    assert rows(here, "SELECT x FROM a") == [(7,)]


def test_options_are_changed_and_stay_where_the_new_ones_fail(here, folder):
    path = write_csv(folder / "a.csv", "a;b", "1;2")
    here.connections.add("a", "csv", {"path": path, "delimiter": ","})
    here.connections.change("a", {"path": path, "delimiter": ";"})
    assert rows(here, "SELECT b FROM a") == [(2,)]
    with pytest.raises(ConnectError):
        here.connections.change("a", {"path": str(folder / "gone.csv")})
    assert here.connections.get("a").options["path"] == path


def test_an_upload_is_copied_named_safely_and_deleted_with_its_source(here):
    stored = here.connections.upload("../../x y.csv", io.BytesIO(b"a\n1\n"))
    again = here.connections.upload("../../x y.csv", io.BytesIO(b"a\n2\n"))
    assert stored.parent == here.engine.folder / "uploads"
    assert stored != again
    here.connections.add("x", "csv", {"path": str(stored)})
    assert rows(here, "SELECT a FROM x") == [(1,)]
    here.connections.remove("x")
    assert not stored.exists()
    assert again.exists()


def test_an_upload_beyond_the_limit_leaves_nothing(here):
    with pytest.raises(LimitExceeded, match="larger") as refused:
        here.connections.upload("big.csv", io.BytesIO(b"x" * 2000))
    assert refused.value.setting == "MILLPOND_UPLOAD_LIMIT"
    assert [*(here.engine.folder / "uploads").iterdir()] == []


def test_a_viewer_may_query_and_not_change_sources(workbench, folder):
    viewer = workbench.workspace(Actor("vera", "viewer"))
    path = write_csv(folder / "a.csv", "a", "1")
    assert rows(viewer, f"SELECT * FROM '{path}'") == [(1,)]
    for act in (
        lambda: viewer.connections.add("a", "csv", {"path": path}),
        lambda: viewer.connections.allow(str(folder)),
        lambda: viewer.queries.save(SavedQuery(name="q", sql="SELECT 1")),
    ):
        with pytest.raises(Forbidden, match="vera may not"):
            act()


def test_runs_are_found_by_document_and_only_by_their_own_actor(workbench, here):
    entry = here.queries.run("SELECT 1", document="tab")
    other = workbench.workspace(Actor("eve", "editor"))
    assert here.queries.find("tab") is entry
    assert other.queries.find("tab") is None
    with pytest.raises(NotFound):
        other.queries.get(entry.run.id)


def test_history_knows_how_each_query_ended(here):
    for sql in ("SELECT 1 AS one", "SELECT nonsense", "SELECT count(*) FROM range(10000000000)"):
        entry = here.queries.run(sql, document="tab")
        if "range" in sql:
            entry.run.cancel()
        entry.run.wait(30)
    while any(each.state == "running" for each in here.queries.history()):
        time.sleep(0.01)  # the log is written when those who wait have been told
    found = {each.sql: (each.state, each.rows) for each in here.queries.history()}
    assert found["SELECT 1 AS one"] == ("done", 1)
    assert found["SELECT nonsense"][0] == "failed"
    assert found["SELECT count(*) FROM range(10000000000)"][0] == "cancelled"
    assert [each.sql for each in here.queries.history("nonsense")] == ["SELECT nonsense"]


def test_saved_queries_and_history_survive_a_restart(here, workbench):
    here.queries.run("SELECT 42", document="tab").run.wait(30)
    saved = here.queries.save(SavedQuery(name="answer", sql="SELECT 42", tags=["deep"]))
    workbench.close()
    opened = Workbench.open(workbench.settings)
    try:
        later = opened.workspace()
        assert later.queries.saved(saved.document.id).query.sql == "SELECT 42"
        assert [each.query.name for each in later.queries.list_saved("DEEP")] == ["answer"]
        assert [each.sql for each in later.queries.history()] == ["SELECT 42"]
    finally:
        opened.close()


def test_a_query_saved_by_somebody_else_meanwhile_is_not_overwritten(here):
    first = here.queries.save(SavedQuery(name="q", sql="SELECT 1")).document
    here.queries.save(SavedQuery(name="q", sql="SELECT 2"), id=first.id, revision=first.revision)
    with pytest.raises(Conflict):
        here.queries.save(
            SavedQuery(name="q", sql="SELECT 3"), id=first.id, revision=first.revision
        )


def test_the_oldest_results_go_when_all_are_too_large(tmp_path, folder):
    settings = Settings(
        home=tmp_path / "home", start_folder=folder, sample_data=False, spool_total=6_000_000
    )
    workbench = Workbench.open(settings)
    try:
        here = workbench.workspace()
        entries: list[Entry] = []
        for number in range(3):
            entry = here.queries.run(f"FROM range({400_000 + number})", document=str(number))
            assert entry.run.wait(30)
            entries.append(entry)
        first = entries[0].run.result
        assert first is not None
        with pytest.raises(NotFound):
            here.queries.get(entries[0].run.id)
        assert not (here.engine.spools / f"{first.id}.arrow").exists()
        last = entries[-1]
        assert last.run.result is not None
        page = last.session.page(last.run, last.run.result, 400_000, 5)
        assert page.frame.to_series().to_list() == [400_000, 400_001]
    finally:
        workbench.close()


def test_samples_are_attached_once_and_stay_away_when_removed(tmp_path, folder):
    settings = Settings(home=tmp_path / "home", start_folder=folder)
    for removed in (False, True):
        workbench = Workbench.open(settings)
        try:
            here = workbench.workspace()
            aliases = [each.connection.alias for each in here.connections.list()]
            assert aliases == (
                ["aviation", "flights"] if removed else ["aviation", "flights", "weather"]
            )
            if not removed:
                joined = "SELECT count(*) FROM flights JOIN aviation.airlines USING (carrier)"
                assert rows(here, joined) == [(336_776,)]
                here.connections.remove("weather")
        finally:
            workbench.close()


def test_health_tells_of_store_and_workers(workbench, here):
    assert workbench.health()["ok"]
    rows(here, "SELECT 1")
    assert workbench.health()["workers"] == {"local": {"running": True, "answers": True}}
    workbench.store.close()
    (workbench.settings.home / "store.sqlite").unlink()
    health = workbench.health()
    assert not health["ok"]
    assert "deleted" in health["store"]


def test_macros_of_the_workspace_are_listed_with_their_parameters(here):
    rows(here, "CREATE MACRO add_up(a, b) AS a + b; CREATE MACRO first_days() AS TABLE SELECT 1")
    rows(here, 'CREATE MACRO "odd name"() AS 1')
    assert here.catalog.macros() == ["add_up(a, b)", "first_days()"]


def test_macros_of_a_user_do_not_answer_our_own_questions(here):
    rows(here, 'CREATE MACRO contains(a, b) AS false; CREATE MACRO "+"(a, b) AS 42')
    entry = here.queries.run("SELECT range AS n FROM range(5000)", document="test")
    entry.run.wait(30)
    result = entry.run.result
    assert result is not None
    page = entry.session.page(entry.run, result, filters=[Filter(0, "contains", "499")])
    assert page.matching == 15
    rows(here, 'DROP MACRO contains; DROP MACRO "+"')


def test_a_damaged_result_says_so_sorted_as_well(here):
    entry = here.queries.run("SELECT range AS n FROM range(100000)", document="test")
    entry.run.wait(30)
    result = entry.run.result
    assert result is not None
    (here.engine.spools / f"{result.id}.arrow").write_bytes(b"ARROW?")
    with pytest.raises(NotFound, match="damaged"):
        entry.session.page(entry.run, result, sorts=[Sort(0, True)])
