"""Places on a network: as they are granted, and as the kernel writes them (ip(7), ipv6(7)).

They are read and written here, never looked up.
"""

from __future__ import annotations

import errno
import os
import re
import struct
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from socket import AF_INET, AF_INET6

from core.errors import ConfigError

LONGEST = 128
"""Bytes of the longest address of any kind."""

_SIZES: dict[int, int] = {AF_INET: 16, AF_INET6: 28}


def host_and_port(host: str) -> tuple[str, int]:
    """Split `name:port` or `[address]:port`. Raises ConfigError."""
    name, _, port = host.rpartition(":")
    bare = name[1:-1] if name.startswith("[") and name.endswith("]") else name
    number = int(port) if re.fullmatch("[0-9]{1,5}", port) else 0
    if not bare or (":" in name and bare == name) or not 0 < number < 65536:
        raise ConfigError(
            f"{host!r} cannot be granted to a worker: it is no host with a port.",
            hint="Write name:port, or [address]:port for IPv6.",
        )
    return bare, number


@dataclass(frozen=True)
class Place:
    """An address and port, and the bytes that they were read from."""

    family: int
    address: IPv4Address | IPv6Address
    port: int
    raw: bytes

    def __str__(self) -> str:
        if isinstance(self.address, IPv4Address):
            return f"{self.address}:{self.port}"
        return f"{self.address.ipv4_mapped or f'[{self.address}]'}:{self.port}"


def read_place(raw: bytes) -> Place | None:
    """Read a sockaddr_in or sockaddr_in6; None for others. OSError (EINVAL) if it is cut short."""
    family = struct.unpack_from("=H", raw)[0] if len(raw) >= 2 else 0
    size = _SIZES.get(family)
    if size is None:
        return None
    if len(raw) < size:
        raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
    (port,) = struct.unpack_from("!H", raw, 2)
    four = family == AF_INET
    address = IPv4Address(raw[4:8]) if four else IPv6Address(raw[8:24])
    return Place(family, address, port, raw[:size])


def write_place(family: int, address: IPv4Address, port: int) -> bytes:
    """Return an IPv4 address as a socket of either family takes it."""
    if family == AF_INET:
        return struct.pack("=H", family) + struct.pack("!H4s8x", port, address.packed)
    mapped = bytes(10) + b"\xff\xff" + address.packed
    return struct.pack("=H", family) + struct.pack("!H4x16s4x", port, mapped)
