"""Everything wired together once: app, command line, API and tests open the same Workbench."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from core import redaction
from core.access import LOCAL_OWNER, Actor
from core.catalog.book import CatalogBook
from core.catalog.comparisons import ComparisonBook, Comparisons
from core.catalog.noted import NotedBook, NotedCatalogs
from core.catalog.notes import NoteBook
from core.catalog.profile_job import ProfileJob
from core.catalog.profiles import ProfileBook, Profiles
from core.catalog.records import NoteRows, ProfileLog
from core.catalog.related import RelationBook, Relations
from core.catalog.snapshot_job import SnapshotJob
from core.catalog.snapshots import SnapshotBook
from core.catalog.table_snapshots import TableSnapshots
from core.catalog.usage import UsageBook
from core.catalog.watch import Watch
from core.channel import Message
from core.connections.book import SourceBook
from core.connections.probe import Probe
from core.connections.service import WorkspaceConnections
from core.connector import Connector
from core.engine.engine import LEAN, MODULE, Engine
from core.engine.scratch import scratch
from core.errors import ConfigError, Conflict, MillpondError, NotFound
from core.jobs.housekeeping import Housekeeping
from core.jobs.records import JobBook
from core.jobs.scheduler import Scheduler
from core.jobs.service import Jobs, settle_own
from core.notify.office import PostOffice
from core.notify.service import Notify, NotifyBook
from core.plugins import Roster, discover
from core.queries.readers import SavedReaders
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

MILLPOND = Actor("millpond", "editor")
"""Who acts in jobs."""

MESSAGES_KEPT = 10_000
"""Notifications that a workspace remembers, and all that were given up."""


PROFILES_KEPT = 5_000
"""Profiles of tables that a workspace remembers."""


@dataclass
class Room:
    """What all actors of one workspace share."""

    engine: Engine
    sources: SourceBook
    catalog: CatalogBook
    noted: NotedBook
    relations: RelationBook
    profiles: ProfileBook
    comparisons: ComparisonBook
    queries: QueryBook
    jobs: JobBook
    notify: NotifyBook
    scheduler: Scheduler


class Workspace:
    """A workspace for one actor: the one place where policy is checked."""

    def __init__(self, room: Room, actor: Actor) -> None:
        self._room = room
        self.actor = actor
        self.engine = room.engine
        self.connections = WorkspaceConnections(room.sources, room.engine, actor)
        self.catalog = NotedCatalogs(room.catalog, room.noted, actor)
        self.relations = Relations(room.relations, self.catalog, room.engine, actor)
        self.profiles = Profiles(room.profiles, self.catalog, actor)
        self.comparisons = Comparisons(room.comparisons, actor)
        self.snapshots = TableSnapshots(room.engine, self.catalog, actor)
        self.queries = Queries(room.queries, room.engine, actor)
        self.jobs = Jobs(room.jobs, room.scheduler, actor)
        self.notify = Notify(room.notify, actor)


class Workbench:
    """The open program. `close` ends its workers and its store."""

    def __init__(
        self,
        settings: Settings,
        store: Store,
        secrets: Secrets,
        kinds: Roster[Connector[Any]],
        supervisor: Supervisor,
    ) -> None:
        self.settings = settings
        self.store = store
        self.secrets = secrets
        self.kinds = kinds
        self.isolation: Isolation = available()
        self._supervisor = supervisor
        self.scheduler = Scheduler(store, threads=settings.job_threads)
        self.post = PostOffice(store, secrets, settings, self.scheduler)
        self._housekeeping = _housekeeping(store, self.post)
        self.scheduler.register(self._housekeeping)
        self.scheduler.register(ProfileJob(self._profiler))
        self.scheduler.register(SnapshotJob(self._snapshots))
        self.scheduler.register(Watch(self.comparisons, self._tell))
        self._rooms: dict[str, Room] = {}
        self._lock = threading.Lock()

    @classmethod
    def open(cls, settings: Settings | None = None, *, spares: bool = True) -> Workbench:
        """Open the store and its secrets, and find the connectors. Raises ConfigError.

        The first engine starts warming up behind it; without `spares` none does before it is asked.
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
            secrets, kinds = Secrets.open(store, settings), _connectors(settings)
        except BaseException:
            store.close()
            raise
        supervisor = Supervisor(
            idle_stop=settings.idle_stop, packages=_packages(settings), spares=spares
        )
        supervisor.warm_soon(MODULE, _FIRST_SPARE)
        return cls(settings, store, secrets, kinds, supervisor)

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

    @contextmanager
    def comparisons(
        self, workspace_id: str = LOCAL, actor: Actor = MILLPOND
    ) -> Iterator[Comparisons]:
        """Open the comparisons of a workspace, over its sources alone if it is open elsewhere."""
        room = self._room(workspace_id)
        with ExitStack() as stack:
            book = room.comparisons
            try:
                room.engine.start()
            except Conflict:
                folder = stack.enter_context(scratch(self.settings.home / "scratch"))
                engine = self.engine(folder, workspace_id)
                stack.callback(engine.close)  # before its folder goes
                book = replace(book, engine=engine, beside=True)
            yield Comparisons(book, actor)

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
        queries = QueryBook.open(self.store, workspace_id, engine)
        catalog = CatalogBook(engine)
        return Room(
            engine,
            sources,
            catalog,
            NotedBook(
                NoteBook(NoteRows(self.store, workspace_id), catalog),
                # All that keep SQL, one for each kind: what uses a table is asked of them.
                UsageBook([SavedReaders(queries.saved)]),
            ),
            RelationBook(),
            ProfileBook(engine, ProfileLog(self.store, workspace_id)),
            ComparisonBook(engine, SnapshotBook(self.store, workspace_id), _connector_of(sources)),
            queries,
            JobBook(self.store, workspace_id),
            self.post.open(workspace_id),
            self.scheduler,
        )

    def _profiler(self, workspace_id: str) -> tuple[NotedCatalogs, Profiles]:
        workspace = self.workspace(LOCAL_OWNER, workspace_id)
        return workspace.catalog, workspace.profiles

    def _snapshots(self, workspace_id: str) -> TableSnapshots:
        return self.workspace(MILLPOND, workspace_id).snapshots

    def _tell(self, workspace_id: str, message: Message, channels: Sequence[str]) -> None:
        Notify(self.post.open(workspace_id), MILLPOND).send(message, channels)

    def _sources(self, workspace_id: str) -> SourceBook:
        probe = Probe(self._supervisor, self.settings)
        sources = SourceBook.open(self.store, self.secrets, workspace_id, self.kinds, probe)
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


def _connector_of(sources: SourceBook) -> Callable[[str], str]:
    def connector(alias: str) -> str:
        found = sources.connections.find_by_alias(alias)
        return found.connector if found else ""

    return connector


def _housekeeping(store: Store, post: PostOffice) -> Housekeeping:
    return Housekeeping(
        {
            "queries": lambda workspace: QueryLog(store, workspace).prune(HISTORY_KEPT),
            "runs": lambda workspace: JobBook(store, workspace).prune(RUNS_KEPT),
            "profiles": lambda workspace: ProfileLog(store, workspace).prune(PROFILES_KEPT),
            "notifications": lambda workspace: post.outbox(workspace).prune(MESSAGES_KEPT),
        }
    )


def _packages(settings: Settings) -> tuple[str, ...]:
    """Name what workers import first. Nobody knows what connectors of somebody's own need."""
    return ("connectors",) if settings.connectors else (LEAN, "connectors")


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
