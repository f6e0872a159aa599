"""Folders: formats, patterns, partitions, files that differ, and the one that is broken."""

from __future__ import annotations

import duckdb
import pytest

from connectors.folder import Folder
from core.errors import ConnectError, InvalidInput

FOLDER = Folder()


def _options(path, **given: object):
    return FOLDER.Options.model_validate({"path": str(path), **given})


def _attached(con, path, **given: object):
    report = FOLDER.inspect(con, _options(path, **given), "t")
    FOLDER.attach(con, report.options, "t")
    return report


def _rows(con, select="*"):
    return sorted(con.execute(f"SELECT {select} FROM files.main.t").fetchall())


@pytest.fixture
def lake(tmp_path):
    root = tmp_path / "lake [1] it's"
    for year in (2023, 2024):
        for name in ("a", "b"):
            file = root / f"year={year}" / f"{name}.csv"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(f"id,t\n{year},{name}\n")
    return root


def test_partitions_are_columns(con, lake):
    report = _attached(con, lake)
    assert report.options.format == "csv"
    assert report.notes == ("4 files.",)
    assert _rows(con, "id, t, year")[0] == (2023, "a", 2023)
    assert con.execute("SELECT count(*) FROM files.main.t WHERE year = 2024").fetchall() == [(2,)]


def test_partitions_can_be_left_out(con, lake):
    _attached(con, lake, hive="no")
    assert len(_rows(con)[0]) == 2


@pytest.mark.parametrize(
    ("path", "given", "count"),
    [
        ("", {"pattern": "year=2024/*.csv"}, 2),
        ("", {"pattern": "**/a.csv"}, 2),
        ("/year=2023", {}, 2),
        ("/year=*/b.csv", {}, 2),  # a pattern in the path is parted from it
        ("/**/a.csv", {}, 2),
    ],
)
def test_a_pattern_chooses_files(con, lake, path, given, count):
    _attached(con, f"{lake}{path}", **given)
    assert len(_rows(con)) == count


def test_the_file_of_a_row_can_be_a_column(con, lake):
    _attached(con, lake, file_column=True)
    assert _rows(con, "filename")[0] == (str(lake / "year=2023" / "a.csv"),)


def test_columns_are_matched_by_name(con, tmp_path):
    (tmp_path / "a.csv").write_text("x,y\n1,2\n")
    (tmp_path / "b.csv").write_text("y,x,z\n20,10,30\n")
    _attached(con, tmp_path)
    assert _rows(con, "x, y, z") == [(1, 2, None), (10, 20, 30)]


@pytest.mark.parametrize("how", ["parquet", "json"])
def test_other_formats_are_found_by_their_names(con, tmp_path, how):
    con.execute(f"COPY (SELECT 1 AS a) TO '{tmp_path}/x.{how}' (FORMAT {how})")
    assert _attached(con, tmp_path).options.format == how
    assert _rows(con) == [(1,)]


def test_several_formats_ask_for_a_choice(con, lake):
    (lake / "x.json").write_text('{"a": 1}')
    with pytest.raises(InvalidInput, match="csv, json"):
        FOLDER.inspect(con, _options(lake), "t")
    assert _attached(con, lake, format="json").notes == ("1 file.",)


@pytest.mark.parametrize("given", [{}, {"format": "csv"}, {"pattern": "*.x"}])
def test_a_pattern_that_matches_nothing_is_said(con, tmp_path, given):
    (tmp_path / "readme.txt").write_text("hello")
    with pytest.raises(ConnectError, match=f"no file .* in {tmp_path}"):
        FOLDER.inspect(con, _options(tmp_path, **given), "t")


def test_bad_rows_name_their_file(con, lake):
    bad = lake / "year=2024" / "b.csv"
    bad.write_text("id,t\n1,x\n2\n")
    report = FOLDER.inspect(con, _options(lake), "t")
    assert [(each.file, each.line) for each in report.rejects] == [(str(bad), 3)]
    _attached(con, lake, bad_rows="skip")
    assert len(_rows(con)) == 4


def test_new_files_are_seen_at_once(con, lake):
    _attached(con, lake)
    (lake / "year=2024" / "c.csv").write_text("id,t\n1,c\n")
    assert len(_rows(con)) == 5


def test_a_folder_deleted_after_it_was_attached_is_an_error(con, lake):
    _attached(con, lake)
    lake.rename(lake.with_name("gone"))
    with pytest.raises(duckdb.IOException, match="No files found"):
        _rows(con)


@pytest.mark.parametrize("text", ["../*.csv", "/etc/*", "a/../../b", "a\0b"])
def test_a_pattern_stays_below_its_folder(tmp_path, text):
    with pytest.raises(ValueError, match="pattern"):
        _options(tmp_path, pattern=text)


def test_a_path_cannot_climb_out_through_its_pattern(tmp_path):
    with pytest.raises(ValueError, match="pattern"):
        _options(f"{tmp_path}/*/../../../etc/*")
