"""Attach, detach, test and inspect sources: the connectors' code runs here, behind the wall.

What lies across a network is attached beside everything else, on a cursor of its own: a server
that does not answer keeps nobody waiting but those whose SQL names it.
"""

from __future__ import annotations

import logging
import re
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import duckdb

from core.connector import Connector, literal
from core.engine.extensions import SETTINGS, extension_file
from core.engine.worker.activity import WAIT, Activity
from core.engine.worker.database import Database
from core.engine.worker.errors import translate
from core.engine.worker.listings import Listings
from core.errors import ConfigError, ConnectError, Forbidden, MillpondError, QueryError
from core.plugins import discover
from core.structure import Structure
from core.workers.child import Call
from core.workers.protocol import error_from_json

log = logging.getLogger(__name__)

_AT_ONCE = 32
"""Sources that are asked for a sign of life at once: each may take 10 s to give none."""


@dataclass(frozen=True)
class Attached:
    """A source that is attached, or that runs its own SQL only."""

    alias: str
    connector: Connector[Any]
    options: Any


@dataclass(frozen=True)
class Listed:
    """What a source that runs its own SQL only told of its tables, and why not of all, if so."""

    alias: str
    dialect: str
    tables: Sequence[Structure]
    problem: MillpondError | None


class Sources:
    """The connectors that this worker knows, imported on first use, and what they attached."""

    def __init__(self, places: list[str], coming: list[str]) -> None:
        """`coming` are the aliases that calls of `attach` will soon be about."""
        self._places = places
        self._found: dict[str, Connector[Any]] = {}
        self._attached: dict[str, Attached] = {}
        self._coming = {alias.lower(): threading.Event() for alias in coming}
        self._failed: dict[str, MillpondError] = {}
        self._finding, self._losing = threading.Lock(), threading.Lock()
        self._let_go: dict[str, tuple[float, MillpondError]] = {}
        self._listings = Listings()

    def attach(self, database: Database, call: Call) -> None:
        """Answer op `attach`."""
        alias = call.args["alias"]
        key = alias.lower()
        try:
            if (problem := call.args["problem"]) is not None:
                raise error_from_json(problem)
            connector, options = self._read(call)
            source = Attached(alias, connector, options)
            with self._at_work(database, connector, options) as con:
                if connector.attaches:
                    connector.attach(con, options, source.alias, cache=database.cache)
        except MillpondError as error:
            self._failed[key] = error
            raise
        else:
            self._failed.pop(key, None)
            if source != self._attached.get(key):
                self._listings.forget(key)
            self._attached[key] = source
        finally:
            if there := self._coming.pop(key, None):
                there.set()
        call.finish({})

    def detach(self, database: Database, call: Call) -> None:
        """Answer op `detach`."""
        alias = call.args["alias"]
        self._failed.pop(alias.lower(), None)
        self._attached.pop(alias.lower(), None)
        self._listings.forget(alias.lower())
        connector = self.connector(call.args["connector"])
        with self._at_work(database, connector, None) as con:
            connector.detach(con, alias)
        call.finish({})

    def inspect(self, database: Database, call: Call) -> None:
        """Answer op `inspect` with the connector's report."""
        connector, options = self._read(call)
        with self._at_work(database, connector, options) as con:
            report = connector.inspect(con, options, call.args["alias"])
        described = asdict(replace(report, options=None))
        if report.options is not None:
            described["options"] = report.options.model_dump(mode="json")
        call.finish({"report": described})

    def test(self, database: Database, call: Call) -> None:
        """Answer op `test` with what the connector found."""
        connector, options = self._read(call)
        with self._at_work(database, connector, options) as con:
            checked = connector.test(con, options)
        call.finish({"checked": asdict(checked)})

    def structures(self, database: Database, call: Call) -> list[Structure] | None:
        """Return what the connector of a catalog tells of its tables; None if it leaves it to us.

        Its catalog, and where given schema and name, are those of the op `structures`.
        """
        source = self._attached.get(call.args["catalog"].lower())
        if source is None:
            return None
        with self._translated(database):
            return source.connector.structures(
                source.options, call.args["schema"], call.args["name"]
            )

    def listed(self, database: Database, activity: Activity) -> list[Listed]:
        """Return the tables of all sources that DuckDB does not attach, as these tell of them."""
        apart = {
            key: each for key, each in [*self._attached.items()] if not each.connector.attaches
        }
        asks = {key: partial(self._list, database, each) for key, each in apart.items()}
        told = self._listings.told(asks, activity)
        return [
            Listed(each.alias, each.connector.dialect_for(each.options), *told[key])
            for key, each in apart.items()
        ]

    def _list(self, database: Database, source: Attached) -> Sequence[Structure]:
        with self._translated(database):
            return source.connector.structures(source.options, None, None) or ()

    def source(self, alias: str) -> Attached:
        """Return an attached source. Raises ConnectError or Forbidden that says why it is not."""
        key = alias.lower()
        if key in self._failed:
            raise _away(alias, self._failed[key])
        if key not in self._attached:
            raise ConnectError(f"There is no connection named {alias}.", hint="Choose another.")
        return self._attached[key]

    def settle(self, sql: str, activity: Activity) -> None:
        """Wait for those sources that a text names and that are still being attached."""
        text = sql.lower()
        for alias, there in [*self._coming.items()]:
            while _names(text, alias) and not there.wait(WAIT):
                activity.check()

    def stop_with(self, sql: str, activity: Activity) -> None:
        """Let a cancelled call also stop, at their servers, the sources that its text names."""
        text, started = sql.lower(), time.monotonic()
        for alias, source in [*self._attached.items()]:
            if source.connector.remote and _names(text, alias):
                activity.on_cancel(partial(_stop, source, started))

    def explained(
        self, error: MillpondError, sql: str, database: Database, since: float
    ) -> MillpondError:
        """Say which source is away, of an error that says less of it.

        `since` is when the call began, by the monotonic clock.
        """
        if isinstance(error, QueryError):
            if (refusal := self._shut_out(error)) is not None:
                return refusal
            for alias, why in self._failed.items():
                if _misses(error, alias):
                    return _away(alias, why)
            for source in [*self._attached.values()]:
                if not source.connector.attaches and _misses(error, source.alias):
                    return _apart(source.alias, error)
        elif isinstance(error, ConnectError):
            for alias, why in self.lost(database, since).items():
                if _names(sql.lower(), alias.lower()):
                    return _away(alias, why)
                # To find any name DuckDB asks all sources.
                error = _away(alias, why, "It is let go until it answers: run the query again.")
        return error

    def _shut_out(self, error: QueryError) -> Forbidden | None:
        """Return what the wall refused where DuckDB says only that a source's file did not open."""
        for source in [*self._attached.values()]:
            for path in source.connector.grants(source.options).read:
                if path in error.message and _is_refused(path):
                    return Forbidden(
                        f"{path} may not be read: it was replaced after the engine started, or "
                        "its permissions forbid it.",
                        hint="Run the query again.",
                        path=path,
                    )
        return None

    @property
    def away(self) -> dict[str, MillpondError]:
        """What each source said that is not attached, by their aliases in lower case."""
        return dict(self._failed)

    def lost(self, database: Database, since: float) -> dict[str, MillpondError]:
        """Detach those that give no sign of life, and tell why: nobody finds a name until then.

        Those that another call let go since then, by the monotonic clock, are told too.
        """
        with self._losing, ThreadPoolExecutor(_AT_ONCE) as pool:
            remote = [each for each in [*self._attached.items()] if each[1].connector.remote]
            for _ in pool.map(lambda each: self._lose(database, *each), remote):
                pass  # what one of them raised is raised here
            return {alias: why for alias, (at, why) in self._let_go.items() if at >= since}

    def _lose(self, database: Database, key: str, source: Attached) -> None:
        """Detach a source unless it gives a sign of life."""
        try:
            with self._at_work(database, source.connector, source.options) as con:
                source.connector.alive(con, source.options, source.alias)
        except MillpondError as error:
            self._failed[key] = error
            self._let_go[source.alias] = time.monotonic(), error
        else:
            return
        try:
            with self._at_work(database, source.connector, source.options) as con:
                source.connector.detach(con, source.alias)
        except MillpondError as error:  # it is tried again when it is next in the way
            log.warning("%s could not be let go: %s", source.alias, error)
        else:
            self._attached.pop(key, None)

    def connector(self, name: str) -> Connector[Any]:
        """Return a connector by name. Raises ConfigError where there is none."""
        with self._finding:  # several calls begin at once, and a module is one for all of them
            for place in () if self._found else self._places:
                package = Path(place) if place.startswith("/") else place
                self._found |= discover(package, Connector).found
        try:
            return self._found[name]
        except KeyError:
            raise ConfigError(
                f"There is no connector named {name!r}.",
                hint=f"Those there are: {', '.join(sorted(self._found))}.",
            ) from None

    @contextmanager
    def _at_work(
        self, database: Database, connector: Connector[Any], options: Any
    ) -> Iterator[duckdb.DuckDBPyConnection]:
        """Lend a connection to a connector's code, and translate what it raises.

        It has what these options need; without any, as to detach, that is loaded already.
        """
        with self._translated(database):
            if connector.remote:
                with database.beside() as con:
                    _load(con, connector, options)
                    yield con
                return
            # One at a time: the main connection is not made for several threads.
            with database.main_lock:
                _load(database.main, connector, options)
                yield database.main

    @contextmanager
    def _translated(self, database: Database) -> Iterator[None]:
        try:
            yield
        except Exception as error:
            raise translate(error, "", database.readable, database.hosts) from error

    def _read(self, call: Call) -> tuple[Connector[Any], Any]:
        connector = self.connector(call.args["connector"])
        return connector, connector.Options.model_validate(call.args["options"])


def _load(con: duckdb.DuckDBPyConnection, connector: Connector[Any], options: Any) -> None:
    for name in () if options is None else connector.extensions_for(options):
        file = extension_file(name)
        if not file:
            raise ConfigError(
                f"{connector.label} needs the DuckDB extension {name}, which is not installed.",
                hint=f"Install the package duckdb-extension-{name.replace('_', '-')}.",
            )
        con.execute(f"LOAD {literal(file)}")
        for setting, value in SETTINGS.get(name, {}).items():
            con.execute(f"SET GLOBAL {setting} = {value}")


def _names(text: str, alias: str) -> bool:
    return alias in text or alias.replace('"', '""') in text


def _misses(error: QueryError, alias: str) -> bool:
    missing = rf'(?:Catalog|schema) "?{re.escape(alias)}"? does not exist'
    return re.search(missing, error.message, re.IGNORECASE) is not None


def _apart(alias: str, error: QueryError) -> QueryError:
    return QueryError(
        f"The tables of {alias} are not in reach of DuckDB.",
        hint=f"Let {alias} run the query: it reads them in its own SQL.",
        sql=error.sql,
        line=error.line,
        column=error.column,
    )


def _stop(source: Attached, started: float) -> None:
    try:
        seconds = time.monotonic() - started + 1
        source.connector.stop(source.options, source.alias, seconds)
    except Exception as error:  # the interrupt is tried as well, and the kill after it
        log.warning("%s could not be told to stop: %s", source.alias, error)


def _is_refused(path: str) -> bool:
    try:
        Path(path).open("rb").close()
    except OSError as error:
        return isinstance(error, PermissionError)
    return False


def _away(alias: str, why: MillpondError, hint: str = "") -> ConnectError | Forbidden:
    """Say that a source is away; a file that the wall refuses stays known as that."""
    message, hint = f"{alias} is not attached now: {why.message}", hint or why.hint
    if isinstance(why, Forbidden):
        return Forbidden(message, hint=hint, path=why.path)
    return ConnectError(message, hint=hint)
