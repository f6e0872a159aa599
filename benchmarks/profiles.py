"""How fast tables are profiled: the first look, and the exact pass beside hand-written SQL."""

from __future__ import annotations

from pathlib import Path

from benchmarks import inputs
from benchmarks.figures import Figure
from benchmarks.opened import opened
from benchmarks.rounds import alternate, seconds, spoken, wait_for_quiet
from core.catalog.models import Table
from core.connector import literal
from core.engine.relation import family
from core.workbench import Workspace

_READ = "read_parquet({}, hive_partitioning = false)"


def measure(rows: int, rounds: int) -> list[Figure]:
    """Profile a table of rows x 12 in the engine, and the Parquet file that it is made of."""
    file = inputs.mixed(rows)
    with opened() as workbench:
        here = workbench.workspace()
        read = _READ.format(literal(str(file)))
        for sql in (f"CREATE TABLE mixed AS FROM {read}", f"CREATE VIEW file AS FROM {read}"):
            entry = here.queries.run(sql, logged=False)
            entry.run.wait()
            if entry.run.error is not None:
                raise entry.run.error
        size = f"{rows:,} x 12"
        return [
            _first(here, "mixed", f"First profile of a table, {size}", rounds),
            _first(here, "file", f"First profile of a Parquet file, {size}", rounds),
            *_exact(here, file, size, rounds),
        ]


def _first(here: Workspace, name: str, title: str, rounds: int) -> Figure:
    table = _table(here, name)
    taken = []
    for _ in range(rounds + 1):
        wait_for_quiet()
        taken.append(seconds(lambda: here.profiles.first(table, again=True)))
    warm = sorted(taken[1:])
    how = f"median of {rounds}, slowest {spoken(warm[-1])}, the very first {spoken(taken[0])}"
    return Figure(title, warm[len(warm) // 2] * 1e3, "ms", 500, how)


def _exact(here: Workspace, file: Path, size: str, rounds: int) -> list[Figure]:
    table = _table(here, "mixed")
    with inputs.floor(here.engine.settings) as floor:
        floor.execute(f"CREATE TABLE mixed AS FROM {_READ.format(literal(str(file)))}")
        by_hand = _by_hand(table)

        def ours() -> None:
            exact = here.profiles.start_exact(table)
            exact.wait()
            if exact.error is not None:
                raise exact.error

        one_pass = alternate(ours, lambda: floor.execute(by_hand).fetchall(), rounds)
        summary = alternate(ours, lambda: floor.execute("SUMMARIZE mixed").fetchall(), rounds)
    return [
        Figure(
            f"Exact profile of a table, {size}, beside one SELECT of its figures by hand",
            one_pass.ratio, "x", 1.2, f"{one_pass.how}; without top values and bins by hand",
        ),
        Figure(
            f"Exact profile of a table, {size}, beside SUMMARIZE",
            summary.ratio, "x", 0.8, f"{summary.how}; whose distinct values are estimates",
        ),
    ]  # fmt: skip


def _table(here: Workspace, name: str) -> Table:
    table = here.catalog.find(f"workspace.main.{name}")
    assert table is not None
    return table


def _by_hand(table: Table) -> str:
    """Return the cheapest single pass: exact distinct values, quantiles estimated throughout."""
    parts = ["count(*)"]
    for column in table.columns:
        name, kind = column.name, family(column.type)
        parts += [f"{each}({name})" for each in ("count", "min", "max")]
        parts.append(f"count(DISTINCT {name})")
        if kind in ("integer", "number"):
            parts += [f"avg({name})", f"stddev_samp({name})"]
        if kind in ("integer", "number", "date", "timestamp"):
            parts.append(f"approx_quantile({name}, [0.05, 0.25, 0.5, 0.75, 0.95])")
        if kind == "text":
            parts += [f"{each}(length({name}))" for each in ("min", "avg", "max")]
    return f"SELECT {', '.join(parts)} FROM {table.name}"
