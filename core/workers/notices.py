"""The kernel's notices of a call that a filter asks about, and the answers: seccomp_unotify(2).

The caller sleeps until its notice is answered. A notice tells numbers only: what they point to is
read by whoever answers, and may have changed by then. Sizes and codes are those of
linux/seccomp.h, the same on every 64-bit processor. Nothing is decided here.
"""

from __future__ import annotations

import ctypes
import errno
import struct
import sys
from dataclasses import dataclass

from core.workers import seccomp, syscalls

_GET_SIZES = 3
_RECEIVE, _ANSWER, _IS_VALID = 0xC0502100, 0xC0182101, 0x40082102
# id, thread, flags; then struct seccomp_data: call, processor, instruction, six arguments.
_NOTICE = struct.Struct("=QIIiIQ6Q")
_RESPONSE = struct.Struct("=QqiI")


@dataclass(frozen=True)
class Notice:
    """A call that waits: the notice's own number, and the first three arguments."""

    id: int
    arguments: tuple[int, int, int]


def offered() -> bool:
    """Tell whether this kernel gives notices of the size that is known here."""
    if not seccomp.offered():
        return False
    sizes = ctypes.create_string_buffer(6)
    try:
        syscalls.call(syscalls.numbers(syscalls.machine())["seccomp"], _GET_SIZES, 0, sizes)
    except OSError:  # before Linux 5.0, or a filter of somebody else's
        return False
    notice, response, _ = struct.unpack("=HHH", sizes.raw)
    return (notice, response) == (_NOTICE.size, _RESPONSE.size)


def receive(listener: int) -> Notice | None:
    """Take the next notice; None if its caller is gone already. OSError at the end of all."""
    buffer = bytearray(_NOTICE.size)
    try:
        _control(listener, _RECEIVE, buffer)
    except (FileNotFoundError, InterruptedError):
        return None
    found = _NOTICE.unpack(buffer)
    return Notice(found[0], found[6:9])


def waits(listener: int, notice: Notice) -> bool:
    """Tell whether the caller still waits: a thread that ended leaves its number to others."""
    try:
        _control(listener, _IS_VALID, bytearray(struct.pack("=Q", notice.id)))
    except OSError:
        return False
    return True


def answer(listener: int, notice: Notice, number: int) -> None:
    """Let the call return with an error number, 0 for success. No matter if nobody waits."""
    try:
        _control(listener, _ANSWER, bytearray(_RESPONSE.pack(notice.id, 0, -number, 0)))
    except OSError as error:
        if error.errno != errno.ENOENT:
            raise


def _control(listener: int, code: int, buffer: bytearray) -> None:
    if sys.platform == "win32":
        raise OSError(errno.ENOSYS, "no such system call")
    import fcntl  # Windows has none

    fcntl.ioctl(listener, code, buffer, True)
