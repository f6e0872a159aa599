"""The connections of a workspace: test them, add them, change them, take them away.

And the folders that SQL may reach besides.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO, Literal

from core.access import Actor
from core.connections import uploads
from core.connections.book import Draft, Kinds, SourceBook
from core.connections.looks import inspected, tested
from core.connections.models import Connection, FolderGrant, Health, Mode
from core.connector import Checked, Connector, Grants, Options, Report
from core.engine.engine import Engine
from core.engine.reach import inside
from core.errors import ConnectError, Forbidden, InvalidInput, MillpondError, NotFound

State = Literal["ready", "away", "off"]

RESERVED = ("workspace", "files", "snapshots", "main", "system", "temp", "memory", "pg_catalog")


@dataclass(frozen=True)
class Source:
    """A connection as the page shows it: `problem` is why it cannot be queried now.

    `options` are checked, and without secrets; None where they are not good.
    """

    connection: Connection
    kind: Connector[Any] | None
    place: str
    problem: MillpondError | None
    options: Options | None = field(default=None, repr=False)

    @property
    def runs_sql(self) -> bool:
        """Tell whether its own engine can run SQL now."""
        return self.connection.enabled and self.kind is not None and self.kind.push_down

    @property
    def dialect(self) -> str:
        """What sqlglot calls the SQL of its own engine, "" where it has none or is unknown."""
        if self.kind is None or self.options is None:
            return ""
        return self.kind.dialect_for(self.options)

    @property
    def state(self) -> State:
        """Tell how it stands: off, away, or ready."""
        if not self.connection.enabled:
            return "off"
        return "away" if self.problem is not None else "ready"


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
        return [self._source(each) for each in self._book.connections.list()]

    def _source(self, connection: Connection) -> Source:
        kind = self.kinds.found.get(connection.connector)
        place, options = "", None
        if kind is not None:
            try:
                options = self._book.check(connection.connector, connection.options)
                place = kind.place(options)
            except InvalidInput:  # attaching it says so
                place = str(connection.options.get("path", ""))
        problem = self._engine.broken.get(connection.alias) if connection.enabled else None
        return Source(connection, kind, place, problem, options)

    def source(self, alias: str) -> Source:
        """Return a connection as the page shows it. Raises NotFound."""
        return self._source(self.get(alias))

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

    def test(
        self, connector: str, options: Mapping[str, Any], *, alias: str | None = None
    ) -> Checked:
        """Connect once with these options, in a process of its own, and tell who answers.

        With the alias of one that is saved, secrets that are not given are its own. Raises
        ConnectError that says precisely what is wrong, InvalidInput.
        """
        self._actor.require("editor", "test connections")
        known = self._book.connections.opened(self.get(alias)) if alias else {}
        draft = self._book.draft(connector, options, known)
        return self._tested(draft)

    def check(self, alias: str) -> Connection:
        """Test a saved connection and remember how it was; attach it again if it was away."""
        self._actor.require("editor", "test connections")
        connection = self.get(alias)
        try:
            draft = self._draft_of(connection)
            checked = self._tested(draft)
        except MillpondError as error:
            self._note(connection, error)
            self._engine.broken[connection.alias] = error
            raise
        self._note(connection, checked)
        if connection.alias in self._engine.broken:
            self._engine.reattach([self._book.attachment(connection)])
        return self.get(alias)

    def inspect(self, connector: str, options: Mapping[str, Any], alias: str) -> Report:
        """Look at a source before it is added. Raises ConnectError or InvalidInput."""
        self._actor.require("editor", "add sources")
        draft = self._book.draft(connector, options)
        needed = self._book.needs(draft)
        self._open_wall(needed)
        try:
            return inspected(self._engine, draft, alias)
        except (ConnectError, Forbidden):
            if not any(self._engine.within_reach(path) for path in needed.read):
                raise
            self._engine.renew()  # its file may have been replaced since the worker started
            return inspected(self._engine, draft, alias)

    def add(
        self, alias: str, connector: str, options: Mapping[str, Any], *, connect: bool = True
    ) -> Connection:
        """Add a source and make it queryable; with `connect` off it is kept, and switched off.

        Raises Conflict for an alias that is taken, ConnectError where it cannot be attached; then
        nothing was added.
        """
        self._actor.require("editor", "add sources")
        _refuse_reserved(alias)
        draft = self._book.draft(connector, options)
        checked = self._prepared(draft) if connect else None
        connection = self._book.connections.add(
            alias,
            connector,
            draft.kept,
            actor=self._actor.name,
            secrets=draft.fresh,
            enabled=connect,
        )
        if checked is not None:
            self._note(connection, checked)
        if connect:
            try:
                self._attach(connection)
            except MillpondError:
                self._book.connections.remove(connection.id)
                raise
        return connection

    def remove(self, alias: str) -> None:
        """Take a source away. Its file stays where it is, unless it is an uploaded copy of ours."""
        self._actor.require("editor", "remove sources")
        connection = self.get(alias)
        self._book.connections.remove(connection.id)
        self._engine.detach(connection.alias, connection.connector)
        path = Path(str(connection.options.get("path", "")))
        others = (each.options.get("path") for each in self._book.connections.list())
        if path.parent == self._engine.folder / "uploads" and str(path) not in others:
            path.unlink(missing_ok=True)

    def change(self, alias: str, options: Mapping[str, Any]) -> Connection:
        """Give a source other options; secrets that are not given stay.

        Raises why it cannot be; then nothing has changed.
        """
        self._actor.require("editor", "change sources")
        old = self.get(alias)
        known = self._book.connections.opened(old)
        draft = self._book.draft(old.connector, options, known)
        checked = self._prepared(draft) if old.enabled else None
        actor = self._actor.name
        changed = self._book.connections.change(
            old.id, options=draft.kept, secrets=draft.fresh, actor=actor
        )
        if checked is not None:
            self._note(changed, checked)
        if old.enabled:
            try:
                self._attach(changed)
            except MillpondError:
                self._book.connections.change(
                    old.id, options=old.options, secrets=known, actor=actor
                )
                raise
        return changed

    def rename(self, alias: str, new: str) -> Connection:
        """Give a source another name in SQL. Raises Conflict, InvalidInput."""
        self._actor.require("editor", "change sources")
        _refuse_reserved(new)
        old = self.get(alias)
        renamed = self._book.connections.rename(old.id, new)
        self._engine.detach(old.alias, old.connector)
        if renamed.enabled:
            self._attach(renamed)
        return renamed

    def duplicate(self, alias: str, new: str) -> Connection:
        """Add a source with the options and the secrets of another, switched off to be changed."""
        self._actor.require("editor", "add sources")
        old = self.get(alias)
        options = {**old.options, **self._book.connections.opened(old)}
        return self.add(new, old.connector, options, connect=False)

    def enable(self, alias: str, enabled: bool = True) -> Connection:
        """Switch a source on, if it can be attached, or off. Raises why it cannot."""
        self._actor.require("editor", "change sources")
        connection = self.get(alias)
        if enabled:
            checked = self._prepared(self._draft_of(connection))
            if checked is not None:
                self._note(connection, checked)
        changed = self._book.connections.change(
            connection.id, enabled=enabled, actor=self._actor.name
        )
        if enabled:
            self._attach(changed)
        else:
            self._engine.detach(changed.alias, changed.connector)
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
                connection = self._book.connections.change(
                    connection.id, options=options, actor=self._actor.name
                )
            self._engine.attach(self._book.attachment(connection))
        except MillpondError as error:
            self._engine.broken[alias] = error
            raise
        return report

    def upload(
        self, name: str, source: BinaryIO, *, progress: uploads.Progress | None = None
    ) -> Path:
        """Copy an uploaded file into the workspace, and return where it lies.

        `progress` is told the bytes so far. Raises LimitExceeded beyond MILLPOND_UPLOAD_LIMIT.
        """
        self._actor.require("editor", "upload files")
        folder, limit = self._engine.folder / "uploads", self._book.settings.upload_limit
        return uploads.keep(folder, name, source, limit, progress)

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

    def _prepared(self, draft: Draft) -> Checked | None:
        """Make sure that a source can be attached: a file must be in reach, a server must answer.

        Nothing is told of a file: what is wrong with it shows when it is attached.
        """
        if self._book.kind(draft.connector).remote:
            return self._tested(draft)
        self._open_wall(self._book.needs(draft))
        return None

    def _tested(self, draft: Draft) -> Checked:
        needed = self._book.needs(draft)
        self._open_wall(needed)
        if not self._book.kind(draft.connector).remote:
            return tested(self._engine, draft)
        with self._book.probe.engine(needed) as engine:
            return tested(engine, draft)

    def _attach(self, connection: Connection) -> None:
        attachment = self._book.attachment(connection)
        needed = self._book.needs(self._draft_of(connection))
        if attachment.remote and not self._engine.sees(needed.hosts):
            self._engine.renew()  # attaches all, this one among them
        else:
            self._engine.attach(attachment)

    def _draft_of(self, connection: Connection) -> Draft:
        known = self._book.connections.opened(connection)
        return self._book.draft(connection.connector, connection.options, known)

    def _note(self, connection: Connection, found: Checked | MillpondError) -> None:
        now = datetime.now(UTC)
        if isinstance(found, Checked):
            health = Health(now, found.seconds, found.version)
        else:
            health = Health(now, problem=found.message, hint=found.hint)
        self._book.connections.note(connection.id, health)


def _refuse_reserved(alias: str) -> None:
    if alias.lower() in RESERVED:
        raise InvalidInput(f"{alias} is a name of the engine's own.", hint="Choose another.")
