"""A hold on another process: its memory, its descriptors, and word of its end. It changes nothing.

It takes the rights of a debugger over that process, once at the start for its memory and again for
each descriptor. The hold is on the process that had the number when it began, whoever has it later.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from core.workers import notices, syscalls

# On every processor. Python built for old systems has no os.pidfd_open.
_PIDFD_OPEN, _PIDFD_GETFD = 434, 438
_HIGHEST = 2**63 - 1


class Grip:
    """Holds one process. OSError where there is none, or no right to hold it."""

    def __init__(self, pid: int) -> None:
        self.end = syscalls.call(_PIDFD_OPEN, pid, 0)
        """Readable once the process has ended."""
        try:
            self._memory = os.open(f"/proc/{pid}/mem", os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            os.close(self.end)
            raise

    def read(self, place: int, size: int) -> bytes:
        """Return a copy of its memory. OSError (EFAULT) where it has none."""
        found = b""
        if place <= _HIGHEST:
            with suppress(OSError):
                found = os.pread(self._memory, size, place)
        if len(found) < size:
            raise OSError(errno.EFAULT, os.strerror(errno.EFAULT))
        return found

    @contextmanager
    def descriptor(self, number: int) -> Iterator[int]:
        """Share one of its descriptors for a while. OSError (EBADF) where it has none."""
        ours = syscalls.call(_PIDFD_GETFD, self.end, number & 0xFFFFFFFF, 0)
        try:
            yield ours
        finally:
            os.close(ours)

    def close(self) -> None:
        """Let go."""
        os.close(self._memory)
        os.close(self.end)


def offered(pid: int | None = None) -> bool:
    """Tell whether a process could be held, and be asked about; by default a child yet to come."""
    if not notices.offered() or (pid is None and not _children_may_be_held()):
        return False
    try:
        grip = Grip(pid or os.getpid())
    except OSError:
        return False
    try:
        with grip.descriptor(0):
            return True
    except OSError as error:
        return error.errno == errno.EBADF  # it was looked for
    finally:
        grip.close()


def _children_may_be_held() -> bool:
    """Yama may leave debugging to root, or to nobody; a process may always hold itself."""
    try:
        scope = Path("/proc/sys/kernel/yama/ptrace_scope").read_text().strip()
    except OSError:
        return True
    return scope in ("0", "1") or (scope == "2" and os.geteuid() == 0)
