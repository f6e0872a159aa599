"""CSV: what is found by looking, what is refused and where, and what happens when files change."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

import duckdb
import pytest

from connectors.csv import Csv
from core.errors import ConnectError, Forbidden

CSV = Csv()


def _attached(con, path: Path, content: bytes, **given: object):
    """Write, inspect and attach as `t`; return the report."""
    path.write_bytes(content)
    options = CSV.Options.model_validate({"path": str(path), **given})
    report = CSV.inspect(con, options, "t")
    CSV.attach(con, options, "t", cache=path.parent)
    return report


def _rows(con) -> list[tuple[object, ...]]:
    return con.execute("SELECT * FROM files.main.t").fetchall()


@pytest.mark.parametrize(
    ("content", "given", "rows"),
    [
        (b"a,b\n1,x\n", {}, [(1, "x")]),
        (b"a\tb\n1\tx\n", {}, [(1, "x")]),
        (b"a,b\r\n1,x\r\n", {}, [(1, "x")]),
        (b"\xef\xbb\xbfa,b\n1,x\n", {}, [(1, "x")]),  # a byte order mark is no part of a name
        ("a,b\n1,é\n".encode("utf-16"), {"encoding": "utf-16"}, [(1, "é")]),
        ("a,b\n1,é\n".encode("latin-1"), {"encoding": "latin-1"}, [(1, "é")]),
        (b"name;v\nA;1,5\nB;2,25\n", {"decimal_comma": True}, [("A", 1.5), ("B", 2.25)]),
        (b'a,b\n"x\ny",1\n"z ""q""",2\n', {}, [("x\ny", 1), ('z "q"', 2)]),
        (b"a,b\n1,x\0y\n2,z\n", {}, [(1, "x\0y"), (2, "z")]),
        (b"a,b\n1,NA\n2,3\n", {"null_text": "NA"}, [(1, None), (2, 3)]),
        (b"a,b\n007,x\n008,y\n", {"all_text": True}, [("007", "x"), ("008", "y")]),
        (b"made by\nnobody\na,b\n1,2\n", {"skip": 2}, [(1, 2)]),
        (b"1,2\n3,4\n", {"header": "no"}, [(1, 2), (3, 4)]),
        (b"a|b\n1|2\n", {"delimiter": "|"}, [(1, 2)]),
        (b"a\tb\n1\t2\n", {"delimiter": "tab"}, [(1, 2)]),
        (b"a,b\n'x,y',2\n", {"quote": "'"}, [("x,y", 2)]),
        (b"a,b\n", {}, []),
    ],
)
def test_what_is_written_is_read(con, tmp_path, content, given, rows):
    report = _attached(con, tmp_path / "a.csv", content, **given)
    assert report.rejected == 0
    assert _rows(con) == rows


def test_whole_numbers_beyond_64_bits_keep_every_digit(con, tmp_path):
    _attached(con, tmp_path / "a.csv", b"id,x\n1,1.5\n123456789012345678901234567890,2\n")
    assert _rows(con) == [(1, 1.5), (123456789012345678901234567890, 2.0)]


@pytest.mark.parametrize(
    ("header", "names"),
    [
        (b"a,a,A", ["a", "a_1", "A_2"]),
        (b"a,,c", ["a", "column1", "c"]),
        (b'"a ""b""",select,\xc3\xa9', ['a "b"', "select", "é"]),
    ],
)
def test_names_that_cannot_be_are_made_ones_that_can(con, tmp_path, header, names):
    _attached(con, tmp_path / "a.csv", header + b"\n1,2,3\n")
    assert [row[0] for row in con.execute("DESCRIBE files.main.t").fetchall()] == names


def test_a_gzipped_file_is_read_as_it_is(con, tmp_path):
    _attached(con, tmp_path / "a.csv.gz", gzip.compress(b"a,b\n1,x\n"))
    assert _rows(con) == [(1, "x")]


def test_a_name_full_of_pattern_characters_means_one_file(con, tmp_path):
    for name in ("a1.csv", "axb.csv"):
        (tmp_path / name).write_text("a\n99\n98\n")
    for name in ("a[1].csv", "a*b.csv", "a?.csv", "ü ' \" [é].csv"):
        _attached(con, tmp_path / name, b"a,b\n1,2\n")
        assert _rows(con) == [(1, 2)]


def test_a_folder_named_like_a_partition_adds_no_column(con, tmp_path):
    (tmp_path / "year=2024").mkdir()
    _attached(con, tmp_path / "year=2024" / "a.csv", b"a,b\n1,2\n")
    assert _rows(con) == [(1, 2)]


BAD = b"a,b\n" + b"1,2\n" * 25_000 + b"x,2\n3\n4,5,6\n" + b"1,2\n" * 3000 + b"7,\xff\n8,9\n"


def test_every_bad_row_is_reported_with_line_column_and_reason(con, tmp_path):
    path = tmp_path / "a.csv"
    report = _attached(con, path, BAD)
    assert report.rejected == 4
    found = [(bad.file, bad.line, bad.column, bad.reason, bad.text) for bad in report.rejects]
    assert found[:3] == [
        (str(path), 25_002, "a", 'column "a" holds "x", which is not a BIGINT', "x,2"),
        (str(path), 25_003, "b", "it has 1 columns where 2 are expected", "3"),
        (str(path), 25_004, "", "it has 3 columns where 2 are expected", "4,5,6"),
    ]
    assert found[3][1:3] == (28_005, "b")


def test_a_row_that_is_not_utf8_says_what_to_choose(con, tmp_path):
    report = _attached(con, tmp_path / "a.csv", b"a,b\n1,x\n2,\xff\n")
    assert [(bad.line, bad.reason) for bad in report.rejects] == [(3, "it is not valid UTF-8")]
    assert any("encoding" in note for note in report.notes)


def test_a_bad_row_refuses_the_query_and_names_the_line(con, tmp_path):
    _attached(con, tmp_path / "a.csv", b"a,b\n1,2\n3\n")
    with pytest.raises(duckdb.Error, match="Line: 3"):
        _rows(con)


def test_bad_rows_are_left_out_when_asked_for(con, tmp_path):
    report = _attached(con, tmp_path / "a.csv", BAD, bad_rows="skip")
    assert report.rejected == 4
    assert len(_rows(con)) == 28_001


def test_more_bad_rows_than_are_listed_are_still_counted(con, tmp_path):
    report = _attached(con, tmp_path / "a.csv", b"a,b\n" + b"1,2\n" * 3000 + b"1\n" * 2500)
    assert report.rejected == 2500
    assert len(report.rejects) == 1000


def test_the_text_of_a_bad_row_is_cut(con, tmp_path):
    long = b"1,2,3" + b"x" * 5000
    report = _attached(con, tmp_path / "a.csv", b"a,b\n" + b"1,2\n" * 3000 + long + b"\n")
    assert len(report.rejects[0].text) == 200


def test_looking_leaves_nothing_behind(con, tmp_path):
    _attached(con, tmp_path / "a.csv", BAD)
    assert con.execute("SELECT table_name FROM duckdb_tables() WHERE temporary").fetchall() == []


@pytest.mark.parametrize(
    ("content", "said", "hint"),
    [
        ("a,b\n1,é\n".encode("utf-16"), "is written in UTF-16", "UTF-16"),
        (b"a,b\n1," + b"x" * 5_000_000 + b"\n", "longer than 2000000 bytes", "Raise"),
        (b'a,b\n"x,1\nz,2\n', "no delimiter, quote and header fit", "Set the"),
    ],
    ids=["utf-16", "a 5 MB line", "a quote without end"],
)
def test_a_file_that_cannot_be_read_at_all(con, tmp_path, content, said, hint):
    path = tmp_path / "a.csv"
    with pytest.raises(ConnectError, match=said) as caught:
        _attached(con, path, content)
    assert str(path) in caught.value.message
    assert len(caught.value.message) < len(str(path)) + 100
    assert hint in caught.value.hint


def test_a_long_line_is_read_once_the_limit_is_raised(con, tmp_path):
    content = b"a,b\n1," + b"x" * 5_000_000 + b"\n"
    _attached(con, tmp_path / "a.csv", content, longest_line=6_000_000)
    assert con.execute("SELECT length(b) FROM files.main.t").fetchall() == [(5_000_000,)]


@pytest.mark.parametrize("later", [b"b,a\n1,2\n", b"a,c\n1,2\n", b"a,b,c\n1,2,3\n", b""])
def test_columns_that_change_later_are_refused_not_mistaken(con, tmp_path, later):
    path = tmp_path / "a.csv"
    _attached(con, path, b"a,b\n1,2\n")
    path.write_bytes(later)
    os.utime(path, ns=(1, 1))
    with pytest.raises(duckdb.Error, match=r"columns of .* have changed|Number of Columns"):
        _rows(con)
    if later:  # attached again, it is read as it is now
        CSV.attach(con, CSV.Options(path=str(path)), "t", cache=tmp_path)
        assert [row[0] for row in con.execute("DESCRIBE files.main.t").fetchall()] == (
            later.decode().splitlines()[0].split(",")
        )


def test_rows_that_change_later_are_seen(con, tmp_path):
    _attached(con, tmp_path / "a.csv", b"a,b\n1,2\n")
    (tmp_path / "a.csv").write_bytes(b"a,b\n3,4\n5,6\n")
    assert _rows(con) == [(3, 4), (5, 6)]


def test_what_was_found_is_kept_until_file_or_options_change(con, tmp_path):
    path, options = tmp_path / "a.csv", CSV.Options(path=str(tmp_path / "a.csv"))
    _attached(con, path, b"a;b\n1,5;2\n")
    kept = next(tmp_path.glob("csv-*.json"))
    kept.write_text(kept.read_text().replace('"BIGINT"', '"DOUBLE"'))
    CSV.attach(con, options, "t", cache=tmp_path)
    assert _rows(con) == [("1,5", 2.0)]  # not looked at again
    CSV.attach(con, options.model_copy(update={"decimal_comma": True}), "t", cache=tmp_path)
    assert _rows(con) == [(1.5, 2)]
    path.write_bytes(b"a;b\n1,5;x\n")
    CSV.attach(con, options, "t", cache=tmp_path)
    assert _rows(con) == [("1,5", "x")]
    assert len(list(tmp_path.glob("csv-*"))) == 1


@pytest.mark.parametrize("text", ["", "{", "[]", '{"stamp": 1}', "\udcff"])
def test_a_broken_cache_is_as_good_as_none(con, tmp_path, text):
    _attached(con, tmp_path / "a.csv", b"a,b\n1,2\n")
    next(tmp_path.glob("csv-*.json")).write_bytes(text.encode("utf-8", "surrogateescape"))
    CSV.attach(con, CSV.Options(path=str(tmp_path / "a.csv")), "t", cache=tmp_path)
    assert _rows(con) == [(1, 2)]


def test_quotes_that_come_after_the_sample_are_quotes(con, tmp_path):
    _attached(con, tmp_path / "a.csv", b"a,b\n" + b"1,x\n" * 30_000 + b'2,"y,z"\n')
    assert con.execute("SELECT b FROM files.main.t WHERE a = 2").fetchall() == [("y,z",)]


def test_a_file_deleted_after_it_was_attached_is_named(con, tmp_path):
    _attached(con, tmp_path / "a.csv", b"a,b\n1,2\n")
    (tmp_path / "a.csv").unlink()
    with pytest.raises(duckdb.IOException, match=r"a\.csv"):
        _rows(con)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="needs root to drop it")
def test_a_file_one_may_not_read_names_its_path(con, tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes(b"a,b\n1,2\n")
    path.chmod(0o600)
    os.seteuid(65534)  # root reads everything; nobody does not
    try:
        with pytest.raises(Forbidden) as caught:
            CSV.inspect(con, CSV.Options(path=str(path)), "t")
    finally:
        os.seteuid(0)
    assert caught.value.path == str(path)


def test_a_pipe_is_refused_rather_than_waited_for(con, tmp_path):
    os.mkfifo(tmp_path / "a.csv")
    with pytest.raises(ConnectError, match="not an ordinary file"):
        CSV.inspect(con, CSV.Options(path=str(tmp_path / "a.csv")), "t")
