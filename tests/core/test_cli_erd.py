"""`millpond erd` as a shell sees it."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from core.cli.commands import run


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return tmp_path_factory.mktemp("home")


@pytest.fixture
def erd(home, monkeypatch, capsys):
    """Run the command on the sample data; return exit code, standard output and error."""

    def call(*arguments: object):
        monkeypatch.setenv("MILLPOND_HOME", str(home))
        code = run(["erd", *map(str, arguments)])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return call


def test_a_source_is_drawn_as_svg(erd):
    code, out, err = erd("aviation")
    assert (code, err) == (0, "")
    assert ElementTree.fromstring(out).tag.endswith("svg")
    assert 'data-table="aviation.main.planes"' in out


def test_the_ending_of_the_file_chooses_the_form(erd, tmp_path):
    for name, begin in (
        ("a.mmd", "erDiagram"),
        ("a.dbml", "// aviation.main"),
        ("a.x", "<svg"),
        ("a.html", "<!doctype html>"),
    ):
        code, out, _ = erd("aviation.main", "--out", tmp_path / name)
        assert (code, out) == (0, "")
        assert (tmp_path / name).read_text().startswith(begin)


def test_what_is_inferred_is_drawn_around_a_table(erd):
    _, out, _ = erd("--table", "flights", "--format", "mermaid", "--inferred", "--keys")
    assert 'aviation_main_airlines |o..o{ files_main_flights : "carrier (100 percent found)"' in out
    assert "aviation_main_fleet" not in out
    _, out, _ = erd("--table", "planes", "--format", "mermaid", "--hops", 2)
    assert "aviation_main_airlines" in out
    assert "files_main_flights" not in out


def test_tables_that_are_left_out_are_counted(erd):
    code, out, err = erd("aviation", "--tables", 2)
    assert code == 0
    assert out.count('class="table"') == 2
    assert err == "2 of 5 tables; --tables draws more.\n"


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ([], 1, "There are several sources"),
        (["nowhere"], 1, "There is no source nowhere"),
        (["aviation.nowhere"], 1, "They are|There are aviation, files"),
        (["--table", "nothing"], 1, "There is no table nothing"),
        (["aviation", "--table", "flights"], 1, "There is no table flights"),
        (["aviation", "--format", "png"], 2, "png"),
        (["aviation", "--out", "/nowhere/a.svg"], 1, "cannot be written"),
    ],
)
def test_what_cannot_be_drawn_is_said(erd, arguments, code, said):
    got, out, err = erd(*arguments)
    assert (got, out) == (code, "")
    assert any(each in err for each in said.split("|"))
