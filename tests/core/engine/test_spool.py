"""Spools: any range of rows, also while they are written, and nothing beyond their limit."""

from __future__ import annotations

import resource
import stat
from pathlib import Path

import pyarrow as pa
import pytest

from core.engine.spool import BATCH_BYTES, SpoolWriter, covering, read_rows
from core.errors import LimitExceeded, NotFound

SCHEMA = pa.schema([("c0", pa.int64()), ("c1", pa.string())])


def batch(start: int, count: int, width: int = 5) -> pa.RecordBatch:
    numbers = range(start, start + count)
    return pa.RecordBatch.from_pydict(
        {"c0": list(numbers), "c1": [str(n).zfill(width) for n in numbers]}, schema=SCHEMA
    )


@pytest.mark.parametrize(
    ("offset", "limit", "expected"),
    [
        (0, 3, [0, 1, 2]),
        (98, 4, [98, 99, 100, 101]),  # over the edge of two batches
        (0, 250, list(range(250))),
        (249, 10, [249]),
        (250, 10, []),
        (9_999, 1, []),
        (100, 0, []),
    ],
)
def test_any_range_of_rows_is_read(
    tmp_path: Path, offset: int, limit: int, expected: list[int]
) -> None:
    with SpoolWriter(tmp_path / "a.arrow", SCHEMA, 10**6) as writer:
        for start, count in ((0, 100), (100, 100), (200, 50)):
            writer.write(batch(start, count))
    table = read_rows(tmp_path / "a.arrow", SCHEMA, writer.extents, offset, limit)
    assert table.column(0).to_pylist() == expected
    assert table.schema == SCHEMA


def test_what_is_written_is_read_before_the_end(tmp_path: Path) -> None:
    with SpoolWriter(tmp_path / "a.arrow", SCHEMA, 10**6) as writer:
        writer.write(batch(0, 100))
        table = read_rows(tmp_path / "a.arrow", SCHEMA, writer.extents, 99, 5)
        assert table.column(0).to_pylist() == [99]


def _fill(writer: SpoolWriter) -> None:
    for start in range(0, 100_000, 1_000):
        writer.write(batch(start, 1_000))


def test_a_file_for_which_there_is_no_room_goes(tmp_path: Path) -> None:
    # As a full disk does it: the kernel refuses a write in the middle.
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, limits[1]))
    writer = SpoolWriter(tmp_path / "a.arrow", SCHEMA, 10**9)
    try:
        with pytest.raises(OSError, match="File too large"), writer:
            _fill(writer)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert writer.rows > 0
    assert not (tmp_path / "a.arrow").exists()


def test_the_whole_file_is_a_stream_for_any_reader(tmp_path: Path) -> None:
    with SpoolWriter(tmp_path / "a.arrow", SCHEMA, 10**6) as writer:
        writer.write(batch(0, 100))
    assert pa.ipc.open_stream(tmp_path / "a.arrow").read_all().num_rows == 100
    assert stat.S_IMODE((tmp_path / "a.arrow").stat().st_mode) == 0o600


def test_large_batches_are_cut_so_that_a_page_needs_little_memory(tmp_path: Path) -> None:
    with SpoolWriter(tmp_path / "a.arrow", SCHEMA, 10**9) as writer:
        writer.write(batch(0, 1000, width=30_000))
    assert max(extent.length for extent in writer.extents) < 1.1 * BATCH_BYTES
    assert sum(extent.rows for extent in writer.extents) == writer.rows == 1000
    assert covering(writer.extents, 999) == len(writer.extents) - 1


def test_a_limit_is_kept_and_named(tmp_path: Path) -> None:
    with SpoolWriter(tmp_path / "a.arrow", SCHEMA, 10_000) as writer:
        writer.write(batch(0, 100))
        with pytest.raises(LimitExceeded) as caught:
            writer.write(batch(100, 1000))
    assert caught.value.setting == "MILLPOND_SPOOL_LIMIT"
    assert (tmp_path / "a.arrow").stat().st_size < 12_000


def test_a_file_that_is_gone_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="no longer kept"):
        read_rows(tmp_path / "a.arrow", SCHEMA, [], 0, 1)


@pytest.mark.parametrize("content", [b"", b"x\n", b"\xff" * 10_000])
def test_a_file_that_was_damaged_is_not_found(tmp_path: Path, content: bytes) -> None:
    with SpoolWriter(tmp_path / "r.arrow", SCHEMA, 10**9) as writer:
        writer.write(batch(0, 100))
    (tmp_path / "r.arrow").write_bytes(content)
    with pytest.raises(NotFound, match="damaged"):
        read_rows(tmp_path / "r.arrow", SCHEMA, writer.extents, 0, 10)


def test_a_spool_is_never_written_over(tmp_path: Path) -> None:
    (tmp_path / "a.arrow").write_bytes(b"another's")
    with pytest.raises(FileExistsError):
        SpoolWriter(tmp_path / "a.arrow", SCHEMA, 10**6)
