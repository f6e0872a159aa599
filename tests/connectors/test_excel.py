"""Excel: sheets as tables, gaps, empty sheets, cells that do not fit, files that only look so."""

from __future__ import annotations

import zipfile

import pytest

from connectors.excel import Excel
from core.errors import ConnectError, InvalidInput

EXCEL = Excel()


def _options(path, **given: object):
    return EXCEL.Options.model_validate({"path": str(path), **given})


@pytest.fixture
def book(tmp_path, write_workbook):
    sheets = {
        "Sales 2024": [["a", "b"], [1, "x"], [], [3, "z"]],
        "Nothing": [],
        'it\'s "q"': [["k"], [7]],
    }
    write_workbook(tmp_path / "b[1].xlsx", sheets, chart="Chart")
    return tmp_path / "b[1].xlsx"


def test_each_sheet_with_rows_is_a_table(con, book):
    report = EXCEL.inspect(con, _options(book), "book")
    assert report.tables == ('book."Sales 2024"', 'book."it\'s ""q"""')
    assert report.notes == ("The sheet Nothing is empty and left out.",)
    EXCEL.attach(con, _options(book), "book")
    rows = [con.execute(f"SELECT * FROM {table}").fetchall() for table in report.tables]
    assert rows == [[(1.0, "x"), (3.0, "z")], [(7.0,)]]  # the blank row ends nothing


def test_a_chosen_sheet_is_one_table(con, book):
    options = _options(book, sheet='it\'s "q"')
    assert EXCEL.inspect(con, options, "one").tables == ("one",)
    EXCEL.attach(con, options, "one")
    assert con.execute("SELECT k FROM one").fetchall() == [(7.0,)]


@pytest.mark.parametrize(
    ("given", "rows"),
    [
        ({"stop_at_empty": True}, [(1.0, "x")]),
        ({"range": "a1:b2"}, [(1.0, "x")]),
        ({"range": "A2:B4", "header": "no"}, [(1.0, "x"), (3.0, "z")]),
        ({"all_text": True}, [("1", "x"), ("3", "z")]),
    ],
)
def test_a_part_of_a_sheet_can_be_the_table(con, book, given, rows):
    EXCEL.attach(con, _options(book, sheet="Sales 2024", **given), "t")
    assert con.execute("SELECT * FROM t").fetchall() == rows


def test_an_unknown_sheet_lists_the_sheets(con, book):
    with pytest.raises(InvalidInput, match="it has Sales 2024, Nothing, it's"):
        EXCEL.inspect(con, _options(book, sheet="Sales"), "t")


@pytest.mark.parametrize("text", ["A1", "1:2", "A1:", "A1:B2; DROP", "AAAA1:B2"])
def test_a_range_that_is_none_is_refused(book, text):
    with pytest.raises(ValueError, match="range"):
        _options(book, range=text)


def test_a_cell_that_does_not_fit_is_named(con, tmp_path, write_workbook):
    path = tmp_path / "a.xlsx"
    write_workbook(path, {"S": [["a"], [1], ["bad"]]})
    report = EXCEL.inspect(con, _options(path), "t")
    assert report.rejected == 1
    assert (report.rejects[0].line, report.rejects[0].column) == (3, "A")
    assert "sheet S" in report.rejects[0].reason
    EXCEL.attach(con, _options(path, bad_cells="empty"), "t")
    assert con.execute("SELECT a FROM t").fetchall() == [(1.0,)]


def test_a_workbook_without_rows_is_refused(con, tmp_path, write_workbook):
    write_workbook(tmp_path / "a.xlsx", {"One": [], "Two": []})
    with pytest.raises(ConnectError, match="no sheet with rows"):
        EXCEL.inspect(con, _options(tmp_path / "a.xlsx"), "t")


def test_a_workbook_cut_in_half_is_refused(con, book):
    book.write_bytes(book.read_bytes()[: book.stat().st_size // 2])
    with pytest.raises(ConnectError, match="cut off"):
        EXCEL.attach(con, _options(book), "t")


BOMB = '<!DOCTYPE b [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]><workbook>&b;</workbook>'


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"readme.txt": "hello"}, "not an Excel workbook"),
        ({"xl/workbook.xml": BOMB}, "not plain XML"),
        ({"xl/workbook.xml": BOMB.encode("utf-16")}, "not plain XML"),
        ({"xl/workbook.xml": " " * (5 * 2**20)}, "not plain XML"),
        ({"xl/workbook.xml": "<workbook>"}, "is broken"),
    ],
    ids=["another zip", "an entity bomb", "hidden in UTF-16", "5 MB of nothing", "half the XML"],
)
def test_a_zip_that_is_no_workbook_is_refused(con, tmp_path, files, said):
    path = tmp_path / "a.xlsx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    with pytest.raises(ConnectError, match=said):
        EXCEL.inspect(con, _options(path), "t")
