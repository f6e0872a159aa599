"""seccomp: a filter in the kernel that refuses the system calls a worker has no use for.

It closes what Landlock leaves open: sockets, other processes, mode and owner of files, calls that
run outside any filter. It is a list of refusals, not of permissions, because Python, DuckDB and
their libraries change what they call; what is newer than the list does not exist for a worker.
Refused calls answer EPERM, so that code inside gets an ordinary error. Where a socket connects to
is not a filter's to see: with `ask` another process is asked (core/workers/broker.py).
"""

from __future__ import annotations

import ctypes
import errno
import os
import socket
import struct
import sys
from collections.abc import Iterable
from itertools import chain
from typing import Literal

from core.workers import syscalls

Connecting = Literal["refuse", "allow", "ask"]

_SET_SECCOMP, _MODE_FILTER = 22, 2
_SET_MODE_FILTER, _NEW_LISTENER, _WAIT_KILLABLE = 1, 1 << 3, 1 << 5
_ARCHITECTURE = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}

# One instruction of classic BPF: operation, jump if true, jump if false, constant.
_Instruction = tuple[int, int, int, int]
_Code = list[_Instruction]
_LOAD, _AND, _RETURN = 0x20, 0x54, 0x06
_IF_EQUAL, _IF_GREATER = 0x15, 0x25
_ALLOW, _KILL, _ERROR, _ASK = 0x7FFF0000, 0x80000000, 0x00050000, 0x7FC00000

_CLONE_THREAD = 0x10000
_MAP_SHARED_ANONYMOUS = 0x21
_FAST_OPEN = 0x20000000
# Typing into the terminal that started the app, and having the kernel signal somebody else.
_IOCTL = {"TIOCSTI": 0x5412, "TIOCLINUX": 0x541C, "FIOSETOWN": 0x8901, "SIOCSPGRP": 0x8902}
_FCNTL = {"F_SETOWN": 8, "F_SETSIG": 10, "F_SETOWN_EX": 15}
_SOCKET_TYPE = 0xF  # the rest of the argument is flags
# Level, and options by which packets take a way round by another host (IP_OPTIONS, IPV6_RTHDR and
# what it was called before), or a socket becomes another kind of one (TCP_ULP) or connects when
# it first sends (TCP_FASTOPEN_CONNECT). From linux/in.h, in6.h and tcp.h.
_SOCKET_OPTIONS = {0: (4,), 41: (5, 6, 57), 6: (30, 31)}


def offered() -> bool:
    """Tell whether filters can be installed here, without installing one."""
    if not syscalls.machine():
        return False
    try:
        syscalls.prctl(_SET_SECCOMP, _MODE_FILTER, 0)
    except OSError as error:
        return error.errno == errno.EFAULT  # it wanted to read the filter: there is such a thing
    return False


def install(connecting: Connecting, allow: Iterable[str] = ()) -> int:
    """Filter this thread's calls, and those of threads it starts, from now on.

    But for `refuse` there is TCP over IPv4 and IPv6, outgoing only. With `ask` a descriptor is
    returned, on which whoever holds it is told of each connect and answers it: connects wait for
    that, and fail with ENOSYS once nobody holds it. Otherwise the result is -1. `allow` names calls
    of the table to leave alone. PR_SET_NO_NEW_PRIVS must be set, and `offered()` be true.
    """
    machine = syscalls.machine()
    code = _program(machine, connecting, frozenset(allow))
    packed = b"".join(struct.pack("=HBBI", *instruction) for instruction in code)
    buffer = ctypes.create_string_buffer(packed, len(packed))
    program = struct.pack("@HP", len(code), ctypes.addressof(buffer))
    if connecting != "ask":
        syscalls.prctl(_SET_SECCOMP, _MODE_FILTER, program)
        return -1
    call = syscalls.numbers(machine)["seccomp"]
    try:
        # A signal must not begin a connect anew that is under way already.
        flags = _NEW_LISTENER | _WAIT_KILLABLE
        return syscalls.call(call, _SET_MODE_FILTER, flags, program)
    except OSError as error:
        if error.errno != errno.EINVAL:  # before Linux 5.19 there is no such flag
            raise
        return syscalls.call(call, _SET_MODE_FILTER, _NEW_LISTENER, program)


def _program(machine: str, connecting: Connecting, allow: frozenset[str]) -> _Code:
    table = {name: n for name, n in syscalls.numbers(machine).items() if name not in allow}
    checked = _checks(connecting)
    code = [
        (_LOAD, 0, 0, 4),
        (_IF_EQUAL, 1, 0, _ARCHITECTURE[machine]),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, 0),
        # Newer calls, and the x32 numbers of x86_64, which begin at 2**30.
        (_IF_GREATER, 0, 1, syscalls.NEWEST),
        _refusal(errno.ENOSYS),
    ]
    for name, number in table.items():
        answer = checked.get(name, [_refusal()])
        code += [(_IF_EQUAL, 0, len(answer), number), *answer]
    return [*code, (_RETURN, 0, 0, _ALLOW)]


def _checks(connecting: Connecting) -> dict[str, _Code]:
    """Answers of calls that depend on their arguments; every other call listed is refused."""
    own = [_one_of(0, [os.getpid()])]
    checks = {
        "socketpair": [
            _one_of(0, [socket.AF_UNIX]),
            _one_of(1, [socket.SOCK_STREAM], _SOCKET_TYPE),
        ],
        # Fast open connects without asking anybody.
        "sendto": [_without(3, _FAST_OPEN)],
        "sendmsg": [_without(2, _FAST_OPEN)],
        "sendmmsg": [_without(3, _FAST_OPEN)],
        "ioctl": [_none_of(1, _IOCTL.values())],
        "fcntl": [_none_of(1, _FCNTL.values())],
        "mmap": [_without(3, _MAP_SHARED_ANONYMOUS)],
        "prlimit64": [_one_of(0, [0])],
        "prctl": [_none_of(0, [_SET_SECCOMP])],
        "setsockopt": [
            _if(1, level, _none_of(2, options)) for level, options in _SOCKET_OPTIONS.items()
        ],
        # Threads, but no processes. clone3 hides its flags in memory that a filter cannot read;
        # told that it does not exist, the C library uses clone.
        "clone": [_one_of(0, [_CLONE_THREAD], _CLONE_THREAD)],
        "kill": own,
        "tgkill": own,
        "rt_sigqueueinfo": own,
        "rt_tgsigqueueinfo": own,
    }
    if connecting != "refuse":
        # TCP by number: over MPTCP Landlock would not see a connection. No UDP: it can send to
        # anybody without connecting, and a resolver can do without.
        checks["socket"] = [
            _one_of(0, [socket.AF_INET, socket.AF_INET6]),
            _one_of(1, [socket.SOCK_STREAM], _SOCKET_TYPE),
            _one_of(2, [0, socket.IPPROTO_TCP]),
        ]
        checks["connect"] = [[(_RETURN, 0, 0, _ASK)]] if connecting == "ask" else []
    allowed = (_RETURN, 0, 0, _ALLOW)
    answers = {name: [*chain.from_iterable(parts), allowed] for name, parts in checks.items()}
    return answers | {"clone3": [_refusal(errno.ENOSYS)]}


def _refusal(number: int = errno.EPERM) -> _Instruction:
    return (_RETURN, 0, 0, _ERROR | number)


def _argument(position: int, mask: int) -> _Code:
    """Load the low 32 bits of an argument: all that the kernel reads of the ones checked here."""
    offset = 16 + 8 * position + (0 if sys.byteorder == "little" else 4)
    return [(_LOAD, 0, 0, offset), (_AND, 0, 0, mask)]


def _one_of(position: int, values: Iterable[int], mask: int = 0xFFFFFFFF) -> _Code:
    wanted = list(values)
    tests = [(_IF_EQUAL, len(wanted) - at, 0, value) for at, value in enumerate(wanted)]
    return [*_argument(position, mask), *tests, _refusal()]


def _none_of(position: int, values: Iterable[int], mask: int = 0xFFFFFFFF) -> _Code:
    tests = [[(_IF_EQUAL, 0, 1, value), _refusal()] for value in values]
    return [*_argument(position, mask), *chain.from_iterable(tests)]


def _if(position: int, value: int, then: _Code) -> _Code:
    """Go through `then` if an argument has this value."""
    return [*_argument(position, 0xFFFFFFFF), (_IF_EQUAL, 0, len(then), value), *then]


def _without(position: int, bits: int) -> _Code:
    """Refuse an argument that has all of `bits`."""
    return _none_of(position, [bits], bits)
