"""The sources of a workspace as all its actors share them: records, checks, and what they need."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from pydantic import ValidationError

from core.connections.models import Connection
from core.connections.probe import Probe
from core.connections.reach import reach
from core.connections.records import Connections, FolderGrants, WorkspaceFacts
from core.connector import Connector, Grants, Options
from core.engine.engine import Attachment
from core.engine.reach import Reach
from core.errors import InvalidInput, SecretError
from core.plugins import Roster
from core.secret import Secret, secret_fields
from core.secrets.service import Secrets
from core.settings import Settings
from core.store.store import Store

log = logging.getLogger(__name__)

Kinds = Roster[Connector[Any]]

_NO_SECRETS: Mapping[str, Secret] = MappingProxyType({})


@dataclass(frozen=True)
class Draft:
    """Options that were checked: what is kept of them, what is to be sealed, all that is secret."""

    connector: str
    options: Options
    kept: dict[str, Any]
    fresh: dict[str, Secret] = field(repr=False)
    secrets: dict[str, Secret] = field(repr=False)

    def attachment(self, alias: str, *, remote: bool) -> Attachment:
        """Return what a worker, which has no keys, must know."""
        values = {name: value.get_secret_value() for name, value in self.secrets.items()}
        return Attachment(alias, self.connector, self.kept | values, remote)


@dataclass
class SourceBook:
    """What all actors of a workspace share: the records, and the engine that must know them."""

    settings: Settings
    kinds: Kinds
    connections: Connections
    grants: FolderGrants
    facts: WorkspaceFacts
    probe: Probe

    @classmethod
    def open(
        cls, store: Store, secrets: Secrets, workspace: str, kinds: Kinds, probe: Probe
    ) -> SourceBook:
        """Open the records of a workspace."""
        return cls(
            probe.settings,
            kinds,
            Connections(store, workspace, secrets),
            FolderGrants(store, workspace),
            WorkspaceFacts(store, workspace),
            probe,
        )

    def enabled(self) -> list[Connection]:
        """Return the connections that are not switched off."""
        return [each for each in self.connections.list() if each.enabled]

    def attachments(self) -> list[Attachment]:
        """Return what a new engine must attach."""
        return [self.attachment(each) for each in self.enabled()]

    def attachment(self, connection: Connection) -> Attachment:
        """Return what the engine must know of a connection, with its secrets.

        Where those cannot be opened it has a problem: without them somebody else may answer.
        """
        kind = self.kinds.found.get(connection.connector)
        secrets, problem = {}, None
        try:
            secrets = self.connections.opened(connection)
        except SecretError as error:
            log.exception("the secrets of connection %s cannot be opened", connection.id)
            problem = error
        values = {name: value.get_secret_value() for name, value in secrets.items()}
        return Attachment(
            connection.alias,
            connection.connector,
            connection.options | values,
            remote=kind is not None and kind.remote,
            problem=problem,
        )

    def reach(self) -> Reach:
        """Return what the wall of a new engine lets through."""
        settings = self.settings
        needed = [self._needed(each) for each in self.enabled()]
        if settings.connectors is not None:
            needed.append(Grants(read=(str(settings.connectors),)))
        return reach(settings.start_folder, settings.home, self.grants.list(), needed)

    def _needed(self, connection: Connection) -> Grants:
        try:
            return self.needs(self.draft(connection.connector, connection.options))
        except InvalidInput:  # attaching it will say so
            return Grants()

    def needs(self, draft: Draft) -> Grants:
        """Return what a source needs of the wall."""
        return self.kind(draft.connector).needs(draft.options)

    def check(self, connector: str, options: Mapping[str, Any]) -> Options:
        """Return options as their connector reads them. Raises InvalidInput."""
        kind = self.kind(connector)
        try:
            return kind.Options.model_validate(dict(options))
        except ValidationError as error:
            first = error.errors()[0]
            field = ".".join(str(part) for part in first["loc"])
            raise InvalidInput(
                f"{field}: {first['msg']}." if field else f"{first['msg']}."
            ) from error

    def kind(self, connector: str) -> Connector[Any]:
        """Return a connector by its name. Raises InvalidInput."""
        if connector not in self.kinds.found:
            raise InvalidInput(
                f"There is no connector named {connector!r}.",
                hint=f"Choose one of {', '.join(sorted(self.kinds.found))}.",
            )
        return self.kinds.found[connector]

    def draft(
        self, connector: str, given: Mapping[str, Any], known: Mapping[str, Secret] = _NO_SECRETS
    ) -> Draft:
        """Check what a person gave; what is secret and not given, or empty, is as it was known.

        Raises InvalidInput.
        """
        fields = secret_fields(self.kind(connector).Options)
        fresh = {name: _secret(given[name]) for name in fields if given.get(name)}
        plain = {name: value for name, value in given.items() if name not in fields}
        options = self.check(connector, {**plain, **known, **fresh})
        kept = options.model_dump(mode="json", exclude=set(fields))
        return Draft(connector, options, kept, fresh, {**known, **fresh})


def _secret(value: Any) -> Secret:
    return value if isinstance(value, Secret) else Secret(str(value))
