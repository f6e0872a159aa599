"""All rows of a result as a stream of batches, read while they still arrive."""

from __future__ import annotations

import pyarrow as pa
import pytest

from core.engine.session import Session
from core.errors import QueryCancelled, QueryError


def numbers(batches) -> list[int]:
    return [value for batch in batches for value in batch.column("c0").to_pylist()]


# none; inline; more than come first; spooled in several batches
@pytest.mark.parametrize("rows", [0, 7, 1_500, 100_000])
@pytest.mark.parametrize("ended", [True, False])
def test_every_row_comes_once_and_in_order(session: Session, rows: int, ended: bool) -> None:
    run = session.start(f"select i from range({rows}) t(i)")
    run.wait() if ended else run.wait_rows(30)
    assert numbers(session.batches(run, run.results[0])) == list(range(rows))


def test_batches_are_read_while_later_ones_are_not_there_yet(session: Session) -> None:
    sql = "select i, case when i > 400_000 then list_sum(range(3_000 + i % 2)) end "
    run = session.start(sql + "from range(3_000_000) t(i)")
    run.wait_rows(30)
    batches = session.batches(run, run.results[0])
    first = [next(batches) for _ in range(3)]
    assert not run.ended
    assert numbers(first) == list(range(sum(batch.num_rows for batch in first)))
    run.cancel()
    with pytest.raises(QueryCancelled):
        list(batches)


def test_what_ends_a_run_too_early_is_raised_after_the_rows_before_it(session: Session) -> None:
    sql = "select i, case when i = 4_900_000 then error('stop here') end from range(5_000_000) t(i)"
    run = session.start(sql)
    run.wait_rows(30)
    read: list[pa.RecordBatch] = []
    with pytest.raises(QueryError, match="stop here"):
        read.extend(session.batches(run, run.results[0]))
    assert numbers(read) == list(range(sum(batch.num_rows for batch in read)))
    assert read
