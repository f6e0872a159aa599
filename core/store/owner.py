"""Who holds a row: a process of some machine, and whether it is still there.

For rows that say "running": what a dead process left is told apart from what still runs.
"""

from __future__ import annotations

import os
import socket
from contextlib import suppress
from functools import cache
from pathlib import Path

import psutil

_PROC = Path("/proc/sys/kernel")


def this_process() -> str:
    """Return the name of this process: place, pid and start, joined by colons."""
    return _named(os.getpid())  # by pid: a forked child is another owner


def is_elsewhere(owner: str) -> bool:
    """Tell whether the owner's processes cannot be looked at from here."""
    return owner.rsplit(":", 2)[0] != _place()


def is_gone(owner: str) -> bool:
    """Tell whether the owner is known to have ended: False for one of another machine.

    What follows a `#` names a part of the process, and is not looked at.
    """
    owner = owner.partition("#")[0]
    if is_elsewhere(owner) or owner == this_process():
        return False
    _, pid, started = owner.rsplit(":", 2)
    try:
        # Dead, though its parent has not yet asked for it, is gone too.
        zombie = psutil.Process(int(pid)).status() == psutil.STATUS_ZOMBIE
        return zombie or _started(int(pid)) != started
    except psutil.AccessDenied:
        return False
    except (psutil.NoSuchProcess, FileNotFoundError, ProcessLookupError):
        return True


@cache
def _named(pid: int) -> str:
    return f"{_place()}:{pid}:{_started(pid)}"


def _started(pid: int) -> str:
    """Return when a process began, as a word that stays the same when the clock is set."""
    if not _PROC.exists():
        return f"{psutil.Process(pid).create_time():.0f}"
    # Field 22, counted behind the name, which may hold anything: ticks since the boot.
    ticks = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()[19].decode()
    return f"{_word(_PROC / 'random/boot_id')}.{ticks}"


@cache
def _place() -> str:
    """Name the space that pids count in.

    Containers may share a host's name and not its pids; copied machines may share a name.
    """
    space = ""
    with suppress(OSError):  # not on Linux
        space = f"/{os.stat('/proc/self/ns/pid').st_ino}"
    return f"{socket.gethostname()}/{_word(Path('/etc/machine-id'))}{space}"


@cache
def _word(file: Path) -> str:
    with suppress(OSError):
        return file.read_text().strip()[:8]
    return ""
