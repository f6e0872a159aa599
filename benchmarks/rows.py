"""A result of millions of rows: its first page, a deep page, memory, and all of it as Arrow."""

from __future__ import annotations

from pathlib import Path
from statistics import median

import duckdb
import psutil
import pyarrow as pa

from benchmarks import inputs
from benchmarks.figures import Figure
from benchmarks.opened import opened
from benchmarks.rounds import alternate_timed, seconds, spoken
from core.engine.run import Run
from core.engine.session import Session


def measure(rows: int, rounds: int) -> list[Figure]:
    """Take `SELECT *` over rows x 5; memory comes first, before the floor has used any."""
    file = inputs.sales(rows)
    with opened() as workbench, inputs.floor(workbench.settings) as floor:
        session = workbench.workspace().queries.session("rows")
        session.run("SELECT 1")
        growth, deep = _memory_and_depth(session, file, rows, rounds)
        return [
            _first_page(session, floor, file, rounds),
            deep,
            growth,
            *_all(session, floor, file, rounds),
        ]


def _sql(file: Path) -> str:
    return f"SELECT * FROM '{file}'"


def _memory_and_depth(
    session: Session, file: Path, rows: int, rounds: int
) -> tuple[Figure, Figure]:
    process = psutil.Process()
    before = highest = process.memory_info().rss
    run = session.start(_sql(file))
    while not run.wait(0.02):
        highest = max(highest, process.memory_info().rss)
    assert run.result is not None
    at = rows * 9 // 10
    taken = [seconds(lambda: session.page(run, run.result, at)) for _ in range(rounds)]
    highest = max(highest, process.memory_info().rss)
    name = f"SELECT * over {rows:,} rows"
    growth = Figure(
        f"{name}: growth of the web process",
        max(0, highest - before) / 1e6,
        "MB",
        50,
        "highest resident size from the start to the last page, of one run",
    )
    how = f"once all rows have arrived, median of {rounds}, slowest {spoken(max(taken))}"
    deep = Figure(f"{name}: a page at row {at:,}", median(taken) * 1e3, "ms", 100, how)
    return growth, deep


def _first_page(
    session: Session, floor: duckdb.DuckDBPyConnection, file: Path, rounds: int
) -> Figure:
    def ours() -> float:
        runs: list[Run] = []

        def first_page() -> object:
            run = session.start(_sql(file))
            runs.append(run)
            run.wait_rows()
            assert run.result is not None
            return session.page(run, run.result, 0, 200)

        taken = seconds(first_page)
        runs[0].cancel()
        runs[0].wait()
        _forget(runs[0])
        return taken

    def theirs() -> float:
        return seconds(lambda: floor.execute(_sql(file)).to_arrow_reader(1000).read_next_batch())

    pair = alternate_timed(ours, theirs, rounds)
    name = "SELECT * over all rows: first page, beside DuckDB's first 1,000 rows"
    return Figure(name, pair.ratio, "x", 1.5, pair.how)


def _all(
    session: Session, floor: duckdb.DuckDBPyConnection, file: Path, rounds: int
) -> list[Figure]:
    def all_rows() -> tuple[Run, pa.Table]:
        run = session.start(_sql(file))
        run.wait_rows()
        if run.error is not None:
            raise run.error
        assert run.result is not None
        return run, pa.Table.from_batches(session.batches(run, run.result))

    def ours() -> float:
        made: list[tuple[Run, pa.Table]] = []
        taken = seconds(lambda: made.append(all_rows()))
        _forget(made[0][0])
        return taken

    def theirs() -> float:
        return seconds(lambda: floor.execute(_sql(file)).to_arrow_table())

    pair = alternate_timed(ours, theirs, rounds)
    return [Figure("SELECT * over all rows: all as Arrow", pair.ratio, "x", 1.2, pair.how)]


def _forget(run: Run) -> None:
    """Remove the spool: a round must not wait for the disk of the one before."""
    for result in run.results:
        run.arrival(result.id).path.unlink(missing_ok=True)
