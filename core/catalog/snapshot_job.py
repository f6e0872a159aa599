"""The job that takes the snapshot of a table, once or on a schedule."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pydantic import Field

from core.catalog.table_snapshots import TableSnapshots
from core.engine.run import Run
from core.errors import QueryCancelled
from core.job import JobKind, Options, Task

LOOK = 0.5
"""Seconds between two looks at how far the copying is."""


class SnapshotOptions(Options):
    """Which table is copied, and what new rows are known by."""

    table: str = Field(min_length=1, description="Name of a table, as SQL finds it or in full.")
    cursor: str = Field(
        "", description="Column that only grows: just rows at and above its highest value are read."
    )


class SnapshotJob(JobKind[SnapshotOptions]):
    """Takes one; `of` gives the snapshots of a workspace."""

    name = "table-snapshot"
    label = "Snapshot of a table"
    Options = SnapshotOptions
    timeout = 6 * 3600

    def __init__(self, of: Callable[[str], TableSnapshots]) -> None:
        self._of = of

    def key(self, options: SnapshotOptions) -> str:
        return f"{self.name} {options.table}"

    def run(self, task: Task[SnapshotOptions]) -> Mapping[str, Any]:
        """Return its name in SQL, and its rows."""

        def follow(run: Run) -> None:
            while not run.wait(LOOK):
                known = run.progress >= 0
                task.progress("copying, in %", run.progress if known else 0, 100 if known else None)
                if task.stopped:
                    run.cancel()

        snapshots = self._of(task.workspace)
        table = snapshots.table(task.options.table)
        task.check()
        try:
            taken = snapshots.take(table, task.options.cursor, timeout=self.timeout, follow=follow)
        except QueryCancelled:
            task.check()
            raise
        task.log(f"{taken.address}: {taken.rows:,} rows.")
        return {"snapshot": taken.address, "rows": taken.rows}
