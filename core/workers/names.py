"""What granted hosts mean: addresses for the broker, answers for a worker that looks up names.

A worker's resolver speaks DNS over TCP (RFC 1035, 4.2.2) to what answers here. A granted name is
looked up as the system does it; any other does not exist, and nobody is asked for it, so that a
name cannot carry data out. This is no resolver: addresses only, one question a message.
"""

from __future__ import annotations

import socket
import struct
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import Future, wait
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address

from core.network import gives_credentials
from core.workers.places import host_and_port

Address = IPv4Address | IPv6Address

FRESH = 30.0
"""Seconds for which what a name means is not asked again."""
REMEMBERED = 300.0
"""Seconds for which an address may be connected to after a name meant it."""
PATIENCE = 10.0
"""Seconds that a lookup may take, and a worker between two questions."""

_FAILED_FRESH = 2.0
_HEADER = struct.Struct("!6H")
_A, _AAAA, _INTERNET = 1, 28, 1
_NO_ERROR, _SERVER_FAILED, _NO_SUCH_NAME, _REFUSED = 0, 2, 3, 5
_LONGEST = 1024
_MOST_ADDRESSES = 64


@dataclass(frozen=True)
class _Lookup:
    """A name being looked up, or what it meant; an OSError where that is not known."""

    began: float
    answer: Future[tuple[Address, ...]]

    @property
    def fresh(self) -> bool:
        if not self.answer.done():
            return True
        seconds = _FAILED_FRESH if self.answer.exception() else FRESH
        return time.monotonic() - self.began < seconds


class Names:
    """The hosts of one worker. Safe to call from any thread."""

    def __init__(self, hosts: Iterable[str], *, refused: Callable[[str], None]) -> None:
        """Read hosts, each `name:port` or `[address]:port`; `refused` is told of other names."""
        self._refused = refused
        self._literals: set[tuple[Address, int]] = set()
        self._ports: dict[str, set[int]] = {}
        self._lock = threading.Lock()
        self._lookups: dict[str, _Lookup] = {}
        self._meant: dict[tuple[str, Address], float] = {}
        for each in hosts:
            host, port = host_and_port(each)
            try:
                self._literals.add((plain(ip_address(host)), port))
            except ValueError:
                self._ports.setdefault(_plain_name(host), set()).add(port)

    def allow(self, address: Address, port: int) -> bool:
        """Tell whether an address and port were granted; may wait for lookups of names.

        A name never grants an address that can give out a machine's credentials.
        """
        address = plain(address)
        if (address, port) in self._literals:
            return True
        names = [name for name, ports in self._ports.items() if port in ports]
        if gives_credentials(address):
            return False
        if not self._was_meant(names, address):
            wait([self._look_up(name) for name in names], PATIENCE)
        return self._was_meant(names, address)

    def converse(self, connection: socket.socket) -> None:
        """Answer one worker's questions until it ends the connection, or says what no one does."""
        connection.settimeout(PATIENCE)
        with connection, connection.makefile("rb") as questions, suppress(OSError, ValueError):
            while length := questions.read(2):
                size = int.from_bytes(length, "big")
                if size > _LONGEST:
                    return
                answer = self.answer(questions.read(size))
                connection.sendall(struct.pack("!H", len(answer)) + answer)

    def answer(self, message: bytes) -> bytes:
        """Answer one DNS message. ValueError where it is none."""
        number, flags, asked, kind, group = _read(message)
        question = message[_HEADER.size : asked.end]
        found: tuple[Address, ...] = ()
        if flags & 0xF800 or group != _INTERNET:  # an answer, or no plain query
            code = _REFUSED
        elif asked.name not in self._ports:
            self._refused(asked.name)
            code = _NO_SUCH_NAME
        else:
            code, found = self._addresses(asked.name)
        family = {_A: IPv4Address, _AAAA: IPv6Address}.get(kind)
        chosen = [each for each in found if family is type(each)][:_MOST_ADDRESSES]
        records = [
            # 0xC00C: the name that stands at byte 12
            struct.pack("!HHHIH", 0xC00C, kind, _INTERNET, int(FRESH), len(each.packed))
            + each.packed
            for each in chosen
        ]
        # An answer, recursion available, and as much was desired as was desired.
        header = _HEADER.pack(number, 0x8080 | flags & 0x0100 | code, 1, len(records), 0, 0)
        return header + question + b"".join(records)

    def _addresses(self, name: str) -> tuple[int, tuple[Address, ...]]:
        try:
            return _NO_ERROR, self._look_up(name).result(PATIENCE)
        except (OSError, UnicodeError, TimeoutError) as error:
            missing = isinstance(error, socket.gaierror) and error.errno in _NOT_FOUND
            return (_NO_SUCH_NAME if missing else _SERVER_FAILED), ()

    def _look_up(self, name: str) -> Future[tuple[Address, ...]]:
        """Ask the resolver, which knows no deadline, in a thread that may be left behind."""
        with self._lock:
            known = self._lookups.get(name)
            if known is not None and known.fresh:
                return known.answer
            lookup = self._lookups[name] = _Lookup(time.monotonic(), Future())
        thread = threading.Thread(
            target=self._ask, args=[name, lookup.answer], name=f"look up {name}", daemon=True
        )
        thread.start()
        return lookup.answer

    def _ask(self, name: str, answer: Future[tuple[Address, ...]]) -> None:
        try:
            found = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
            texts = [str(to[0]).partition("%")[0] for *_, to in found]
            addresses = tuple(dict.fromkeys(plain(ip_address(text)) for text in texts))
        except Exception as error:
            answer.set_exception(error)
            return
        until = time.monotonic() + REMEMBERED
        with self._lock:
            kept = {key: end for key, end in self._meant.items() if end > time.monotonic()}
            self._meant = kept | {(name, address): until for address in addresses}
        answer.set_result(addresses)

    def _was_meant(self, names: Iterable[str], address: Address) -> bool:
        with self._lock:
            ends = [self._meant.get((name, address), 0.0) for name in names]
        return any(end > time.monotonic() for end in ends)


_NOT_FOUND = {socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME)}


def plain(address: Address) -> Address:
    """Return an address without its zone, and as IPv4 where IPv6 only carries it."""
    if isinstance(address, IPv6Address):
        return address.ipv4_mapped or IPv6Address(int(address))
    return address


def _plain_name(host: str) -> str:
    with suppress(UnicodeError):
        host = host.encode("idna").decode("ascii")
    return host.lower().rstrip(".")


@dataclass(frozen=True)
class _Asked:
    name: str
    end: int
    """Where the question ends in its message."""


def _read(message: bytes) -> tuple[int, int, _Asked, int, int]:
    """Return number, flags, name, type and class of the one question in a message."""
    if len(message) < _HEADER.size:
        raise ValueError("too short")
    number, flags, questions, *_ = _HEADER.unpack_from(message)
    if questions != 1:
        raise ValueError("not one question")
    labels: list[str] = []
    at = _HEADER.size
    while at < len(message) and (size := message[at]):
        if size > 63:
            raise ValueError("a name by reference")
        labels.append(message[at + 1 : at + 1 + size].decode("ascii", "replace"))
        at += 1 + size
    if at + 5 > len(message):
        raise ValueError("cut off")
    kind, group = struct.unpack_from("!HH", message, at + 1)
    return number, flags, _Asked(".".join(labels).lower(), at + 5), kind, group
