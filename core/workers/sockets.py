"""TCP sockets of another process, by number.

Python's socket objects would set them to the default timeout of this process, read an address a
second time, and close them.
"""

from __future__ import annotations

import ctypes
import os
import struct
from socket import AF_INET, AF_INET6, SHUT_RDWR, SOCK_STREAM

from core.workers.places import LONGEST

_SOL_SOCKET, _SO_TYPE, _SO_DOMAIN = 1, 3, 39  # asm-generic/socket.h


def is_tcp(handle: int) -> bool:
    """Tell whether this is a TCP socket. OSError for what is no socket."""
    return (
        _option(handle, _SO_DOMAIN) in (AF_INET, AF_INET6)
        and _option(handle, _SO_TYPE) == SOCK_STREAM
    )


def connect(handle: int, raw: bytes) -> int:
    """Connect to these bytes, waiting if the socket is one that waits; return the error number."""
    libc = ctypes.CDLL(None, use_errno=True)
    return ctypes.get_errno() if libc.connect(handle, raw, len(raw)) else 0


def own_port(handle: int) -> int:
    """Return the port of this side."""
    raw, size = ctypes.create_string_buffer(LONGEST), ctypes.c_uint(LONGEST)
    _call("getsockname", handle, raw, ctypes.byref(size))
    port: int = struct.unpack_from("!H", raw, 2)[0]
    return port


def cut_off(handle: int) -> None:
    """End a connection, or the wait for one. OSError where there is neither."""
    _call("shutdown", handle, SHUT_RDWR)


def _option(handle: int, option: int) -> int:
    value, size = ctypes.c_int(), ctypes.c_uint(4)
    _call("getsockopt", handle, _SOL_SOCKET, option, ctypes.byref(value), ctypes.byref(size))
    return value.value


def _call(name: str, *arguments: object) -> None:
    if getattr(ctypes.CDLL(None, use_errno=True), name)(*arguments):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
