"""What database servers have in common: where they are, who asks, and what goes wrong on the way.

A test walks the way step by step (name, port, TLS, password, database), so that the answer is the
first step that fails and not what a driver makes of it.
"""

from __future__ import annotations

from typing import Protocol

from pydantic import Field, field_validator

from connectors._ports import longest_wait, opened
from core.connector import Grants, Options
from core.secret import Secret


class HostOptions(Options):
    """Where a server is."""

    host: str = Field(
        "localhost", title="Host", description="A name or an address, without a port.", min_length=1
    )
    port: int = Field(title="Port", description="The TCP port.", ge=1, le=65535)

    @field_validator("host")
    @classmethod
    def _only_a_host(cls, value: str) -> str:
        value = plain(value)
        if "/" in value or "@" in value or value.count(":") == 1:
            raise ValueError("give the name or address alone: port, user and database have fields")
        if not (host := value.strip("[]")):
            raise ValueError("give a name or an address")
        return host

    @property
    def address(self) -> str:
        """The host and port as `name:port`."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"

    @property
    def grants(self) -> Grants:
        """What the wall must let through."""
        return Grants(hosts=(self.address,))


class ServerOptions(HostOptions):
    """Where a server is, and who asks."""

    database: str = Field(title="Database", description="Its name on the server.")
    user: str = Field(title="User", description="A role that may only read is enough, and safest.")
    password: Secret = Field(
        Secret(""), title="Password", description="It is sealed, and never shown again."
    )
    allow_writing: bool = Field(
        False,
        title="Allow writing",
        description="Without it the server itself refuses every change from here.",
        json_schema_extra={"more": True},
    )
    statement_timeout: int = Field(
        300,
        title="Longest statement, in s",
        description="The server stops what takes longer; 0 for its own limit.",
        ge=0,
        le=86_400,
        json_schema_extra={"more": True},
    )

    connect_timeout: int = longest_wait()

    @field_validator("database", "user")
    @classmethod
    def _no_control_characters(cls, value: str) -> str:
        return plain(value)


def plain(value: str) -> str:
    """Return a text without blanks around it. Raises ValueError for control characters."""
    if any(ord(sign) < 32 for sign in value):
        raise ValueError("holds a control character")
    return value.strip()


class Placed(Protocol):
    """What is somewhere on a network; `connect_timeout` in s."""

    @property
    def host(self) -> str: ...
    @property
    def port(self) -> int: ...
    @property
    def connect_timeout(self) -> int: ...


def reach(options: Placed) -> None:
    """Open and close a TCP connection. Raises ConnectError that says which step failed."""
    opened(options.host, options.port, options.connect_timeout).close()
