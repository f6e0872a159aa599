"""Everything wired together once: app, command line, API and tests open the same Workbench."""

from __future__ import annotations

import json
import logging
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core import redaction
from core.access import LOCAL_OWNER, Actor
from core.catalog import Catalog, Table, catalogs
from core.connections.service import SourceBook, WorkspaceConnections
from core.connector import Connector
from core.engine.description import Description, description
from core.engine.engine import MODULE, Engine
from core.errors import ConfigError, MillpondError, NotFound
from core.jobs.housekeeping import Housekeeping
from core.jobs.records import JobBook
from core.jobs.scheduler import Scheduler
from core.jobs.service import Jobs, settle_own
from core.notify.office import PostOffice
from core.notify.service import Notify, NotifyBook
from core.plugins import Roster, discover
from core.queries.records import QueryLog
from core.queries.service import HISTORY_KEPT, Queries, QueryBook
from core.secrets.service import Secrets
from core.settings import Settings
from core.store.store import Store
from core.workers.supervisor import Supervisor
from core.workers.wall import Isolation, available

log = logging.getLogger(__name__)

LOCAL = "local"

_FIRST_SPARE = 2.5
"""Seconds that the first page has the cores for itself before a spare worker is started."""

RUNS_KEPT = 10_000
"""Runs of jobs that a workspace remembers; housekeeping lets older ones go."""

MESSAGES_KEPT = 10_000
"""Notifications that a workspace remembers, and all that were given up."""


@dataclass
class Room:
    """What all actors of one workspace share; `known` is the catalog as last read."""

    engine: Engine
    sources: SourceBook
    queries: QueryBook
    jobs: JobBook
    notify: NotifyBook
    scheduler: Scheduler
    known: tuple[int, list[Catalog]] = (-1, [])


class Workspace:
    """A workspace for one actor: the one place where policy is checked."""

    def __init__(self, room: Room, actor: Actor) -> None:
        self._room = room
        self.actor = actor
        self.engine = room.engine
        self.connections = WorkspaceConnections(room.sources, room.engine, actor)
        self.queries = Queries(room.queries, room.engine, actor)
        self.jobs = Jobs(room.jobs, room.scheduler, actor)
        self.notify = Notify(room.notify, actor)

    def catalog(self) -> list[Catalog]:
        """Return every catalog with its tables and columns, read again when it may have changed."""
        self.engine.start()
        changes, found = self._room.known
        if changes != self.engine.changes:
            changes = self.engine.changes
            found = catalogs(json.loads(self.engine.call("catalog", 60).body))
            self._room.known = (changes, found)
        return found

    def describe(self, table: Table) -> Description:
        """Return all that the engine knows of a table. Raises NotFound for one that is gone."""
        named = {"catalog": table.catalog, "schema": table.schema, "name": table.name}
        return description(json.loads(self.engine.call("describe", 60, **named).body))

    def macros(self) -> list[str]:
        """Return the functions that SQL made and can call unquoted, as `name(parameters)`."""
        rows = json.loads(self.engine.call("macros", 60).body)
        return [f"{each['name']}({', '.join(each['parameters'])})" for each in rows]


class Workbench:
    """The open program. `close` ends its workers and its store."""

    def __init__(
        self, settings: Settings, store: Store, secrets: Secrets, kinds: Roster[Connector[Any]]
    ) -> None:
        self.settings = settings
        self.store = store
        self.secrets = secrets
        self.kinds = kinds
        self.isolation: Isolation = available()
        self._supervisor = Supervisor(idle_stop=settings.idle_stop, packages=("connectors",))
        self.scheduler = Scheduler(store, threads=settings.job_threads)
        self.post = PostOffice(store, secrets, settings, self.scheduler)
        self._housekeeping = _housekeeping(store, self.post)
        self.scheduler.register(self._housekeeping)
        self._rooms: dict[str, Room] = {}
        self._lock = threading.Lock()

    @classmethod
    def open(cls, settings: Settings | None = None) -> Workbench:
        """Open the store and its secrets, and find the connectors. Raises ConfigError.

        The first engine starts warming up behind it.
        """
        redaction.install()
        settings = settings or Settings()
        if not available().complete and not settings.trust_without_sandbox:
            raise ConfigError(
                available().sentence(),
                hint="Set MILLPOND_TRUST_WITHOUT_SANDBOX=true if all users are trusted.",
            )
        _make_home(settings.home)
        store = Store.open(settings)
        try:
            workbench = cls(settings, store, Secrets.open(store, settings), _connectors(settings))
        except BaseException:
            store.close()
            raise
        workbench._supervisor.warm_soon(MODULE, _FIRST_SPARE)
        return workbench

    def workspace(self, actor: Actor = LOCAL_OWNER, workspace_id: str = LOCAL) -> Workspace:
        """Open a workspace for an actor. Raises NotFound for one that there is not."""
        if workspace_id != LOCAL:
            raise NotFound(f"There is no workspace {workspace_id}.")
        return Workspace(self._room(workspace_id), actor)

    def engine(self, folder: Path | None = None, workspace_id: str = LOCAL) -> Engine:
        """Open one more engine over a workspace's sources; whoever asked for it closes it.

        It keeps its tables and results in `folder`, without one in the workspace's own: starting
        it there raises Conflict where another process has the workspace open.
        """
        return self._open_engine(self._sources(workspace_id), workspace_id, folder)

    def start_jobs(self) -> None:
        """Begin to run jobs, in the background, until the workbench is closed."""
        settle_own(JobBook(self.store, LOCAL), self._housekeeping, "17 * * * *")
        self.post.outbox(LOCAL).resume()
        self.scheduler.start()

    def health(self) -> dict[str, Any]:
        """Tell how app, store and workers are; `ok` sums it up."""
        try:
            self.store.healthy()
            store = "ok"
        except MillpondError as error:
            store = error.message
        with self._lock:
            rooms = dict(self._rooms)
        engines = {
            name: {"running": room.engine.pid is not None, "answers": room.engine.healthy()}
            for name, room in rooms.items()
        }
        ok = store == "ok" and all(each["answers"] for each in engines.values())
        return {"ok": ok, "app": "ok", "store": store, "workers": engines}

    def close(self) -> None:
        """End all jobs and workers, and close the store."""
        self.scheduler.stop()
        with self._lock:
            rooms, self._rooms = self._rooms, {}
        for room in rooms.values():
            room.engine.close()
        self._supervisor.close()
        self.store.close()

    def _room(self, workspace_id: str) -> Room:
        with self._lock:
            if workspace_id not in self._rooms:
                self._rooms[workspace_id] = self._open_room(workspace_id)
            return self._rooms[workspace_id]

    def _open_room(self, workspace_id: str) -> Room:
        sources = self._sources(workspace_id)
        engine = self._open_engine(sources, workspace_id)
        return Room(
            engine,
            sources,
            QueryBook.open(self.store, workspace_id, engine),
            JobBook(self.store, workspace_id),
            self.post.open(workspace_id),
            self.scheduler,
        )

    def _sources(self, workspace_id: str) -> SourceBook:
        sources = SourceBook.open(self.store, workspace_id, self.settings, self.kinds)
        if self.settings.sample_data:
            attach_samples(sources)
        return sources

    def _open_engine(
        self, sources: SourceBook, workspace_id: str, folder: Path | None = None
    ) -> Engine:
        return Engine(
            self._supervisor,
            self.settings,
            folder or self.settings.home / "workspaces" / workspace_id,
            reach=sources.reach,
            attachments=sources.attachments,
        )


def attach_samples(sources: SourceBook) -> None:
    """Add the sample data on the workspace's first start; what is removed later stays away."""
    import sample_data

    if not sources.facts.claim("samples_attached"):
        return
    for sample in sample_data.SAMPLES:
        options = {"path": str(Path(sample_data.__file__).parent / sample.file)}
        try:
            sources.connections.add(
                sample.alias, sample.connector, options, actor="millpond", sample=True
            )
        except MillpondError:
            log.exception("the sample %s could not be added", sample.alias)


def _housekeeping(store: Store, post: PostOffice) -> Housekeeping:
    return Housekeeping(
        {
            "queries": lambda workspace: QueryLog(store, workspace).prune(HISTORY_KEPT),
            "runs": lambda workspace: JobBook(store, workspace).prune(RUNS_KEPT),
            "notifications": lambda workspace: post.outbox(workspace).prune(MESSAGES_KEPT),
        }
    )


def _make_home(home: Path) -> None:
    try:
        home.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise ConfigError(
            f"The data folder {home} cannot be made: {error.strerror}.",
            hint="Set MILLPOND_HOME to a folder that you may write to.",
        ) from error


def _connectors(settings: Settings) -> Roster[Connector[Any]]:
    roster: Roster[Connector[Any]] = discover("connectors", Connector)
    if settings.connectors is not None:
        own: Roster[Connector[Any]] = discover(settings.connectors, Connector)
        roster = Roster(roster.found | own.found, roster.broken | own.broken)
    return roster


_shared: Workbench | None = None
_sharing = threading.Lock()


def shared() -> Workbench:
    """Return this process's workbench, opened on first use. Raises ConfigError."""
    global _shared
    with _sharing:
        if _shared is None:
            _shared = Workbench.open()
        return _shared


def close_shared() -> None:
    """Close it, if it was opened."""
    global _shared
    with _sharing:
        workbench, _shared = _shared, None
    if workbench is not None:
        workbench.close()
