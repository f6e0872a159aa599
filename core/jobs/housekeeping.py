"""The program's own first job: let go what nobody will look at any more."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from core.job import JobKind, Options, Task

Sweep = Callable[[str], int]
"""Given a workspace, removes what is old in it, and returns how many things that were."""


class Housekeeping(JobKind[Options]):
    """Runs one sweep after the other; each slice that keeps a history brings one."""

    name = "housekeeping"
    label = "Housekeeping"
    own = True
    timeout = 600

    def __init__(self, sweeps: Mapping[str, Sweep]) -> None:
        self.sweeps = dict(sweeps)

    def key(self, options: Options) -> str:
        return self.name

    def run(self, task: Task[Options]) -> dict[str, int]:
        """Return how much each sweep removed, by its name."""
        removed = {}
        for count, (name, sweep) in enumerate(self.sweeps.items()):
            task.check()
            task.progress(name, count, len(self.sweeps))
            removed[name] = sweep(task.workspace)
            task.log(f"{name}: {removed[name]:,} removed")
            task.progress(name, count + 1, len(self.sweeps))
        return removed
