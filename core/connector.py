"""The contract of a kind of source: what one file in `connectors/` declares.

Its code runs in the engine worker, behind the wall, with the worker's DuckDB connection; the web
process knows only the flags, the `Options` and the `grants`. A connector translates its driver's
errors into ConnectError or InvalidInput at its own edge, and never logs or returns a secret.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Generic, TypeVar

from pydantic import BaseModel, ConfigDict

if TYPE_CHECKING:
    import duckdb


class Options(BaseModel):
    """What a person fills in: one model drives the form, the API body and the check.

    Each field has a title and a description.
    """

    # An error would quote the whole input, with the secrets that are beside what is wrong.
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


O = TypeVar("O", bound=Options)  # noqa: E741 - the usual letter of the type it stands for


@dataclass(frozen=True)
class Grants:
    """What a source must be able to reach: absolute paths, and hosts as `name:port`."""

    read: tuple[str, ...] = ()
    write: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()


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
    writable: ClassVar[bool] = False
    push_down: ClassVar[bool] = False

    def grants(self, options: O) -> Grants:
        """Say what the wall must let through. Runs in the web process; opens nothing."""
        return Grants()

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
