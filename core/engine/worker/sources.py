"""Attach, detach and inspect sources: the connectors' code runs here, behind the wall."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from core.connector import Connector
from core.engine.worker.database import Database
from core.engine.worker.errors import translate
from core.errors import ConfigError
from core.plugins import discover
from core.workers.child import Call


class Sources:
    """The connectors that this worker knows, imported on first use."""

    def __init__(self, places: list[str]) -> None:
        self._places = places
        self._found: dict[str, Connector[Any]] = {}

    def connector(self, name: str) -> Connector[Any]:
        """Return a connector by name. Raises ConfigError where there is none."""
        if not self._found:
            for place in self._places:
                package = Path(place) if place.startswith("/") else place
                self._found |= discover(package, Connector).found
        try:
            return self._found[name]
        except KeyError:
            raise ConfigError(
                f"There is no connector named {name!r}.",
                hint=f"Those there are: {', '.join(sorted(self._found))}.",
            ) from None

    def attach(self, database: Database, call: Call) -> None:
        """Answer op `attach`."""
        connector, options = self._read(call)
        alias, cache = call.args["alias"], database.cache
        self._guard(database, lambda: connector.attach(database.main, options, alias, cache=cache))
        call.finish({})

    def detach(self, database: Database, call: Call) -> None:
        """Answer op `detach`."""
        connector = self.connector(call.args["connector"])
        self._guard(database, lambda: connector.detach(database.main, call.args["alias"]))
        call.finish({})

    def inspect(self, database: Database, call: Call) -> None:
        """Answer op `inspect` with the connector's report."""
        connector, options = self._read(call)
        report = self._guard(
            database, lambda: connector.inspect(database.main, options, call.args["alias"])
        )
        described = asdict(replace(report, options=None))
        if report.options is not None:
            described["options"] = report.options.model_dump(mode="json")
        call.finish({"report": described})

    def _read(self, call: Call) -> tuple[Connector[Any], Any]:
        connector = self.connector(call.args["connector"])
        return connector, connector.Options.model_validate(call.args["options"])

    def _guard(self, database: Database, act: Any) -> Any:
        # One at a time: the main connection is not made for several threads.
        with database.main_lock:
            try:
                return act()
            except Exception as error:
                raise translate(error, "", database.readable) from error
