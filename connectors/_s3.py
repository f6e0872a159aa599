"""An S3-compatible store: where it is, who asks, and which keys DuckDB is told for which folder."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal

from pydantic import Field, field_validator, model_validator

from connectors._paths import pattern
from connectors._ports import opened
from connectors._remote import keep_secret
from connectors._web import greet
from core.connector import Options
from core.errors import ConnectError
from core.secret import Secret

if TYPE_CHECKING:
    import duckdb

_ENDPOINT = re.compile(r"[A-Za-z0-9.-]+(:[0-9]{1,5})?")


class Store(Options):
    """Where a bucket is, and who asks."""

    bucket: str = Field(
        title="Bucket",
        description="Its name alone.",
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{1,62}$",
    )
    prefix: str = Field(
        "",
        max_length=900,
        title="Folder, file or pattern",
        description="Below the bucket, as sales/2024-*/*.parquet; empty: all of it.",
    )
    endpoint: str = Field(
        "",
        title="Endpoint",
        description="Host, or host:port, of the store; empty for AWS.",
    )
    region: str = Field(
        "us-east-1",
        title="Region",
        description="The bucket's own; auto for R2. Many other stores do not mind.",
        pattern=r"^[a-z0-9-]{1,40}$",
    )
    key_id: str = Field(
        "",
        max_length=200,
        title="Key id",
        description="Empty for a public bucket. It can be read by SQL; the secret key cannot.",
    )
    secret_key: Secret = Field(
        Secret(""), title="Secret key", description="It is sealed, and never shown again."
    )
    session_token: Secret = Field(
        Secret(""), title="Session token", description="Of temporary keys only. It is sealed."
    )
    tls: bool = Field(
        True,
        title="Encryption",
        description="Off, all that is read can be seen on the way; the secret key is not sent.",
        json_schema_extra={"more": True},
    )
    check_certificate: bool = Field(
        True,
        title="Check the certificate",
        description="Off, anybody on the way can pretend to be the store.",
        json_schema_extra={"more": True},
    )
    url_style: Literal["auto", "path", "virtual"] = Field(
        "auto",
        title="Bucket in the address",
        description="As its path, or as part of the host's name; auto: path unless it is AWS.",
        json_schema_extra={"more": True},
    )

    @field_validator("endpoint")
    @classmethod
    def _only_a_host(cls, text: str) -> str:
        text = text.strip().rstrip("/")
        if text and not _ENDPOINT.fullmatch(text):
            raise ValueError("give the host alone, or host:port: encryption has a field")
        return text.lower()

    @field_validator("prefix")
    @classmethod
    def _below(cls, text: str) -> str:
        if "?" in text:
            raise ValueError("DuckDB reads no names with a ? from a store")
        if any(ord(sign) < 32 for sign in text):
            raise ValueError("holds a control character")
        return text.removeprefix("/")

    @field_validator("key_id")
    @classmethod
    def _one_word(cls, text: str) -> str:
        if not re.fullmatch(r"[\x21-\x7e]*", text.strip()):
            raise ValueError("a key id has no spaces or control characters")
        return text.strip()

    @model_validator(mode="after")
    def _whole(self) -> Store:
        if self.secret_key and not self.key_id:
            raise ValueError("a secret key has a key id")
        return self

    @property
    def host(self) -> str:
        """The host that is asked, as `name:port`."""
        at, _, port = (self.endpoint or f"s3.{self.region}.amazonaws.com").partition(":")
        name = f"{self.bucket}.{at}" if self.style == "vhost" else at
        return f"{name}:{port or (443 if self.tls else 80)}"

    @property
    def style(self) -> str:
        """How DuckDB writes the bucket."""
        virtual = self.url_style == "virtual" or (self.url_style == "auto" and not self.endpoint)
        return "vhost" if virtual else "path"

    @property
    def is_pattern(self) -> bool:
        """Whether the prefix is one: `[` alone is taken for a sign in a name."""
        return "*" in self.prefix

    @property
    def root(self) -> str:
        """The folder that everything lies in, as an address that ends with /."""
        fixed = re.split(r"[*\[]", self.prefix, maxsplit=1)[0].rpartition("/")[0]
        folder = (fixed if self.is_pattern else self.prefix).strip("/")
        return f"s3://{self.bucket}/{folder}/" if folder else f"s3://{self.bucket}/"

    @property
    def place(self) -> str:
        """Where it is, for people."""
        return f"s3://{self.bucket}/{self.prefix} at {self.endpoint or 'AWS, ' + self.region}"


def as_pattern(address: str) -> str:
    """Quote what of an address would be a pattern."""
    return "s3://" + pattern(address.removeprefix("s3://"))


def reach_store(store: Store, seconds: int) -> str:
    """Make sure that a store answers; return who it says it is. Raises ConnectError."""
    return greet(
        f"{'https' if store.tls else 'http'}://{store.host}/", store.check_certificate, seconds
    )


def store_alive(store: Store, seconds: int) -> None:
    """Open and close a connection. Raises ConnectError."""
    name, _, port = store.host.rpartition(":")
    opened(name, int(port), seconds).close()


def keep_keys(con: duckdb.DuckDBPyConnection, store: Store, name: str) -> None:
    """Tell DuckDB the keys, for this folder alone. Raises ConnectError for a bucket's twin."""
    # Without a slash where it may be a file; never for a bucket, whose name begins others'.
    scope = store.root if store.root.count("/") == 3 else store.root.rstrip("/")
    _refuse_twin(con, store, name, scope)
    keep_secret(
        con,
        name,
        "s3",
        {
            "key_id": store.key_id,
            "secret": store.secret_key.get_secret_value(),
            "session_token": store.session_token.get_secret_value(),
            "region": store.region,
            "endpoint": store.endpoint or f"s3.{store.region}.amazonaws.com",
            "url_style": store.style,
            "use_ssl": store.tls,
            "verify_ssl": store.check_certificate,
        },
        # A key is looked for by the address as it is asked for, where that is a pattern too.
        [*dict.fromkeys([scope, as_pattern(scope)])],
    )


def _refuse_twin(con: duckdb.DuckDBPyConnection, store: Store, name: str, scope: str) -> None:
    """DuckDB knows a bucket by its name alone: the same name at two stores would be one to it."""
    others = con.execute(
        "SELECT unnest(scope), secret_string FROM duckdb_secrets() "
        "WHERE type = 's3' AND starts_with(name, 'millpond_') AND name <> $name",
        {"name": name},
    ).fetchall()
    endpoint = store.endpoint or f"s3.{store.region}.amazonaws.com"
    for where, told in others:
        facts = dict(each.partition("=")[::2] for each in told.split(";"))
        overlaps = where.startswith(scope) or scope.startswith(where)
        same = facts.get("endpoint") == endpoint
        if overlaps and not (same and (where != scope or facts.get("key_id", "") == store.key_id)):
            raise ConnectError(
                f"Another connection reads {where} already, from another store or with other keys.",
                hint="DuckDB tells buckets apart by name only. Switch the other one off.",
            )
