"""Exports beside DuckDB's own COPY, with the same options."""

from __future__ import annotations

from pathlib import Path

import duckdb

from benchmarks import inputs
from benchmarks.figures import Figure
from benchmarks.opened import opened
from benchmarks.rounds import alternate_timed, seconds
from core.engine.run import Run
from core.engine.session import Session

COPY = {"parquet": "FORMAT parquet, COMPRESSION zstd", "csv": "FORMAT csv, HEADER"}


def measure(rows: int, rounds: int) -> list[Figure]:
    """Export rows x 5: from SQL, and from a result that is kept."""
    sql = f"SELECT * FROM '{inputs.sales(rows)}'"
    figures = []
    with opened() as workbench, inputs.floor(workbench.settings) as floor:
        session = workbench.workspace().queries.session("exports")
        kept = session.run(sql)
        target = workbench.settings.home / "copied"
        for kind, options in COPY.items():

            def theirs(options: str = options) -> float:
                return _copy(floor, f"COPY ({sql}) TO '{target}' ({options})", target)

            def from_sql(format: str = kind) -> float:
                return _export(session, sql, format)

            def from_kept(format: str = kind) -> float:
                return _export_kept(session, kept, format)

            for name, ours in (("a query", from_sql), ("a kept result", from_kept)):
                pair = alternate_timed(ours, theirs, rounds)
                called = f"Export of {name}, {rows:,} rows, to {kind}"
                figures.append(Figure(called, pair.ratio, "x", 1.1, pair.how))
    return figures


def _copy(floor: duckdb.DuckDBPyConnection, sql: str, target: Path) -> float:
    taken = seconds(lambda: floor.execute(sql))
    target.unlink()
    return taken


def _export(session: Session, sql: str, format: str) -> float:
    made: list[Path] = []
    taken = seconds(lambda: made.append(session.export(sql, None, format=format)))
    made[0].unlink()
    return taken


def _export_kept(session: Session, run: Run, format: str) -> float:
    result, made = run.result, []
    assert result is not None
    taken = seconds(lambda: made.append(session.export_result(run, result, format=format)))
    made[0].unlink()
    return taken
