"""Landlock: the kernel's own list of the files and TCP ports a process may still reach.

It needs no rights and cannot be taken back. It does not watch stat(), chmod() or sockets other
than TCP: core/workers/seccomp.py does that. The constants are those of linux/landlock.h.
"""

from __future__ import annotations

import errno
import os
import stat
import struct
import sys
from collections.abc import Iterable

from core.workers import syscalls

# The same numbers on every processor but alpha.
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_RULE_PATH, _RULE_PORT = 1, 2

_WRITE_FILE, _READ_FILE, _READ_DIR, _REMOVE_DIR, _REMOVE_FILE = (1 << bit for bit in range(1, 6))
_MAKE_DIR, _MAKE_FILE, _REFER, _TRUNCATE = 1 << 7, 1 << 8, 1 << 13, 1 << 14
_EXECUTE, _IOCTL_DEVICE = 1, 1 << 15
_CONNECT_TCP = 1 << 1

READ = _READ_FILE | _READ_DIR
LIST = _READ_DIR
# No execution, no symbolic link, device, socket or pipe: nothing in such a folder leads out of it.
WRITE = (
    READ | _WRITE_FILE | _REMOVE_DIR | _REMOVE_FILE | _MAKE_DIR | _MAKE_FILE | _REFER | _TRUNCATE
)
_ON_FILES = _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE | _IOCTL_DEVICE


def version() -> int:
    """Return the kernel's Landlock version, 0 where it has none or it is switched off."""
    if sys.platform != "linux":
        return 0
    try:
        return syscalls.call(_CREATE_RULESET, 0, 0, 1)
    except OSError as error:
        if error.errno in (errno.ENOSYS, errno.EOPNOTSUPP, errno.EPERM):
            return 0
        raise


def restrict(
    read: Iterable[str], write: Iterable[str], listed: Iterable[str], *, ports: Iterable[int]
) -> int:
    """Leave this thread three kinds of paths and TCP connections to `ports`; return the version.

    Paths that do not exist are skipped; symbolic links are followed now, not later. Ports are
    enforced from version 4, signals and abstract sockets from version 6. PR_SET_NO_NEW_PRIVS must
    be set. OSError where the kernel has Landlock and refuses.
    """
    if not (found := version()):
        return 0
    files = _files_watched(found)
    ruleset = syscalls.call(_CREATE_RULESET, *_attributes(found, files), 0)
    try:
        for paths, access in ((read, READ), (write, WRITE), (listed, LIST)):
            for path in paths:
                _allow_path(ruleset, path, access & files)
        for port in ports if found >= 4 else ():
            rule = struct.pack("=QQ", _CONNECT_TCP, port)
            syscalls.call(_ADD_RULE, ruleset, _RULE_PORT, rule, 0)
        syscalls.call(_RESTRICT_SELF, ruleset, 0)
    finally:
        os.close(ruleset)
    return found


def _files_watched(found: int) -> int:
    """All file rights that version `found` knows: what is known is refused unless allowed."""
    known = {1: 13, 2: 14, 3: 15, 4: 15}.get(found, 16)
    return (1 << known) - 1


def _attributes(found: int, files: int) -> tuple[bytes, int]:
    """struct landlock_ruleset_attr as version `found` has it, and its size.

    Network: binding and connecting; scope: abstract Unix sockets and signals. An older kernel
    refuses a longer structure than its own.
    """
    size = 8 if found < 4 else 16 if found < 6 else 24
    return struct.pack("=QQQ", files, 0b11, 0b11)[:size], size


def _allow_path(ruleset: int, path: str, access: int) -> None:
    try:
        handle = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        return
    if not stat.S_ISDIR(os.fstat(handle).st_mode):
        access &= _ON_FILES
    syscalls.call(_ADD_RULE, ruleset, _RULE_PATH, struct.pack("=Qi", access, handle), 0)
    # procfs makes a new inode for a path that fell out of the cache, and a rule holds an inode:
    # the descriptor keeps it there as long as the process lives.
    if not path.startswith("/proc/"):
        os.close(handle)
