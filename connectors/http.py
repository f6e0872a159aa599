"""Files on web servers as one table, read in place: only what a query needs is fetched."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Literal
from urllib.parse import unquote, urlsplit
from uuid import uuid4

from pydantic import Field, field_validator, model_validator

from connectors._addresses import host_of, normal, shown
from connectors._many import RemoteFiles, format_of, select
from connectors._ports import opened
from connectors._remote import drop_secret, keep_secret, reading_from, secret_name
from connectors._sql import call, named
from connectors._views import hide, show
from connectors._web import Answer, ask
from core.connector import Checked, Connector, Grants, Options, Report
from core.errors import InvalidInput
from core.secret import Secret

if TYPE_CHECKING:
    import duckdb

_MOST = 1000
_ASKED = 10
"""Addresses that a test asks for; the others are likely no different."""


class _Place(Options):
    addresses: str = Field(
        title="Addresses",
        description="Of a file, https://...; several, with spaces in between, are one table.",
        max_length=200_000,
    )
    token: Secret = Field(
        Secret(""),
        title="Token",
        description="Sent as a bearer token, to these addresses only. It is sealed.",
    )
    leads_to: str = Field(
        "",
        title="May lead on to",
        description="Other hosts that the addresses redirect to, with spaces in between.",
        max_length=2_000,
    )
    check_certificate: bool = Field(
        True,
        title="Check the certificate",
        description="Off, anybody on the way can pretend to be the server, and read the token.",
    )


class HttpOptions(RemoteFiles, _Place):
    """Where the files are, and how they become one table; the rest is about CSV."""

    format: Literal["auto", "parquet", "csv", "json", "excel"] = Field(  # type: ignore[assignment]
        "auto", title="Format", description="What the files are; auto: by their names."
    )

    @field_validator("addresses")
    @classmethod
    def _normal(cls, text: str) -> str:
        found = [normal(each) for each in re.split(r"\s+(?=https?://)", text.strip())]
        if len(found) > _MOST:
            raise ValueError(f"these are more than {_MOST} addresses")
        return " ".join(dict.fromkeys(found))

    @field_validator("leads_to")
    @classmethod
    def _hosts(cls, text: str) -> str:
        return " ".join(_host(each) for each in text.replace(",", " ").split())

    @field_validator("token")
    @classmethod
    def _one_line(cls, token: Secret) -> Secret:
        if not re.fullmatch(r"[\x21-\x7e]*", token.get_secret_value()):
            raise ValueError("a token has no spaces, line breaks or letters with accents")
        return token

    @model_validator(mode="after")
    def _one_workbook(self) -> HttpOptions:
        if self.kind == "excel" and len(self.urls) > 1:
            raise ValueError("an Excel workbook needs a connection of its own")
        return self

    @property
    def urls(self) -> list[str]:
        """The addresses, one by one."""
        return self.addresses.split(" ")

    @property
    def hosts(self) -> tuple[str, ...]:
        """The hosts of the addresses, and those that they may lead on to."""
        return tuple(dict.fromkeys([*map(host_of, self.urls), *self.leads_to.split()]))

    @property
    def kind(self) -> str:
        """The format, "" if the names of the files do not tell."""
        if self.format != "auto":
            return self.format
        kinds = {_kind(url) for url in self.urls}
        return kinds.pop() if len(kinds) == 1 else ""


class Http(Connector[HttpOptions]):
    name = "http"
    label = "Web files"
    icon = "language"
    help = "CSV, Parquet, JSON or Excel files on a web server, read in place."
    Options = HttpOptions
    group = "storage"
    extensions = ("httpfs",)
    remote = True

    def grants(self, options: HttpOptions) -> Grants:
        return Grants(hosts=options.hosts)

    def place(self, options: HttpOptions) -> str:
        first, *more = options.urls
        return shown(first) + (f" and {len(more)} more" if more else "")

    def test(self, con: duckdb.DuckDBPyConnection, options: HttpOptions) -> Checked:
        started = time.perf_counter()
        answers = [_asked(options, url) for url in options.urls[:_ASKED]]
        seconds = time.perf_counter() - started
        with _told(con, options, f"millpond_{uuid4().hex}"):
            self._look(con, options)
        return Checked(
            seconds, answers[0].server or "HTTP", _facts(answers), _notes(options, answers)
        )

    def inspect(self, con: duckdb.DuckDBPyConnection, options: HttpOptions, alias: str) -> Report:
        answers = [_asked(options, url) for url in options.urls[:_ASKED]]
        with _told(con, options, f"millpond_{uuid4().hex}"):
            self._look(con, options)
        return Report((named(con, alias),), notes=_notes(options, answers))

    def attach(
        self,
        con: duckdb.DuckDBPyConnection,
        options: HttpOptions,
        alias: str,
        *,
        cache: Path | None = None,
    ) -> None:
        for url in options.urls[:_ASKED]:
            _asked(options, url)
        _tell(con, options, secret_name(alias))
        try:
            with reading_from(self.place(options)):
                show(con, alias, _select(options))
        except BaseException:
            drop_secret(con, secret_name(alias))
            raise

    def alive(self, con: duckdb.DuckDBPyConnection, options: HttpOptions, alias: str) -> None:
        for host in dict.fromkeys(map(host_of, options.urls)):
            name, _, port = host.rpartition(":")
            opened(name.strip("[]"), int(port), options.connect_timeout).close()

    def detach(self, con: duckdb.DuckDBPyConnection, alias: str) -> None:
        hide(con, alias)
        drop_secret(con, secret_name(alias))

    def _look(self, con: duckdb.DuckDBPyConnection, options: HttpOptions) -> None:
        with reading_from(self.place(options)):
            con.execute(f"DESCRIBE {_select(options)}").fetchall()


def _host(text: str) -> str:
    """Return `name:port`; without a port it is that of https. Raises ValueError."""
    address = text if "://" in text else f"https://{text}"
    try:
        if urlsplit(address).path.strip("/"):
            raise ValueError("it has a path")
        return host_of(normal(address))
    except ValueError as error:
        raise ValueError(f"{text!r} is no host, as name or name:port") from error


def _kind(url: str) -> str:
    path = unquote(urlsplit(url).path).lower()
    return "excel" if path.endswith((".xlsx", ".xlsm")) else format_of(path)


def _select(options: HttpOptions) -> str:
    kind = options.kind
    if not kind:
        raise InvalidInput(
            "The names of the files do not tell their format, or tell several.",
            hint="Choose the format: all files of a connection have one.",
        )
    if kind == "excel":
        return call("read_xlsx", options.urls[0], {"all_varchar": options.all_text})
    return select(options, kind, options.urls)


def _asked(options: HttpOptions, url: str) -> Answer:
    return ask(
        url,
        token=options.token.get_secret_value(),
        verify=options.check_certificate,
        seconds=options.connect_timeout,
        reachable=options.hosts,
    )


def _tell(con: duckdb.DuckDBPyConnection, options: HttpOptions, name: str) -> None:
    if options.token or not options.check_certificate:
        values = {
            "bearer_token": options.token.get_secret_value(),
            "verify_ssl": options.check_certificate,
        }
        keep_secret(con, name, "http", values, options.urls)
    else:
        drop_secret(con, name)


@contextmanager
def _told(con: duckdb.DuckDBPyConnection, options: HttpOptions, name: str) -> Iterator[None]:
    _tell(con, options, name)
    try:
        yield
    finally:
        drop_secret(con, name)


def _facts(answers: list[Answer]) -> tuple[tuple[str, str], ...]:
    sizes = [answer.size for answer in answers]
    facts = [("Files", str(len(answers)))] if len(answers) > 1 else []
    if all(size is not None for size in sizes):
        facts.append(("Size", f"{sum(size or 0 for size in sizes):,} bytes"))
    if answers[0].changed:
        facts.append(("Last changed", answers[0].changed))
    return tuple(facts)


def _notes(options: HttpOptions, answers: list[Answer]) -> tuple[str, ...]:
    notes = []
    if not all(answer.ranges for answer in answers):
        notes.append("The server gives whole files only, so each query fetches all of it.")
    if options.token and any(url.startswith("http://") for url in options.urls):
        notes.append("The token travels unencrypted: anybody on the way can read it.")
    if len(options.urls) > _ASKED:
        notes.append(f"Only the first {_ASKED} of {len(options.urls)} addresses were asked for.")
    return tuple(notes)
