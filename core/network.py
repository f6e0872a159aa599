"""The way out: every connection that the program itself makes to an address that a person typed.

Refused is whatever lies inside (SSRF): a name is looked up once, all that it means is checked, and
the connection goes to what was checked. An operator may list private hosts; addresses that give
out a machine's credentials are never reached. One deadline stands over the whole conversation and
one bound over what is read in it. Redirects and proxies are not followed.
"""

from __future__ import annotations

import re
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from typing import Any, Literal

from core.errors import ConfigError, ConnectError, Forbidden, InvalidInput, MillpondError

Address = IPv4Address | IPv6Address
Security = Literal["tls", "starttls", "none"]
"""`starttls` begins in the open and is encrypted by whoever asked, with `Network.tls`."""

MOST_READ = 256 * 1024
"""Bytes that are read of one server's answers; those we ask for take some hundreds."""

_V6_GLOBAL = ip_network("2000::/3")
_NAT64 = ip_network("64:ff9b::/96")
_COMPATIBLE = ip_network("::/96")
_INSIDE = tuple(
    ip_network(each)
    for each in (
        "192.0.0.0/24",  # protocol assignments
        "192.88.99.0/24",  # relays of 6to4
        "2001::/23",  # protocol assignments
        "3fff::/20",  # documentation, which Python 3.11 does not know yet
    )
)
_NEVER = tuple(
    ip_network(each)
    for each in (
        "169.254.0.0/16",  # link-local: most clouds' metadata
        "fe80::/10",
        "fd00:ec2::254/128",  # AWS
        "fd20:ce::254/128",  # Google
        "100.100.100.200/32",  # Alibaba
        "168.63.129.16/32",  # Azure; a global address
        "192.0.0.192/32",  # Oracle
    )
)

Resolve = Callable[..., Sequence[tuple[Any, ...]]]


class Network:
    """Connections to where people say, within what the operator allows. Safe to share."""

    def __init__(self, private_hosts: str = "", *, resolve: Resolve = socket.getaddrinfo) -> None:
        """Read the list of private hosts. Raises ConfigError."""
        texts = (each.strip() for each in private_hosts.split(","))
        self._listed = tuple(_Listed.read(each) for each in texts if each)
        self._resolve = resolve

    @property
    def tls(self) -> ssl.SSLContext:
        """Return what verifies a server's certificate and name, and bounds what is read."""
        context = ssl.create_default_context()
        context.sslsocket_class = _Tls
        return context

    @contextmanager
    def connect(
        self, host: str, port: int, *, seconds: float, security: Security
    ) -> Iterator[socket.socket]:
        """Open a connection that is cut off after so many seconds, whatever goes on in it.

        Raises Forbidden for an address inside, ConnectError for one that is not reached, does not
        prove its name, is late, or breaks off, also while the caller uses the connection.
        """
        deadline = time.monotonic() + seconds
        with _Watch(f"{host}:{port}", seconds) as watch:
            found = self._checked(host, port, security, seconds)
            with closing(_reach(found, deadline)) as plain:
                watch.over(plain, deadline)
                if security != "tls":
                    yield plain
                    return
                with closing(self.tls.wrap_socket(plain, server_hostname=host)) as encrypted:
                    yield encrypted

    def _checked(
        self, host: str, port: int, security: Security, seconds: float
    ) -> list[tuple[Any, ...]]:
        """Return what the host's name means, if all of it may be reached."""
        found = [(family, to) for family, _, _, _, to in self._look_up(host, port, seconds)]
        for _, to in found:
            self._check(host, ip_address(to[0]), port, security)
        return found

    def _check(self, host: str, address: Address, port: int, security: Security) -> None:
        if gives_credentials(address):
            raise Forbidden(
                f"{host} is {address}, which no connection may go to: it can give out a machine's "
                "credentials.",
                hint="Enter another host.",
            )
        if any(each.allows(host, address, port) for each in self._listed):
            return
        if not all(_is_outside(form) for form in _forms(address)):
            raise Forbidden(
                f"{host} is {address}, an address inside, which connections may not go to.",
                hint=f"Whoever runs Millpond can allow it: MILLPOND_PRIVATE_HOSTS={host}:{port}.",
            )
        if security == "none":
            raise Forbidden(
                f"What goes to {host} must be encrypted.",
                hint=f"Only hosts that MILLPOND_PRIVATE_HOSTS lists, as {host}:{port}, are spoken "
                "to without TLS.",
            )

    def _look_up(self, host: str, port: int, seconds: float) -> Sequence[tuple[Any, ...]]:
        """Ask the resolver, which knows no deadline, in a thread that may be left behind."""
        answer: list[Any] = []

        def ask() -> None:
            try:
                answer.append(self._resolve(host, port, type=socket.SOCK_STREAM))
            except (OSError, UnicodeError) as error:
                answer.append(error)

        thread = threading.Thread(target=ask, name=f"look up {host}", daemon=True)
        thread.start()
        thread.join(seconds)
        if not answer:
            raise ConnectError(f"Nobody said within {seconds:g} s where {host} is.")
        if isinstance(answer[0], UnicodeError):
            raise InvalidInput(f"{host} is not the name of a host.") from answer[0]
        if isinstance(answer[0], OSError):
            raise ConnectError(
                f"The host {host} was not found: {answer[0].strerror}.", hint="Check the spelling."
            ) from answer[0]
        found: Sequence[tuple[Any, ...]] = answer[0]
        return found


@dataclass(frozen=True)
class _Listed:
    """One entry of the private hosts: a name or a network, and a port or all."""

    name: str
    network: IPv4Network | IPv6Network | None
    port: int | None

    @classmethod
    def read(cls, text: str) -> _Listed:
        with suppress(ValueError):
            return cls("", ip_network(text, strict=False), None)
        match = re.fullmatch(r"(?:\[(?P<v6>[^\]]+)\]|(?P<name>[\w.-]+))(?::(?P<port>\d+))?", text)
        if not match or int(match["port"] or 1) > 65535:
            raise ConfigError(
                f"MILLPOND_PRIVATE_HOSTS has {text!r}, which is no host or network.",
                hint="Write hosts, networks, or either with a port: mail.lan, 10.0.0.0/8, "
                "[::1]:2525; commas between them.",
            )
        name, port = match["v6"] or match["name"], match["port"]
        with suppress(ValueError):
            return cls("", ip_network(name, strict=False), int(port) if port else None)
        return cls(_plain_name(name), None, int(port) if port else None)

    def allows(self, host: str, address: Address, port: int) -> bool:
        if self.port not in (None, port):
            return False
        if self.network is None:
            return self.name == _plain_name(host)
        return any(form in self.network for form in _forms(address))


class _Watch:
    """Stands over one conversation: cuts it off when its time is up, and says what went wrong."""

    def __init__(self, place: str, seconds: float) -> None:
        self._place, self._seconds = place, seconds
        self._handle: socket.socket | None = None
        self._timer: threading.Timer | None = None
        self._late = False

    def over(self, plain: socket.socket, deadline: float) -> None:
        """Watch a connection from now on."""
        self._handle = plain.dup()  # TLS takes the descriptor out of the socket that it wraps
        self._timer = threading.Timer(max(0.0, deadline - time.monotonic()), self._cut_off)
        self._timer.daemon = True
        self._timer.start()

    def __enter__(self) -> _Watch:
        return self

    def __exit__(self, kind: object, error: BaseException | None, where: object) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer.join()
        if self._handle is not None:
            self._handle.close()
        # A reader may take the cut for the end of what there was.
        if (error is None and self._late) or isinstance(error, Exception):
            told = self._told(error)
            if told is not None:
                raise told from error

    def _cut_off(self) -> None:
        self._late = True
        with suppress(OSError):  # it may have ended by itself
            assert self._handle is not None
            self._handle.shutdown(socket.SHUT_RDWR)

    def _told(self, error: BaseException | None) -> MillpondError | None:
        """Say what an error means; None if it tells itself."""
        if self._late or isinstance(error, TimeoutError):
            return ConnectError(f"{self._place} did not finish within {self._seconds:g} s.")
        if isinstance(error, ssl.SSLCertVerificationError):
            return ConnectError(
                f"{self._place} did not prove that it is this host: {error.verify_message}.",
                hint="Enter the host as its certificate names it. Certificates of an authority of "
                "your own are found through SSL_CERT_FILE.",
            )
        if isinstance(error, ssl.SSLError):
            reason = (error.reason or "no TLS").replace("_", " ").lower()
            return ConnectError(
                f"No encrypted connection to {self._place} came about: {reason}.",
                hint="See whether the port is the one for TLS.",
            )
        if isinstance(error, ConnectionRefusedError):
            return ConnectError(f"Nothing answers at {self._place}.", hint="Check host and port.")
        if isinstance(error, OSError):
            return ConnectError(f"The connection to {self._place} broke off: {_reason(error)}.")
        return None


class _Bounded:
    """Counts what is read from a socket, whatever protocol reads it."""

    _read = 0

    def recv_into(self, *args: Any, **keywords: Any) -> int:
        count: int = super().recv_into(*args, **keywords)  # type: ignore[misc]
        self._read += count
        if self._read > MOST_READ:
            # An OSError: what reads from sockets then closes what it has open.
            raise OSError(f"it answered with more than {MOST_READ // 1024} kB")
        return count


class _Plain(_Bounded, socket.socket):
    pass


class _Tls(_Bounded, ssl.SSLSocket):
    pass


def _reach(found: Sequence[tuple[Any, ...]], deadline: float) -> socket.socket:
    """Connect to the first address that answers."""
    failure: OSError = TimeoutError()
    for family, to in found:
        plain = _Plain(family, socket.SOCK_STREAM)
        try:
            left = deadline - time.monotonic()
            plain.settimeout(max(0.001, left))
            plain.connect(to)
        except OSError as error:
            plain.close()
            failure = error
        else:
            return plain
    raise failure


def gives_credentials(address: Address) -> bool:
    """Tell whether an address may give out a machine's credentials, however it is written."""
    return any(form in network for form in _forms(address) for network in _NEVER)


def _forms(address: Address) -> list[Address]:
    """Return what an address means: itself, or the IPv4 addresses that are written in it."""
    if isinstance(address, IPv4Address):
        return [address]
    plain = IPv6Address(int(address))  # without a zone
    last = IPv4Address(int(plain) & 0xFFFFFFFF)
    if plain.ipv4_mapped:
        return [plain.ipv4_mapped]
    if plain in _NAT64:
        return [last]
    if plain in _COMPATIBLE and int(plain) > 1:
        return [plain, last]
    return [plain, *filter(None, (plain.sixtofour, *(plain.teredo or ())))]


def _is_outside(address: Address) -> bool:
    """Tell whether an address is one of the public internet's, of one host."""
    if any(address in network for network in _INSIDE):
        return False
    if isinstance(address, IPv6Address) and address not in _V6_GLOBAL:
        return False
    return address.is_global and not (address.is_multicast or address.is_reserved)


def _plain_name(host: str) -> str:
    return host.lower().rstrip(".")


def _reason(error: OSError) -> str:
    reason = error.strerror or str(error) or type(error).__name__
    return reason[:1].lower() + reason[1:].rstrip(".")
