"""Comparing the schemas of a workspace for an actor, as they are and as snapshots have them."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from core.access import Actor
from core.catalog.compare import compare
from core.catalog.differences import Comparison, Side
from core.catalog.models import WORKSPACE
from core.catalog.places import Place, parsed
from core.catalog.snapshots import Snapshot, SnapshotBook
from core.engine.engine import Engine
from core.errors import Conflict, InvalidInput, MillpondError, NotFound
from core.structure import Structure
from core.workers.protocol import error_from_json

_SECONDS = 120


@dataclass(frozen=True)
class ComparisonBook:
    """What all actors of a workspace share.

    `connector` names the kind of a source by its alias, and says nothing where there is none.
    `beside` says that another process has the workspace, and its own tables are not seen here.
    """

    engine: Engine
    snapshots: SnapshotBook
    connector: Callable[[str], str]
    beside: bool = False


class Comparisons:
    """The comparisons and snapshots of a workspace for one actor. Editors keep snapshots."""

    def __init__(self, book: ComparisonBook, actor: Actor) -> None:
        self._book, self._actor = book, actor

    def places(self) -> Sequence[Place]:
        """Return all schemas that there are now, those without tables too."""
        return self._places("")[0]

    def compare(self, left: str, right: str) -> Comparison:
        """Compare two sides by their names, see `places`. Nothing is kept of it.

        Raises InvalidInput, NotFound, and what keeps a source from being read.
        """
        return compare(self.side(left), self.side(right))

    def side(self, name: str) -> Side:
        """Return one side. Raises as `compare` does."""
        wanted = parsed(name)
        if isinstance(wanted, str):
            snapshot = self._snapshot(wanted)
            return Side(
                name=_told(snapshot),
                catalog=snapshot.catalog,
                schema=snapshot.schema,
                connector=snapshot.connector,
                structures=self._book.snapshots.structures(snapshot.id),
                taken_at=snapshot.taken_at,
            )
        place = self._found(wanted)
        return Side(
            name=place.address,
            catalog=place.catalog,
            schema=place.schema,
            connector=self._book.connector(place.catalog),
            structures=tuple(self._structures(place)),
        )

    def take(self, place: str, name: str = "") -> tuple[Snapshot, bool]:
        """Keep a schema as it is now; return the snapshot, and whether it is a new one.

        Raises as `compare` does, and InvalidInput for a snapshot.
        """
        self._actor.require("editor", "take snapshots")
        side = self.side(place)
        if side.taken_at is not None:
            raise InvalidInput("This is a snapshot already.", hint="Name a schema.")
        where = (side.catalog, side.schema, side.connector)
        return self._book.snapshots.keep(where, side.structures, name=name, actor=self._actor.name)

    def latest(self, place: str) -> Snapshot | None:
        """Return the newest snapshot of a schema, or None. Raises as `compare` does."""
        found = self._found(_schema(place))
        return self._book.snapshots.latest(found.catalog, found.schema)

    def snapshots(self) -> Sequence[Snapshot]:
        """Return all snapshots, the newest first."""
        return self._book.snapshots.list()

    def snapshot(self, id: str) -> Snapshot:
        """Return a snapshot. Raises NotFound."""
        return self._book.snapshots.get(id)

    def rename(self, id: str, name: str) -> Snapshot:
        """Give a snapshot another name. Raises NotFound, InvalidInput."""
        self._actor.require("editor", "rename snapshots")
        return self._book.snapshots.rename(id, name)

    def delete(self, id: str) -> None:
        """Delete a snapshot. Raises NotFound."""
        self._actor.require("editor", "delete snapshots")
        self._book.snapshots.delete(id)

    def _snapshot(self, wanted: str) -> Snapshot:
        """Find a snapshot by its id, else the newest of a name."""
        found = [each for each in self.snapshots() if wanted in (each.id, each.name)]
        if not wanted or not found:
            raise NotFound(f'There is no snapshot "{wanted}".', hint="It may have been deleted.")
        return next((each for each in found if each.id == wanted), found[0])

    def _found(self, wanted: Place) -> Place:
        """Find a schema by its names, in any case of letters where just one fits."""
        if self._book.beside and wanted.catalog.lower() == WORKSPACE:
            raise Conflict(
                "The workspace's own tables are open in another process, most likely in the app.",
                hint="Compare them there, or end it first.",
            )
        places, away = self._places(wanted.catalog)
        inside = [each for each in places if each.catalog == wanted.catalog] or [
            each for each in places if each.catalog.lower() == wanted.catalog.lower()
        ]
        if not inside:
            if problem := away.get(wanted.catalog.lower()):
                raise problem
            known = ", ".join(sorted({each.catalog for each in places}))
            raise NotFound(f'There is no source "{wanted.catalog}".', hint=f"There are: {known}.")
        if not wanted.schema:
            return self._only(inside)
        for each in inside:
            if each.schema == wanted.schema:
                return each
        for each in inside:
            if each.schema.lower() == wanted.schema.lower():
                return each
        known = ", ".join(each.schema for each in inside)
        raise NotFound(
            f'There is no schema "{wanted.schema}" in {inside[0].catalog}.',
            hint=f"There are: {known}.",
        )

    def _places(self, wanted: str) -> tuple[list[Place], dict[str, MillpondError]]:
        """Return all schemas, and what is wrong with the sources that are away, by their aliases.

        It waits for a source by that alias which is still being attached.
        """
        engine = self._book.engine
        engine.start()
        answer = engine.call("schemas", _SECONDS, sql=wanted)
        away = {alias.lower(): error for alias, error in engine.broken.items()}
        away |= {alias: error_from_json(each) for alias, each in answer.head["away"].items()}
        rows = json.loads(answer.body)
        return [Place(each["catalog"], each["schema"]) for each in rows], away

    def _only(self, inside: Sequence[Place]) -> Place:
        if len(inside) == 1:
            return inside[0]
        known = ", ".join(each.address for each in inside)
        raise InvalidInput(
            f"{inside[0].catalog} has {len(inside)} schemas; say which.",
            hint=f"There are: {known}.",
        )

    def _structures(self, place: Place) -> Sequence[Structure]:
        answer = self._book.engine.call(
            "structures",
            _SECONDS,
            sql=place.catalog,  # the worker waits for it, and stops it when this is cancelled
            catalog=place.catalog,
            schema=place.schema,
            name=None,
        )
        return [Structure.from_json(each) for each in json.loads(answer.body)]


def _schema(name: str) -> Place:
    wanted = parsed(name)
    if isinstance(wanted, str):
        raise InvalidInput("This is a snapshot.", hint="Name a schema.")
    return wanted


def _told(snapshot: Snapshot) -> str:
    place = Place(snapshot.catalog, snapshot.schema).address
    name = f' "{snapshot.name}"' if snapshot.name else ""
    return f"{place} as of {snapshot.taken_at:%Y-%m-%d %H:%M} UTC{name}"
