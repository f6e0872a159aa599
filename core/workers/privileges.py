"""What a worker gives up before its wall is complete: memory, rights, ways to speak for others.

Everything here is set for the calling process and cannot be undone by it.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import struct
import sys
from pathlib import Path

from core.errors import ConfigError
from core.workers import syscalls

_SET_DUMPABLE, _SET_NO_NEW_PRIVS = 4, 38
_CAPABILITIES_VERSION = 0x20080522
# A worker of root still reads and writes granted files of other owners; all else is given up.
_KEPT_CAPABILITIES = 1 << 1 | 1 << 2  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH


def refuse_threads() -> None:
    """Raise ConfigError if this process has more than one thread.

    Landlock and seccomp bind the calling thread only, and a signal handler would run a user's
    code in one that stayed outside.
    """
    with contextlib.suppress(FileNotFoundError):  # no /proc: nothing to count
        tasks = sorted(int(name) for name in os.listdir("/proc/self/task"))
        if len(tasks) > 1:
            names = ", ".join(_thread_name(task) for task in tasks if task != os.getpid())
            raise ConfigError(
                f"A worker must have one thread when it walls itself in, and has more: {names}.",
                hint="Call duckdb.default_connection().close() after importing duckdb, import "
                "numpy and pyarrow with OPENBLAS_NUM_THREADS=1 and JE_ARROW_MALLOC_CONF="
                "background_thread:false in the environment, and polars after the wall.",
            )


def limit(memory: int, file_size: int) -> bool:
    """Set rlimits in bytes, 0 leaving one as it is; return False where there are none."""
    if sys.platform == "win32":
        return False
    import resource  # Windows has none

    for kind, size in ((resource.RLIMIT_DATA, memory), (resource.RLIMIT_FSIZE, file_size)):
        if size:
            hard = resource.getrlimit(kind)[1]
            size = size if hard == resource.RLIM_INFINITY else min(size, hard)
            resource.setrlimit(kind, (size, size))
    # A core dump holds secrets. 1 byte, because a program that takes dumps heeds no 0: core(5).
    core = 0 if resource.getrlimit(resource.RLIMIT_CORE)[1] == 0 else 1
    resource.setrlimit(resource.RLIMIT_CORE, (core, core))
    return True


def give_up(*, watched: bool = False) -> None:
    """Give up new rights, being debugged, root's rights and inherited pipes' names; Linux only.

    One that is `watched` stays open to those who started it, and to others of the same user who
    are behind no wall: they could not read its memory and take its sockets otherwise.
    """
    syscalls.prctl(_SET_NO_NEW_PRIVS, 1)
    syscalls.prctl(_SET_DUMPABLE, int(watched))
    _hide_pipes()
    header = struct.pack("=Ii", _CAPABILITIES_VERSION, 0)
    kept = _KEPT_CAPABILITIES if os.geteuid() == 0 else 0
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.capset(header, struct.pack("=6I", kept, kept, 0, 0, 0, 0)):
        # A container may have taken those two away already: then keep none.
        libc.capset(header, bytes(24))


def _hide_pipes() -> None:
    """Take the mode off inherited pipes: else SQL opens /dev/fd/N and speaks for the worker.

    Landlock has no say over pipes. Root passes a mode; a socket pair cannot be opened by anybody.
    """
    for name in os.listdir("/proc/self/fd"):
        with contextlib.suppress(OSError):
            if os.readlink(f"/proc/self/fd/{name}").startswith("pipe:"):
                os.fchmod(int(name), 0)


def _thread_name(task: int) -> str:
    with contextlib.suppress(OSError):
        return Path(f"/proc/self/task/{task}/comm").read_text().strip()
    return str(task)
