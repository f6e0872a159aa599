"""`millpond compare`: what it prints, and its exit code for scripts."""

from __future__ import annotations

import json

import duckdb
import pytest

from core.cli.commands import run
from core.settings import Settings
from core.workbench import Workbench


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A data folder with two DuckDB files as sources."""
    folder = tmp_path_factory.mktemp("compare")
    files = {
        "old": "CREATE TABLE a_table (x INT, y INT); CREATE TABLE t (colour INT)",
        "new": "CREATE TABLE b_table (x INT, y INT); CREATE TABLE t (color INT)",
    }
    workbench = Workbench.open(
        Settings(home=folder / "home", start_folder=folder, sample_data=False)
    )
    for name, sql in files.items():
        file = folder / f"{name}.duckdb"
        with duckdb.connect(str(file)) as con:
            con.execute(sql)
        workbench.workspace().connections.add(name, "duckdb", {"path": str(file)})
    workbench.close()
    return folder / "home"


@pytest.fixture
def compare(home, monkeypatch, capsys):
    """Run the command here; return exit code, standard output and standard error."""

    def call(*arguments: str):
        monkeypatch.setenv("MILLPOND_HOME", str(home))
        monkeypatch.setenv("MILLPOND_SAMPLE_DATA", "false")
        code = run(["compare", *arguments])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return call


def test_what_differs_is_a_line_each_and_the_exit_code_is_1(compare):
    code, out, err = compare("old", "new")
    assert (code, err) == (1, "")
    assert out.splitlines() == [
        "old.main -> new.main",
        "+ b_table",
        "~ t: 2 columns",
        "- a_table",
        "? perhaps a_table was renamed to b_table",
        "? perhaps t.colour was renamed to color",
        "1 added, 1 removed, 1 changed, 0 the same.",
    ]


def test_what_is_equal_exits_with_0(compare):
    code, out, _ = compare("old.main", "old")
    assert code == 0
    assert out.endswith("0 added, 0 removed, 0 changed, 2 the same.\n")


def test_what_cannot_be_compared_exits_with_2(compare):
    code, out, err = compare("old", "nowhere")
    assert (code, out) == (2, "")
    assert 'There is no source "nowhere".' in err


def test_statements_and_json_are_printed(compare):
    code, out, _ = compare("old", "new", "--format", "sql", "--dialect", "postgres")
    assert code == 1
    assert 'SET search_path TO "main";' in out
    code, out, _ = compare("old", "new", "--format", "json")
    assert json.loads(out)["removed"] == 1
