"""The contract of a kind of source: what one file in `connectors/` declares.

Its code runs in the engine worker, behind the wall, with the worker's DuckDB connection; the web
process knows only the flags, the `Options` and the `grants`. A connector translates its driver's
errors into ConnectError or InvalidInput at its own edge, and never logs or returns a secret.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict

from core.structure import Structure

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa


class Options(BaseModel):
    """What a person fills in: one model drives the form, the API body and the check.

    Each field has a title and a description. Fields of the type `Secret` are sealed, and never
    shown again; they have a default, because a source is also looked at without them.
    """

    # An error would quote the whole input, with the secrets that are beside what is wrong.
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


O = TypeVar("O", bound=Options)  # noqa: E741 - the usual letter of the type it stands for


@dataclass(frozen=True)
class Grants:
    """What a source must be able to reach: absolute paths, and hosts as `name:port`.

    `extensions` are filled in by `Connector.needs`.
    """

    read: tuple[str, ...] = ()
    write: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    extensions: tuple[str, ...] = ()


@dataclass(frozen=True)
class Reject:
    """One row of a file that could not be read: where it stands, and why."""

    file: str
    line: int
    column: str
    reason: str
    text: str = ""


@dataclass(frozen=True)
class Report:
    """What a look at a source found: its tables as SQL will name them, and rows it would refuse.

    `rejected` counts every such row; `rejects` lists the first of them. `options`, where given,
    are the options with what was found filled in: save these, and attaching need not look again.
    """

    tables: tuple[str, ...]
    rejected: int = 0
    rejects: tuple[Reject, ...] = ()
    notes: tuple[str, ...] = field(default=())
    options: Options | None = None


@dataclass(frozen=True)
class Checked:
    """What a test of a connection found: how long it took, in s, and who answered.

    `facts` are pairs to show, such as database, user and whether it may write; `notes` are
    sentences about what will not work.
    """

    seconds: float
    version: str
    facts: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()


class Connector(Generic[O]):
    """A kind of source. Subclasses set the facts and override what they can do."""

    name: ClassVar[str]
    label: ClassVar[str]
    icon: ClassVar[str]
    """A Material symbol, as in `:material/table:` without colons and prefix: `table`."""
    help: ClassVar[str]
    Options: ClassVar[type[Options]]

    suffixes: ClassVar[tuple[str, ...]] = ()
    """File name endings that this connector reads, lower case, with the dot; the longest wins."""
    group: ClassVar[Literal["file", "database", "storage", "engine"]] = "file"
    extensions: ClassVar[tuple[str, ...]] = ()
    """DuckDB extensions that are loaded before its code runs."""
    remote: ClassVar[bool] = False
    """It lies across a network: it is attached beside the others, and may be away for a while."""
    attaches: ClassVar[bool] = True
    """Its tables join with everything else; otherwise it only runs its own SQL."""
    writable: ClassVar[bool] = False
    """Its options can allow writing."""
    push_down: ClassVar[bool] = False
    """It runs SQL of its own: `fetch`."""
    dialect: ClassVar[str] = ""
    """What sqlglot calls that SQL, for those that push down."""
    statistics: ClassVar[bool] = False
    """It knows about how many rows its tables have, and their sizes."""

    def dialect_for(self, options: O) -> str:
        """Name the dialect of a source with these options, "" where sqlglot knows it not."""
        return self.dialect

    def extensions_for(self, options: O) -> tuple[str, ...]:
        """Name the extensions that these options need: each takes 5 to 10 MB."""
        return self.extensions

    def grants(self, options: O) -> Grants:
        """Say what the wall must let through. Runs in the web process; opens nothing."""
        return Grants()

    def needs(self, options: O) -> Grants:
        """Say what a worker must have from its start: what to let through, what to load."""
        return replace(self.grants(options), extensions=self.extensions_for(options))

    def place(self, options: O) -> str:
        """Say where the source is, as people may see it: without what is secret of it."""
        return str(getattr(options, "path", ""))

    def test(self, con: duckdb.DuckDBPyConnection, options: O) -> Checked:
        """Connect once, within 15 s, and tell who answers.

        Raises ConnectError that tells apart: no such name, refused, no answer, TLS, password,
        no such database, not allowed, too old.
        """
        started = time.perf_counter()
        report = self.inspect(con, options, "tested")
        found = (("Tables", str(len(report.tables))),)
        return Checked(time.perf_counter() - started, "", found, report.notes)

    def inspect(self, con: duckdb.DuckDBPyConnection, options: O, alias: str) -> Report:
        """Read as much as tells whether the source is good.

        Raises ConnectError where it cannot be opened, InvalidInput where it makes no sense.
        """
        raise NotImplementedError

    def attach(
        self,
        con: duckdb.DuckDBPyConnection,
        options: O,
        alias: str,
        *,
        cache: Path | None = None,
    ) -> None:
        """Make the source's tables queryable under `alias`.

        `cache` is a writable folder, kept between engines and free to be emptied at any time, for
        what is slow to find out again and for copies of what DuckDB cannot read itself.

        A database becomes a catalog (`alias.schema.table`). A file of one table becomes a view
        `files.main.<alias>`, reachable by its bare name; a file of several becomes a
        catalog of views (`alias.table`). Attaching again replaces what was there.
        """
        raise NotImplementedError

    def alive(self, con: duckdb.DuckDBPyConnection, options: O, alias: str) -> None:
        """Ask an attached source for a sign of life. Raises whatever its driver does."""

    def fetch(
        self,
        con: duckdb.DuckDBPyConnection,
        options: O,
        sql: str,
        on_cancel: Callable[[Callable[[], None]], None],
    ) -> AbstractContextManager[pa.RecordBatchReader]:
        """Run a statement of the source's own dialect there, and lend its rows as they arrive.

        `on_cancel` is given what stops the statement at its server. A statement that gives no
        rows gives one, of what the server says of it.
        """
        raise NotImplementedError

    def stop(self, options: O, alias: str, seconds: float) -> None:
        """Stop at the server what an attached source was asked in the last so many seconds.

        For statements of DuckDB's that read it, where interrupting DuckDB would wait for the
        server. Nothing to do where it does not.
        """

    def structures(
        self, options: O, schema: str | None, name: str | None
    ) -> list[Structure] | None:
        """Tell of all tables, of a schema's, or of one: what the source knows and DuckDB does not.

        None where DuckDB itself knows it all. A column's `type` may be left empty: the engine
        fills in what it sees, which of a source that does not attach is nothing.
        """
        return None

    def dump_refused(self, options: O) -> str:
        """Say why no backup can be taken over this connection; "" where one can."""
        return ""

    def detach(self, con: duckdb.DuckDBPyConnection, alias: str) -> None:
        """Take back what `attach` made. Nothing to do if it is not there."""
        raise NotImplementedError


def quoted(name: str) -> str:
    """Quote an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def literal(value: str | Iterable[str]) -> str:
    """Quote an SQL string, or a list of them: for DDL, where nothing can be bound."""
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    return "[" + ", ".join(literal(each) for each in value) + "]"
