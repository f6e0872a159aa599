"""The engine worker's own loop: one DuckDB instance, and the ops that the web process may call."""

from __future__ import annotations

import os
import re
import time
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from core.engine.worker.activity import Activities, Activity
from core.engine.worker.catalogs import catalog, macros, schemas
from core.engine.worker.database import FILE, Database, prepare
from core.engine.worker.errors import translate
from core.engine.worker.explains import explain
from core.engine.worker.exports import export
from core.engine.worker.over import Results, over
from core.engine.worker.remarks import comment, remarks
from core.engine.worker.runs import run
from core.engine.worker.sources import Sources
from core.engine.worker.structures import structures
from core.errors import ConfigError, Conflict, ConnectError, InvalidInput, QueryError
from core.workers.child import Call
from core.workers.wall import Isolation

# Importing duckdb starts a thread, and a wall can only be entered by a process that has one.
duckdb.default_connection().close()
_prepared = prepare()

# What DuckDB says of a file that is locked: on Linux and macOS, and on Windows.
_HELD = re.compile(r"Could not set lock on file|used by another process", re.IGNORECASE)


class EngineService:
    """Answers the calls of one workspace."""

    def __init__(self, spec: dict[str, Any]) -> None:
        self._database = Database(_prepared, spec)
        self._activities = Activities()
        self._results = Results(self._database.spools)
        self._sources = Sources(spec["connectors"], spec["coming"])

    def handle(self, call: Call) -> None:
        """Answer one call."""
        began = time.monotonic()
        with self._activities.begin(call) as activity:
            named = f"{call.args.get('sql', '')} {call.args.get('on', '')}".strip()
            try:
                self._sources.settle(f"{named} {call.args.get('catalog') or ''}", activity)
                if named:
                    self._sources.stop_with(named, activity)
                self._answer(call, activity)
            except (QueryError, ConnectError) as error:
                raise self._sources.explained(error, named, self._database, began) from error

    def _answer(self, call: Call, activity: Activity) -> None:
        database, sources = self._database, self._sources
        match call.op:
            case "run":
                on = call.args["on"]
                run(database, activity, call, sources.source(on) if on else None)
            case "over":
                over(database, self._results, activity, call)
            case "export":
                export(database, self._results, activity, call)
            case "explain":
                explain(database, activity, call)
            case "catalog":
                catalog(database, activity, call, sources)
            case "structures":
                structures(database, activity, call, sources.structures(database, call))
            case "schemas":
                schemas(database, activity, call, sources)
            case "macros":
                macros(database, activity, call)
            case "remarks":
                remarks(database, activity, call)
            case "comment":
                comment(database, activity, call)
            case "attach":
                sources.attach(database, call)
            case "detach":
                sources.detach(database, call)
            case "inspect":
                sources.inspect(database, call)
            case "test":
                sources.test(database, call)
            case "release":
                database.release(call.args["session"])
                call.finish({})
            case _:
                raise InvalidInput(f"The engine knows no op {call.op!r}.")

    def cancel(self, call_id: int) -> bool:
        """Interrupt a running call."""
        return self._activities.cancel(call_id)


def open(spec: dict[str, Any], isolation: Isolation) -> EngineService:  # noqa: A001 - child's name
    """Open the workspace's database.

    Raises Conflict where another process has it open, ConfigError or ConnectError where it cannot
    be opened for another reason.
    """
    os.umask(0o077)
    pa.set_cpu_count(spec["threads"])
    try:
        return EngineService(spec)
    except Exception as error:
        if isinstance(error, duckdb.IOException) and _HELD.search(str(error)):
            raise _in_use(str(error)) from error
        if isinstance(error, duckdb.IOException) and FILE in str(error):
            raise _unreadable(Path(spec["folder"]) / FILE) from error
        raise translate(error, "", spec["wall"]["read"]) from error


def _unreadable(path: Path) -> ConfigError:
    return ConfigError(
        f"The workspace's own database, {path}, cannot be read: it is missing a part, is not a "
        "DuckDB file, or may not be opened.",
        hint="Put a copy of it back in its place, or move it away to begin an empty one.",
    )


def _in_use(text: str) -> Conflict:
    holder = re.search(r"PID (\d+)", text)
    by = f" by process {holder[1]}" if holder else ""
    return Conflict(
        f"This workspace is already open elsewhere{by}: one engine at a time may have it.",
        hint="Close the other program that uses this data folder, or set another MILLPOND_HOME.",
    )
