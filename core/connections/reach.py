"""What the wall lets a workspace's SQL touch: its sources, its grants, and the start folder.

Hidden entries of the start folder are left out (keys, histories, the data folder), and Landlock
knows no exceptions below a folder that is granted: so the folder's entries are granted one by one.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from core.connections.models import FolderGrant
from core.connector import Grants
from core.engine.reach import Reach


def reach(
    start: Path, home: Path, granted: Iterable[FolderGrant], needed: Iterable[Grants]
) -> Reach:
    """Add up what may be read, written, listed and reached, and what that needs."""
    read = _entries(start, home)
    write: list[str] = []
    hosts: list[str] = []
    extensions: list[str] = []
    for grant in granted:
        (write if grant.mode == "write" else read).append(grant.path)
    for each in needed:
        read += each.read
        write += each.write
        hosts += each.hosts
        extensions += each.extensions
    each_kind = (read, write, [str(start)], hosts, extensions)
    once = [tuple(dict.fromkeys(each)) for each in each_kind]
    return Reach(*once)


def _entries(folder: Path, home: Path) -> list[str]:
    """List what of the folder may be read: nothing hidden, and nothing that leads into the home."""
    home = home.resolve()
    try:
        entries = sorted(folder.iterdir())
    except OSError:
        return []
    return [
        str(entry)
        for entry in entries
        if not entry.name.startswith(".") and not _holds(entry, home)
    ]


def _holds(entry: Path, home: Path) -> bool:
    resolved = entry.resolve()
    return resolved.is_relative_to(home) or home.is_relative_to(resolved)
