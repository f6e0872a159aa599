"""What a person fills in for a Spark Connect server."""

from __future__ import annotations

import ipaddress
from typing import Literal

from pydantic import Field, field_validator, model_validator

from connectors._certificates import certificates
from connectors._ports import longest_wait
from connectors._servers import HostOptions, plain
from core.secret import Secret


class SparkOptions(HostOptions):
    """A Spark Connect server, and who asks."""

    port: int = Field(
        15002, title="Port", description="Spark Connect's, not the master's 7077.", ge=1, le=65535
    )
    database: str = Field(
        "",
        title="Database",
        description="The one, or catalog.database, whose tables need no prefix; may be empty.",
    )
    user: str = Field(
        "millpond", title="User", description="The name that Spark's own pages show for our work."
    )
    token: Secret = Field(
        Secret(""),
        title="Token",
        description="A bearer token, if the server or what stands before it asks for one.",
    )
    tls: Literal["disable", "require"] = Field(
        "disable",
        title="Encryption",
        description="require also makes sure that the server is the one that it says it is.",
    )
    tls_authority: str = Field(
        "",
        title="Certificate authority",
        description="PEM text of who signed the server's certificate; empty: who is known here.",
        max_length=100_000,
        json_schema_extra={"more": True},
    )
    prepare: str = Field(
        "",
        title="First statements",
        description="SQL that each session begins with, as SET or CREATE TEMPORARY VIEW; between "
        "two stands a semicolon.",
        max_length=100_000,
        json_schema_extra={"more": True},
    )
    allow_writing: bool = Field(
        False,
        title="Allow writing",
        description="Without it only statements that read are passed on.",
        json_schema_extra={"more": True},
    )
    connect_timeout: int = longest_wait()

    @field_validator("database", "user")
    @classmethod
    def _no_control_characters(cls, value: str) -> str:
        return plain(value)

    @field_validator("tls_authority")
    @classmethod
    def _whole_certificates(cls, value: str) -> str:
        return certificates(value)

    @field_validator("token")
    @classmethod
    def _can_be_sent(cls, value: Secret) -> Secret:
        token = value.get_secret_value()
        if not (token.isascii() and (token.isprintable() or not token)):
            raise ValueError("a token has only letters, digits and signs of ASCII")
        return value

    @model_validator(mode="after")
    def _tokens_are_not_overheard(self) -> SparkOptions:
        if self.token.get_secret_value() and self.tls == "disable" and not _is_here(self.host):
            raise ValueError("a token is sent over an encrypted connection only: require it")
        return self


def _is_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"
