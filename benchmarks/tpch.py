"""The 22 TPC-H queries through a session, beside DuckDB in this process, over the same files."""

from __future__ import annotations

from statistics import geometric_mean, median

from benchmarks import inputs
from benchmarks.figures import Figure
from benchmarks.opened import opened
from benchmarks.rounds import Pair, alternate

SLACK = 0.010
"""Seconds that a query may take longer beside its multiple: a page is drawn in 16 ms."""


def measure(scale: float, rounds: int) -> list[Figure]:
    """Ours is a run to its end and its first 200 rows as a frame; the floor an Arrow table."""
    folder, queries = inputs.tpch(scale)
    views = [
        f"CREATE TEMP VIEW {table} AS FROM '{folder / table}.parquet'"
        for table in inputs.TPCH_TABLES
    ]
    with opened() as workbench, inputs.floor(workbench.settings) as floor:
        session = workbench.workspace().queries.session("tpch")
        session.run(";\n".join(views))
        for view in views:
            floor.execute(view)

        def ours(sql: str) -> object:
            run = session.run(sql)
            assert run.result is not None
            return session.page(run, run.result)

        pairs = [
            alternate(
                lambda sql=sql: ours(sql),
                lambda sql=sql: floor.execute(sql).to_arrow_table(),
                rounds,
            )
            for sql in queries
        ]
    return _figures(pairs, scale, rounds)


def _figures(pairs: list[Pair], scale: float, rounds: int) -> list[Figure]:
    worst = max(range(len(pairs)), key=lambda at: _excess(pairs[at]))
    name = f"TPC-H at scale {scale:g}"
    each = ", ".join(f"{at}: {pair.ratio:.2f}" for at, pair in enumerate(pairs, 1))
    return [
        Figure(
            f"{name}, 22 queries, geometric mean",
            geometric_mean(pair.ratio for pair in pairs),
            "x",
            1.05,
            f"medians of {rounds} alternating rounds; {each}",
        ),
        Figure(
            f"{name}, slowest beside the floor's time + {SLACK * 1e3:.0f} ms",
            _excess(pairs[worst]),
            "x",
            1.15,
            f"query {worst + 1}: {pairs[worst].how}",
        ),
    ]


def _excess(pair: Pair) -> float:
    """Return what multiple of the floor is left when the slack is taken off."""
    return (median(pair.ours) - SLACK) / median(pair.floor)
