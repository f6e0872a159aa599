"""The job that keeps the exact profiles of some tables, so that it shows what drifts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pydantic import Field

from core.catalog.models import Table
from core.catalog.profiles import Profiles
from core.catalog.service import Catalogs
from core.errors import NotFound
from core.job import JobKind, Options, Task


class ProfileOptions(Options):
    """Which tables are profiled."""

    tables: tuple[str, ...] = Field(
        min_length=1, description="Names of tables, as SQL finds them or in full."
    )


class ProfileJob(JobKind[ProfileOptions]):
    """Profiles one table after the other; `of` gives a workspace's catalog and profiles."""

    name = "profile"
    label = "Profile of tables"
    Options = ProfileOptions
    timeout = 6 * 3600

    def __init__(self, of: Callable[[str], tuple[Catalogs, Profiles]]) -> None:
        self._of = of

    def key(self, options: ProfileOptions) -> str:
        return ",".join(options.tables)

    def run(self, task: Task[ProfileOptions]) -> Mapping[str, Any]:
        """Return the changes of each table since its last profile, as sentences.

        Raises NotFound for a table that is gone, once the others are profiled.
        """
        catalog, profiles = self._of(task.workspace)
        changes: dict[str, list[str]] = {}
        gone = []
        for at, name in enumerate(task.options.tables):
            task.check()
            table = catalog.find(name)
            if table is None:
                gone.append(name)
                task.log(f"{name}: there is no such table")
                continue
            _profile(profiles, table, task, at)
            drift = profiles.drift(profiles.kept(table))
            changes[name] = [each.sentence for each in drift]
            task.log(f"{name}: " + ("; ".join(changes[name]) or "nothing has changed"))
        if gone:
            raise NotFound(f"There is no table {', '.join(gone)}.", hint="Change the job.")
        return {"changes": changes}


def _profile(profiles: Profiles, table: Table, task: Task[ProfileOptions], at: int) -> None:
    """Profile one table to its end, and stop it where the task shall stop."""
    exact, total = profiles.start_exact(table), len(task.options.tables)
    while not exact.wait(0.5):
        task.progress("profiles", at + exact.progress, total)
        if task.stopped:
            exact.cancel()
            exact.wait(30)
    task.check()
    task.progress("profiles", at + 1, total)
    if exact.error is not None:
        raise exact.error
