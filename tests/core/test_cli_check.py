"""`millpond check`: what is wrong in notebooks, where, and the exit code for it."""

from __future__ import annotations

import json
import os

import pytest

from core.cli.commands import run

GOOD = "# Months\n\n```sql late\nFROM flights\n```\n\n```chart months\ndata: late\n```\n"
BAD = "```sql a\nFROM b\n```\n\n```sql b\nFROM a\n```\n\n```python p\nx = 1\ny = zz\n```\n"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("MILLPOND_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("MILLPOND_START_FOLDER", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "good.md").write_text(GOOD, encoding="utf-8")
    (tmp_path / "bad.md").write_text(BAD, encoding="utf-8")
    return tmp_path


def test_a_good_notebook_is_said_to_be(folder, capsys):
    assert run(["check", "good.md"]) == 0  # flights are in the sample data
    assert capsys.readouterr().out == "good.md: 3 cells, nothing wrong\n"


def test_each_problem_is_told_with_its_line_and_the_code_is_1(folder, capsys):
    assert run(["check", "good.md", "bad.md", "--no-sources"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "good.md: 3 cells, nothing wrong"
    assert lines[1].startswith("bad.md:2: sql a: It follows itself: a → b → a.")
    assert lines[2].startswith("bad.md:6: sql b: It follows itself: b → a → b.")
    assert lines[3] == "bad.md:10: python p: No cell defines zz."


def test_a_table_that_no_source_has_is_told(folder, capsys):
    (folder / "typo.md").write_text("```sql late\nFROM flihgts\n```\n", encoding="utf-8")
    assert run(["check", "typo.md"]) == 1
    assert "typo.md:2: sql late: No cell defines flihgts." in capsys.readouterr().out
    assert run(["check", "typo.md", "--no-sources"]) == 0


def test_json_tells_cells_ways_and_problems(folder, capsys):
    assert run(["check", "good.md", "bad.md", "--json", "--no-sources"]) == 1
    good, bad = json.loads(capsys.readouterr().out)
    assert (good["title"], good["order"]) == ("Months", ["markdown-1", "late", "months"])
    assert good["cells"][2]["parents"] == ["late"]
    assert bad["cells"][2]["problems"] == [
        {"message": "No cell defines zz.", "hint": "", "line": 10}
    ]


def test_a_file_that_cannot_be_read_is_said(folder, capsys):
    (folder / "latin.md").write_bytes(b"caf\xe9")
    assert run(["check", "gone.md", "--no-sources"]) == 1
    assert "There is no file gone.md." in capsys.readouterr().err
    assert run(["check", "latin.md", "--no-sources"]) == 1
    assert "latin.md is not UTF-8, at byte 3." in capsys.readouterr().err
    assert run(["check", str(folder), "--no-sources"]) == 1


def test_what_never_ends_is_refused_unread(folder, capsys):
    os.mkfifo(folder / "pipe.md")
    for endless in ("pipe.md", "/dev/zero"):
        assert run(["check", endless, "--no-sources"]) != 0
        assert f"{endless} is no file." in capsys.readouterr().err


def test_a_file_too_large_for_a_notebook_is_refused_unread(folder, capsys, monkeypatch):
    monkeypatch.setattr("core.cli.check.LARGEST", 10)
    assert run(["check", "good.md", "--no-sources"]) != 0
    assert "good.md has" in capsys.readouterr().err
