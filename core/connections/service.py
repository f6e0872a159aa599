"""The sources of a workspace: look at them, add them, take them away; and what SQL may reach."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import TimeoutError as FutureTimeout
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from pydantic import ValidationError

from core.access import Actor
from core.connections.models import Connection, FolderGrant, Mode
from core.connections.reach import reach
from core.connections.records import Connections, FolderGrants, WorkspaceFacts
from core.connector import Connector, Grants, Options, Reject, Report
from core.engine.engine import Attachment, Engine
from core.engine.reach import Reach, inside
from core.errors import (
    ConnectError,
    Forbidden,
    InvalidInput,
    LimitExceeded,
    MillpondError,
    NotFound,
)
from core.plugins import Roster
from core.settings import Settings
from core.store.store import Store

Kinds = Roster[Connector[Any]]

RESERVED = ("workspace", "files", "main", "system", "temp", "memory", "pg_catalog")


@dataclass(frozen=True)
class Source:
    """A connection as the page shows it: `problem` is why it cannot be queried now."""

    connection: Connection
    kind: Connector[Any] | None
    problem: MillpondError | None


@dataclass
class SourceBook:
    """What all actors of a workspace share: the records, and the engine that must know them."""

    settings: Settings
    kinds: Kinds
    connections: Connections
    grants: FolderGrants
    facts: WorkspaceFacts

    @classmethod
    def open(cls, store: Store, workspace: str, settings: Settings, kinds: Kinds) -> SourceBook:
        """Open the records of a workspace."""
        book = (Connections(store, workspace), FolderGrants(store, workspace))
        return cls(settings, kinds, *book, WorkspaceFacts(store, workspace))

    def attachments(self) -> list[Attachment]:
        """Return what a new engine must attach."""
        return [attachment(each) for each in self.connections.list()]

    def reach(self) -> Reach:
        """Return what the wall of a new engine lets through."""
        settings = self.settings
        needed = [self._needed(each) for each in self.connections.list()]
        if settings.connectors is not None:
            needed.append(Grants(read=(str(settings.connectors),)))
        return reach(settings.start_folder, settings.home, self.grants.list(), needed)

    def _needed(self, connection: Connection) -> Grants:
        try:
            return self.needs(connection.connector, connection.options)
        except InvalidInput:  # attaching it will say so
            return Grants()

    def needs(self, connector: str, options: Mapping[str, Any]) -> Grants:
        """Return what a source needs of the wall. Raises InvalidInput for wrong options."""
        checked = self.check(connector, options)  # first: it knows that there is such a connector
        return self.kinds.found[connector].grants(checked)

    def check(self, connector: str, options: Mapping[str, Any]) -> Options:
        """Return options as their connector reads them. Raises InvalidInput."""
        kind = self.kinds.found.get(connector)
        if kind is None:
            raise InvalidInput(
                f"There is no connector named {connector!r}.",
                hint=f"Choose one of {', '.join(sorted(self.kinds.found))}.",
            )
        try:
            return kind.Options.model_validate(dict(options))
        except ValidationError as error:
            first = error.errors()[0]
            field = ".".join(str(part) for part in first["loc"])
            raise InvalidInput(f"{field}: {first['msg']}.") from error


def attachment(connection: Connection) -> Attachment:
    """Return what the engine must know of a connection."""
    return Attachment(connection.alias, connection.connector, connection.options)


class WorkspaceConnections:
    """The sources of a workspace for one actor."""

    def __init__(self, book: SourceBook, engine: Engine, actor: Actor) -> None:
        self._book, self._engine, self._actor = book, engine, actor

    @property
    def kinds(self) -> Kinds:
        """The connectors there are, and those that are broken."""
        return self._book.kinds

    def list(self) -> Sequence[Source]:
        """Return all sources in the order of their aliases."""
        found = self._book.kinds.found
        return [
            Source(each, found.get(each.connector), self._engine.broken.get(each.alias))
            for each in self._book.connections.list()
        ]

    def get(self, alias: str) -> Connection:
        """Return a connection by its alias. Raises NotFound."""
        connection = self._book.connections.find_by_alias(alias)
        if connection is None:
            raise NotFound(f"There is no source named {alias}.")
        return connection

    def pick(self, file: str) -> str:
        """Name the connector that reads a file of this name. Raises InvalidInput."""
        lower = file.lower()
        fits = [
            (len(suffix), name)
            for name, kind in self.kinds.found.items()
            for suffix in kind.suffixes
            if lower.endswith(suffix)
        ]
        if not fits:
            known = sorted(
                {suffix for kind in self.kinds.found.values() for suffix in kind.suffixes}
            )
            raise InvalidInput(
                f"Millpond does not know how to read {Path(file).name}.",
                hint=f"It reads files that end in {', '.join(known)}.",
            )
        return max(fits)[1]

    def suggest_alias(self, file: str) -> str:
        """Make a free alias out of a file's name."""
        stem = Path(file).name.split(".")[0]
        base = re.sub(r"\W+", "_", stem.lower()).strip("_")[:50] or "source"
        base = f"t_{base}" if base[0].isdigit() else base
        taken = {each.alias.lower() for each in self._book.connections.list()}
        names = (base, *(f"{base}_{count}" for count in range(2, len(taken) + 3)))
        return next(name for name in names if name not in taken)

    def inspect(self, connector: str, options: Mapping[str, Any], alias: str) -> Report:
        """Look at a source before it is added. Raises ConnectError or InvalidInput."""
        self._actor.require("editor", "add sources")
        checked = self._book.check(connector, options)
        needed = self._book.needs(connector, options)
        self._open_wall(needed)
        try:
            return self._inspect(connector, checked, alias)
        except (ConnectError, Forbidden):
            if not any(self._engine.within_reach(path) for path in needed.read):
                raise
            self._engine.renew()  # its file may have been replaced since the worker started
            return self._inspect(connector, checked, alias)

    def add(self, alias: str, connector: str, options: Mapping[str, Any]) -> Connection:
        """Add a source and make it queryable.

        Raises Conflict for an alias that is taken, ConnectError where it cannot be attached; then
        nothing was added.
        """
        self._actor.require("editor", "add sources")
        if alias.lower() in RESERVED:
            raise InvalidInput(f"{alias} is a name of the engine's own.", hint="Choose another.")
        checked = self._book.check(connector, options).model_dump(mode="json")
        self._open_wall(self._book.needs(connector, checked))
        connection = self._book.connections.add(alias, connector, checked, actor=self._actor.name)
        try:
            self._engine.attach(attachment(connection))
        except MillpondError:
            self._book.connections.remove(connection.id)
            raise
        return connection

    def remove(self, alias: str) -> None:
        """Take a source away. Its file stays where it is, unless it is an uploaded copy of ours."""
        self._actor.require("editor", "remove sources")
        connection = self.get(alias)
        self._book.connections.remove(connection.id)
        self._engine.detach(attachment(connection))
        path = Path(str(connection.options.get("path", "")))
        others = (each.options.get("path") for each in self._book.connections.list())
        if path.parent == self._engine.folder / "uploads" and str(path) not in others:
            path.unlink(missing_ok=True)

    def change(self, alias: str, options: Mapping[str, Any]) -> Connection:
        """Give a source other options. Raises why it cannot be; then nothing has changed."""
        self._actor.require("editor", "change sources")
        old = self.get(alias)
        checked = self._book.check(old.connector, options).model_dump(mode="json")
        self._open_wall(self._book.needs(old.connector, checked))
        changed = self._book.connections.update_options(old.id, checked)
        try:
            self._engine.attach(attachment(changed))
        except MillpondError:
            self._book.connections.update_options(old.id, old.options)
            raise
        return changed

    def look_again(self, alias: str) -> Report:
        """Look at a source anew, as after its file has changed, and attach what is there now.

        Raises why it cannot be attached; the source is broken until it can.
        """
        self._actor.require("editor", "change sources")
        connection = self.get(alias)
        try:
            report = self.inspect(connection.connector, connection.options, alias)
            if report.options is not None:
                options = report.options.model_dump(mode="json")
                connection = self._book.connections.update_options(connection.id, options)
            self._engine.attach(attachment(connection))
        except MillpondError as error:
            self._engine.broken[alias] = error
            raise
        return report

    def upload(
        self, name: str, source: BinaryIO, *, progress: Callable[[int], None] | None = None
    ) -> Path:
        """Copy an uploaded file into the workspace, and return where it lies.

        `progress` is told the bytes so far. Raises LimitExceeded beyond MILLPOND_UPLOAD_LIMIT.
        """
        self._actor.require("editor", "upload files")
        target = self._free_name(name)
        part = target.with_name(target.name + ".part")
        try:
            with part.open("xb") as file:
                self._copy(source, file, progress)
            part.rename(target)
        except OSError as error:
            raise ConnectError(
                f"{name} could not be stored: {error.strerror}.",
                hint="Free some space on the disk that holds MILLPOND_HOME.",
            ) from error
        finally:
            part.unlink(missing_ok=True)
        return target

    def _free_name(self, name: str) -> Path:
        folder = self._engine.folder / "uploads"
        plain = re.sub(r"[\x00-\x1f/\\]", "_", Path(name).name).lstrip(".")[-120:] or "file"
        target, count = folder / plain, 1
        while target.exists():
            count += 1
            target = folder / f"{count}-{plain}"
        return target

    def _copy(
        self, source: BinaryIO, target: BinaryIO, progress: Callable[[int], None] | None
    ) -> None:
        limit, done = self._book.settings.upload_limit, 0
        while chunk := source.read(2**20):
            done += len(chunk)
            if done > limit:
                raise LimitExceeded(
                    f"The file is larger than {limit / 1e9:g} GB, which an upload may be.",
                    hint="Put it into a folder that this workspace may read, or raise "
                    "MILLPOND_UPLOAD_LIMIT.",
                    setting="MILLPOND_UPLOAD_LIMIT",
                )
            target.write(chunk)
            if progress is not None:
                progress(done)

    def folders(self) -> Sequence[FolderGrant]:
        """Return the folders that SQL may use besides the start folder and the workspace's own."""
        return [*self._book.grants.list()]

    def allow(self, path: str, mode: Mode = "read") -> FolderGrant:
        """Let SQL use a folder or file from now on. Raises InvalidInput for what is not there."""
        self._actor.require("owner", "allow folders")
        resolved = Path(path).expanduser().resolve()
        if not resolved.exists():
            raise InvalidInput(f"{path} does not exist.", hint="Check the spelling.")
        home = self._book.settings.home.resolve()
        if resolved.is_relative_to(home) or home.is_relative_to(resolved):
            raise InvalidInput(
                f"{path} would open Millpond's own data folder, with its keys.",
                hint="Allow another folder, or upload the file.",
            )
        grant = self._book.grants.add(str(resolved), mode)
        self._engine.renew()
        return grant

    def disallow(self, path: str) -> None:
        """Take a folder back."""
        self._actor.require("owner", "allow folders")
        self._book.grants.remove(path)
        self._engine.renew()

    def _open_wall(self, needed: Grants) -> None:
        """Make sure that the engine can see what is to be inspected."""
        known = (*self._book.reach().readable, str(self._engine.folder))
        missing = [path for path in (*needed.read, *needed.write) if not inside(path, known)]
        if missing:
            if not Path(missing[0]).exists():
                raise ConnectError(f"There is no file {missing[0]}.", hint="Check the spelling.")
            raise Forbidden(
                f"{missing[0]} lies outside the folders that this workspace may use.",
                hint="Allow its folder first, or upload the file.",
                path=missing[0],
            )
        self._engine.ensure_sees((*needed.read, *needed.write))

    def _inspect(self, connector: str, options: Options, alias: str) -> Report:
        try:
            answer = self._engine.call(
                "inspect",
                120,
                connector=connector,
                options=options.model_dump(mode="json"),
                alias=alias,
            )
        except FutureTimeout as error:
            raise ConnectError("The source did not answer within 120 s.") from error
        report = dict(answer.head["report"])
        report["rejects"] = [Reject(**each) for each in report["rejects"]]
        if report["options"] is not None:
            report["options"] = type(options).model_validate(report["options"])
        tuples = {key: tuple(value) for key, value in report.items() if isinstance(value, list)}
        return Report(**(report | tuples))
