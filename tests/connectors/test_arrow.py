"""Arrow: the three layouts, the copy in the cache, and files that were cut off."""

from __future__ import annotations

import os

import pyarrow as pa
import pytest
from pyarrow import feather, ipc

from connectors.arrow import Arrow
from core.errors import ConnectError

ARROW = Arrow()
TABLE = pa.table({"id": list(range(1000)), "t": [f"x{i}" for i in range(1000)]})


def _file(path, table=TABLE):
    with ipc.new_file(str(path), table.schema) as writer:
        writer.write_table(table, max_chunksize=100)


def _stream(path, table=TABLE):
    with ipc.new_stream(str(path), table.schema) as writer:
        writer.write_table(table, max_chunksize=100)


def _feather(path, table=TABLE):
    feather.write_feather(table, str(path), compression="zstd")


def _options(path):
    return ARROW.Options(path=str(path))


@pytest.mark.parametrize("make", [_file, _stream, _feather])
@pytest.mark.parametrize("cached", [True, False])
def test_each_layout_is_seen_by_cursors_made_before_and_after(con, tmp_path, make, cached):
    make(tmp_path / "a.arrow")
    before = con.cursor()
    ARROW.attach(con, _options(tmp_path / "a.arrow"), "t", cache=tmp_path / "c" if cached else None)
    for cursor in (before, con.cursor()):
        query = "SELECT count(*), sum(id), max(t) FROM files.main.t"
        assert cursor.execute(query).fetchall() == [(1000, 499500, "x999")]


def test_a_copy_is_made_once_and_again_when_the_file_changes(con, tmp_path):
    path, cache = tmp_path / "a.arrow", tmp_path / "c"
    _file(path)
    ARROW.attach(con, _options(path), "t", cache=cache)
    first = list(cache.iterdir())
    made = first[0].stat().st_ino
    ARROW.attach(con, _options(path), "t", cache=cache)
    assert first[0].stat().st_ino == made
    _file(path, TABLE.slice(0, 10))
    os.utime(path, ns=(1, 1))
    ARROW.attach(con, _options(path), "t", cache=cache)
    assert con.execute("SELECT count(*) FROM files.main.t").fetchall() == [(10,)]
    assert len(list(cache.iterdir())) == 1  # the older copy is gone


def test_a_lost_copy_is_made_again(con, tmp_path):
    _file(tmp_path / "a.arrow")
    for _ in range(2):
        ARROW.attach(con, _options(tmp_path / "a.arrow"), "t", cache=tmp_path / "c")
        for copy in (tmp_path / "c").iterdir():
            copy.unlink()
    ARROW.attach(con, _options(tmp_path / "a.arrow"), "t", cache=tmp_path / "c")
    assert con.execute("SELECT count(*) FROM files.main.t").fetchall() == [(1000,)]


@pytest.mark.parametrize("make", [_file, _stream, _feather])
@pytest.mark.parametrize("verb", ["inspect", "attach"])
def test_a_file_cut_in_half_leaves_no_copy(con, tmp_path, make, verb):
    path, cache = tmp_path / "a.arrow", tmp_path / "c"
    cache.mkdir()
    make(path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    given = {"cache": cache} if verb == "attach" else {}
    with pytest.raises(ConnectError, match=r"a\.arrow") as caught:
        getattr(ARROW, verb)(con, _options(path), "t", **given)
    assert "\n" not in caught.value.message
    assert list(cache.iterdir()) == []


def test_a_cache_that_cannot_be_written_is_said(con, tmp_path):
    _file(tmp_path / "a.arrow")
    (tmp_path / "c").write_text("a file in its place")
    with pytest.raises(ConnectError, match="cannot be copied"):
        ARROW.attach(con, _options(tmp_path / "a.arrow"), "t", cache=tmp_path / "c")
