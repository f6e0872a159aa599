"""What is in a diagram: which tables with which of their columns, and how they are related.

A diagram that nobody can read helps nobody: it holds a number of tables at most, the best connected
ones, and says how many it left out.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from heapq import heapify, heappop, heappush

from core.catalog.naming import Place
from core.catalog.relations import Described, End, Relation
from core.structure import Structure

SHOWN = 60
"""Tables in a diagram, unless more are asked for."""

COLUMNS = 30
"""Columns of a table that are shown at most; those that are keys come first."""

_KEYS = {"PK": "PRIMARY KEY", "UK": "UNIQUE", "FK": "FOREIGN KEY"}


@dataclass(frozen=True)
class Field:
    """A column in a box; `keys` are PK, UK and FK."""

    name: str
    type: str
    keys: tuple[str, ...]
    nullable: bool


@dataclass(frozen=True)
class Entity:
    """A table as a box: `title` is as short as is clear there; `more` columns are not shown."""

    place: Place
    title: str
    address: str
    kind: str
    comment: str
    fields: tuple[Field, ...]
    more: int


@dataclass(frozen=True)
class Diagram:
    """Tables and the relations between them; `left_out` tables had no room."""

    title: str
    entities: tuple[Entity, ...]
    relations: tuple[Relation, ...]
    left_out: int = 0


@dataclass(frozen=True)
class Wish:
    """What shall be in a diagram: `home` tables, and those that are up to `hops` relations away.

    `whole` shows all columns, not the keys alone.
    """

    title: str
    home: Collection[Place] = ()
    hops: int = 1
    whole: bool = False
    shown: int = SHOWN


def compose(tables: Sequence[Described], relations: Iterable[Relation], wish: Wish) -> Diagram:
    """Choose what is in a diagram out of all tables and relations that are known."""
    known = {(catalog, each.schema, each.name): (catalog, each) for catalog, each in tables}
    linked = [
        each
        for each in dict.fromkeys(relations)
        if each.child.place in known and each.parent.place in known
    ]
    away = _away(wish, known, linked)
    chosen = set(_first(away, linked, wish.shown))
    drawn = tuple(
        each for each in linked if each.child.place in chosen and each.parent.place in chosen
    )
    return Diagram(
        wish.title,
        tuple(_entity(*known[place], drawn, wish) for place in known if place in chosen),
        drawn,
        len(away) - len(chosen),
    )


def _away(
    wish: Wish, known: Mapping[Place, Described], relations: Sequence[Relation]
) -> dict[Place, int]:
    """Return how many relations each table within reach is away from home."""
    near: dict[Place, list[Place]] = defaultdict(list)
    for each in relations:
        near[each.child.place].append(each.parent.place)
        near[each.parent.place].append(each.child.place)
    away = {place: 0 for place in known if place in wish.home}
    edge = [*away]
    for hop in range(1, wish.hops + 1):
        edge = [other for place in edge for other in near[place] if other not in away]
        away.update(dict.fromkeys(edge, hop))
    return away


def _first(away: Mapping[Place, int], relations: Sequence[Relation], number: int) -> list[Place]:
    """Return so many tables: the nearest, of those the best connected, and what is by them."""
    near: dict[Place, set[Place]] = defaultdict(set)
    for each in relations:
        if each.child.place in away and each.parent.place in away:
            near[each.child.place].add(each.parent.place)
            near[each.parent.place].add(each.child.place)
    heap = [(away[place], 1, -len(near[place]), place) for place in away]
    heapify(heap)
    chosen: dict[Place, None] = {}
    while heap and len(chosen) < number:
        *_, place = heappop(heap)
        if place in chosen:
            continue
        chosen[place] = None
        for other in near[place] - chosen.keys():
            heappush(heap, (away[other], 0, -len(near[other]), other))
    return [*chosen]


def _entity(catalog: str, table: Structure, relations: Sequence[Relation], wish: Wish) -> Entity:
    place = (catalog, table.schema, table.name)
    ends = [each.child for each in relations if each.child.place == place]
    foreign = {column for end in ends for column in end.columns}
    ends = [each.parent for each in relations if each.parent.place == place]
    pointed = {column for end in ends for column in end.columns}
    fields = []
    for column in table.columns:
        kinds = table.keys(column.name)
        keys = [word for word, kind in _KEYS.items() if kind in kinds]
        if column.name in foreign and "FK" not in keys:
            keys.append("FK")
        if wish.whole or keys or column.name in pointed:
            kind = column.declared or column.type
            fields.append(Field(column.name, kind, tuple(keys), column.nullable))
    if len(fields) > COLUMNS:
        fields = sorted(fields, key=lambda each: not each.keys)[:COLUMNS]
    end = End(*place, columns=())
    at_home = {other[:2] for other in wish.home} == {place[:2]}
    return Entity(
        place,
        table.name if at_home else end.reference,
        end.address,
        table.kind,
        table.comment,
        tuple(fields),
        len(table.columns) - len(fields),
    )
