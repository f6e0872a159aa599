"""A TCP connection, opened to see whether somebody is there, and how long one waits for that."""

from __future__ import annotations

import socket
from typing import Any

from pydantic import Field

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


def longest_wait() -> Any:
    """Declare the option `connect_timeout`, in s: a test as a whole may take 15."""
    return Field(
        10,
        title="Longest wait to connect, in s",
        description="After that, the server counts as being away.",
        ge=1,
        le=15,
        json_schema_extra={"more": True},
    )
