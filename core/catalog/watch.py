"""A job that keeps a snapshot of a schema when something in it has changed, and says what."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any

from pydantic import Field

from core.catalog.comparisons import Comparisons
from core.catalog.differences import STATES, Comparison
from core.catalog.places import snapshot_address
from core.catalog.told import changes_told
from core.channel import Message
from core.job import JobKind, Options, Task

_LINES = 150
"""Tables that are named in the log; it keeps 200 lines."""
_TOLD = 20
"""And in a notification."""


class WatchOptions(Options):
    """Which schema is watched, and who is told."""

    place: str = Field(description="The schema, as catalog.schema.")
    channels: tuple[str, ...] = Field((), description="Ids of channels that a change is told on.")


class Watch(JobKind[WatchOptions]):
    """Takes a snapshot, and compares it with the one before.

    `opened` gives the comparisons of a workspace for the time of a run, `tell` sends a message.
    """

    name = "schema-watch"
    label = "Watch a schema"
    Options = WatchOptions
    timeout = 900

    def __init__(
        self,
        opened: Callable[[str], AbstractContextManager[Comparisons]],
        tell: Callable[[str, Message, Sequence[str]], object],
    ) -> None:
        self._opened, self._tell = opened, tell

    def key(self, options: WatchOptions) -> str:
        return f"{self.name} {options.place}"

    def run(self, task: Task[WatchOptions]) -> dict[str, Any]:
        """Return whether a snapshot was kept, and how many tables came, went and changed."""
        place = task.options.place
        with self._opened(task.workspace) as comparisons:
            task.progress("Reading the schema")
            before = comparisons.latest(place)
            snapshot, kept = comparisons.take(place)
            task.check()
            if before is None:
                task.log(f"Kept the first snapshot of {place}: {snapshot.tables:,} tables.")
                return {"kept": kept}
            if not kept:
                task.log(f"Nothing has changed since {before.taken_at:%Y-%m-%d %H:%M} UTC.")
                return {"kept": kept}
            sides = snapshot_address(before.id), snapshot_address(snapshot.id)
            comparison = comparisons.compare(*sides)
        task.log(f"{place}: {comparison.summary()}.")
        lines = changes_told(comparison)
        for line in lines[:_LINES]:
            task.log(line)
        if len(lines) > _LINES:
            task.log(f"and {len(lines) - _LINES:,} more")
        if task.options.channels:
            self._tell(task.workspace, _message(place, comparison, lines), task.options.channels)
        return {"kept": kept, **{state: comparison.count(state) for state in STATES}}


def _message(place: str, comparison: Comparison, lines: list[str]) -> Message:
    more = [f"and {len(lines) - _TOLD:,} more"] if len(lines) > _TOLD else []
    return Message(
        title=f"The schema {place} has changed",
        text="\n".join([f"{comparison.summary()}.", "", *lines[:_TOLD], *more]),
    )
