"""A TCP connection, opened to see whether somebody is there: the first steps of every test."""

from __future__ import annotations

import socket

from core.errors import ConnectError


def opened(host: str, port: int, seconds: float) -> socket.socket:
    """Open a TCP connection. Raises ConnectError that says which step failed."""
    try:
        return socket.create_connection((host, port), timeout=seconds)
    except socket.gaierror as error:
        raise ConnectError(
            f"There is no host named {host}.",
            hint="Check the spelling; inside a company it may need the VPN.",
        ) from error
    except TimeoutError as error:
        raise ConnectError(
            f"{host} does not answer on port {port}: nothing came within {seconds} s.",
            hint="A firewall may be in between, or the host is down.",
        ) from error
    except ConnectionRefusedError as error:
        raise ConnectError(
            f"{host} refuses connections on port {port}.",
            hint="Is the server running, and does it listen on this port and address?",
        ) from error
    except OSError as error:
        raise ConnectError(f"{host} cannot be reached: {error.strerror or error}.") from error
