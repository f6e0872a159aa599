"""What SQL may touch, as absolute paths: told to the wall, and asked before it would refuse."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Reach:
    """What the workspace's SQL may touch besides the workspace's own folder.

    `listed` are folders whose names may be listed although not all in them may be read.
    `hosts` are `name:port`; `extensions` are those of DuckDB that its sources need.
    """

    read: tuple[str, ...] = ()
    write: tuple[str, ...] = ()
    listed: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    extensions: tuple[str, ...] = ()

    @property
    def readable(self) -> tuple[str, ...]:
        """All folders and files whose contents may be read."""
        return (*self.read, *self.write)


def inside(path: str, places: Iterable[str]) -> bool:
    """Tell whether a path is one of the places or lies below one. Links are not followed."""
    return any(f"{path}/".startswith(f"{each.rstrip('/')}/") for each in places)
