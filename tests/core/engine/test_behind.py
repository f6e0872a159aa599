"""Writing behind: in order, a bounded amount at a time, and no error is lost."""

from __future__ import annotations

import threading

import pyarrow as pa
import pytest

from core.engine.worker.behind import WAITING_BYTES, Behind
from core.errors import LimitExceeded


def batch(number: int, size: int = 1) -> pa.RecordBatch:
    return pa.RecordBatch.from_pydict({"c0": pa.array([number] * size, pa.int64())})


def number(written: pa.RecordBatch) -> int:
    return written.column(0)[0].as_py()


def nothing() -> None:
    pass


def refuse(_: pa.RecordBatch) -> None:
    raise LimitExceeded("full")


def spool_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "spool"]


def test_all_batches_are_written_in_order_before_the_block_ends() -> None:
    written: list[int] = []
    with Behind(lambda each: written.append(number(each)), nothing) as behind:
        for at in range(1_000):
            behind.put(batch(at))
    assert written == list(range(1_000))
    assert not spool_threads()


def test_no_more_waits_than_may() -> None:
    started, go = threading.Event(), threading.Event()
    large = batch(0, WAITING_BYTES // 8)

    def write(_: pa.RecordBatch) -> None:
        started.set()
        go.wait()

    with Behind(write, nothing) as behind:
        behind.put(large)
        assert started.wait(10)
        behind.put(large)  # waits for the writer
        third = threading.Thread(target=behind.put, args=[large])
        third.start()
        third.join(0.2)
        assert third.is_alive()
        go.set()
        third.join(10)
        assert not third.is_alive()


def test_an_error_of_the_last_batch_ends_the_block() -> None:
    with pytest.raises(LimitExceeded, match="full"), Behind(refuse, nothing) as behind:
        behind.put(batch(0))
    assert not spool_threads()


def test_the_writers_error_is_told_at_once_and_is_the_one_that_counts() -> None:
    interrupted = threading.Event()

    def query() -> None:
        with Behind(refuse, interrupted.set) as behind:
            behind.put(batch(0))
            assert interrupted.wait(10)
            raise RuntimeError("the query was interrupted")

    with pytest.raises(LimitExceeded) as caught:
        query()
    assert isinstance(caught.value.__cause__, RuntimeError)


def test_a_batch_after_an_error_is_refused() -> None:
    failed, taken = threading.Event(), []

    def query() -> None:
        with Behind(refuse, failed.set) as behind:
            behind.put(batch(0))
            assert failed.wait(10)
            behind.put(batch(1))
            taken.append(1)

    with pytest.raises(LimitExceeded):
        query()
    assert not taken


def test_an_error_in_the_block_drops_what_waits() -> None:
    started, go, written = threading.Event(), threading.Event(), []

    def write(each: pa.RecordBatch) -> None:
        started.set()
        assert go.wait(10)
        written.append(number(each))

    def query() -> None:
        with Behind(write, nothing) as behind:
            for at in range(3):
                behind.put(batch(at))
            assert started.wait(10)
            threading.Timer(0.3, go.set).start()  # by then the block has ended
            raise KeyError

    with pytest.raises(KeyError):
        query()
    assert written == [0]
    assert not spool_threads()
