"""JSON and NDJSON: what is read, which lines are bad, where an array breaks off."""

from __future__ import annotations

import gzip

import duckdb
import pytest

from connectors.json import Json
from core.errors import ConnectError

JSON = Json()


def _options(path, content: bytes, **given: object):
    path.write_bytes(content)
    return JSON.Options.model_validate({"path": str(path), **given})


@pytest.mark.parametrize(
    ("name", "content", "rows"),
    [
        ("a.json", b'[{"a": 1, "b": "x"}, {"a": 2}]', [(1, "x"), (2, None)]),
        ("a.ndjson", b'{"a": 1, "b": "x"}\n\n{"a": 2}\n', [(1, "x"), (2, None)]),
        ("a.json", b'{\n  "a": 1,\n  "b": {"c": [2]}\n}', [(1, {"c": [2]})]),
        ("a.json.gz", gzip.compress(b'[{"a": 1}]', mtime=0), [(1,)]),
        ("a[1] ü'.json", b'[{"a": 1}]', [(1,)]),
    ],
)
def test_what_is_written_is_read(con, tmp_path, name, content, rows):
    options = _options(tmp_path / name, content)
    assert JSON.inspect(con, options, "t").rejected == 0
    JSON.attach(con, options, "t")
    assert con.execute("SELECT * FROM files.main.t").fetchall() == rows


BAD = b'{"a": 1}\n{"a": 2\n{"a": 3}\n\n{"a": "\xff"}\n{"a": 4}\n'


def test_every_bad_line_is_reported(con, tmp_path):
    report = JSON.inspect(con, _options(tmp_path / "a.ndjson", BAD), "t")
    assert report.rejected == 2
    assert [(bad.line, bad.text) for bad in report.rejects] == [(2, '{"a": 2'), (5, '{"a": "�"}')]
    assert report.rejects[0].reason.startswith("it is not valid JSON at column")
    assert report.rejects[1].reason == "it is not valid UTF-8"


def test_a_bad_line_refuses_the_query(con, tmp_path):
    good = b'{"a": 1}\n'
    options = _options(tmp_path / "a.ndjson", good)
    JSON.attach(con, options, "t")
    _options(tmp_path / "a.ndjson", good + b'{"a": \n')
    with pytest.raises(duckdb.Error, match=r"a\.ndjson"):
        con.execute("SELECT * FROM files.main.t").fetchall()


def test_bad_lines_are_left_out_when_asked_for(con, tmp_path):
    options = _options(tmp_path / "a.ndjson", BAD, bad_rows="skip")
    JSON.attach(con, options, "t")
    assert con.execute("SELECT a::INTEGER FROM files.main.t").fetchall() == [(1,), (3,), (4,)]


def test_more_bad_lines_than_are_listed_are_still_counted(con, tmp_path):
    options = _options(tmp_path / "a.ndjson", b'{"a": 1}\n' + b"{\n" * 1500)
    report = JSON.inspect(con, options, "t")
    assert report.rejected == 1500
    assert len(report.rejects) == 1000


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b'[{"a": 1},\n{"a": 2},\n{"a"', "line 3: it is not valid JSON at column 5"),
        (b"hello\n", "line 1: it is not valid JSON at column 1"),
        (b"\xff\xfe[\x00", "not valid JSON"),
        (b'{"a": 1}\n' * 30_000 + b'{"a": "x"}\n', "a value does not fit its column"),
    ],
    ids=["cut in half", "no JSON", "UTF-16", "another type after the sample"],
)
def test_a_file_that_breaks_off_says_where(con, tmp_path, content, said):
    options = _options(tmp_path / "a.json", content)
    with pytest.raises(ConnectError, match=said) as caught:
        JSON.inspect(con, options, "t")
    assert str(tmp_path / "a.json") in caught.value.message


def test_one_huge_value_says_what_to_raise(con, tmp_path):
    huge = b'{"a": 1}\n{"a": "' + b"x" * 40_000_000 + b'"}\n{"a": 1}\n'
    options = _options(tmp_path / "a.ndjson", huge)
    with pytest.raises(ConnectError, match=r"line 2: .* longest value allowed"):
        JSON.inspect(con, options, "t")
    raised = options.model_copy(update={"longest_value": 50_000_000})
    assert JSON.inspect(con, raised, "t").rejected == 0
