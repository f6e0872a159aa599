"""What columns are called, and which table's key such a name means.

`customer_id` is the `id` of `customers`; `carrier` is the `carrier` of `airlines`; `origin` is what
another table declares its `origin` to be. English plurals, and no other language's.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

from core.engine.relation import family
from core.structure import Structure, StructuredColumn

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[^\W\d_A-Z]+|\d+")
_PREFIXES = ("tbl", "dim", "fact", "stg")
_IRREGULAR = {"people": "person", "children": "child", "men": "man", "women": "woman"}
_KEYS = ("id", "key", "code", "no", "nr", "number")
"""Words that a key without a declaration may be called by, alone or after its table's name."""
_GENERIC = frozenset(
    {*_KEYS, "name", "title", "type", "status", "state", "value", "kind", "position", "rank"}
    | {"year", "month", "day", "date", "note", "comment", "description", "version", "uuid", "guid"}
)
"""Names that mean something else in each table: they relate no two columns."""
_COMPARED = ("integer", "text", "date")

Place = tuple[str, str, str]


class Placed(Protocol):
    """Columns of a table, somewhere."""

    @property
    def place(self) -> Place: ...
    @property
    def columns(self) -> tuple[str, ...]: ...


@dataclass(frozen=True)
class Guess:
    """A key that a column's name may mean; the lower its `strength`, the likelier."""

    strength: int
    place: Place
    column: str
    type: str


class Names:
    """The keys of all tables, by the names that others would call them by."""

    def __init__(
        self, tables: Sequence[tuple[str, Structure]], known: Iterable[tuple[Placed, Placed]]
    ) -> None:
        self._named: list[dict[str, list[Guess]]] = [defaultdict(list) for _ in range(5)]
        types: dict[tuple[Place, str], str] = {}
        for catalog, table in tables:
            place = (catalog, table.schema, table.name)
            for column in table.columns:
                types[place, column.name] = column.type
            for key in single_keys(table):
                for strength, name in _called(table.name, key.name):
                    self._add(strength, name, place, key.name, key.type)
        for child, parent in known:
            if len(child.columns) == 1 and (kind := types.get((parent.place, parent.columns[0]))):
                self._add(1, _joined(child.columns[0]), parent.place, parent.columns[0], kind)

    def _add(self, strength: int, name: str, place: Place, column: str, kind: str) -> None:
        guess = Guess(strength, place, column, kind)
        if name and guess not in self._named[strength][name]:  # 🦆 has no words
            self._named[strength][name].append(guess)

    def parents(self, catalog: str, table: Structure, column: StructuredColumn) -> list[Guess]:
        """Return the keys that a column may lead to: of the likeliest kind, the nearest ones."""
        place = (catalog, table.schema, table.name)
        if family(column.type) not in _COMPARED:
            return []
        own = [key.name for key in _declared_keys(table)]
        for guesses in self._ranked(place, column.name, own):
            fits = [
                guess
                for guess in guesses
                if _comparable(column.type, guess.type)
                and (guess.place, guess.column) != (place, column.name)
                and (column.name not in own or _extends(table.name, guess.place[2], column.name))
            ]
            if fits:
                near = min(_distance(place, guess.place) for guess in fits)
                return [guess for guess in fits if _distance(place, guess.place) == near]
        return []

    def _ranked(self, place: Place, column: str, own: list[str]) -> Iterator[list[Guess]]:
        words = _words(column)
        name = "".join(words)
        if name in ("parent", "parentid") and len(own) == 1:
            yield [
                each
                for guesses in self._named[0].values()
                for each in guesses
                if (each.place, each.column) == (place, own[0])
            ][:1]
        for strength in (0, 1, 2):
            yield self._named[strength].get(name, [])
        # `manager_staff_id` is the `staff_id` of some role.
        for at in range(1, len(words)):
            yield self._named[0].get("".join(words[at:]), [])
        yield self._named[4].get(name, [])


def single_keys(table: Structure) -> list[StructuredColumn]:
    """Return the columns that are a key by themselves; where none is declared, that may be one."""
    if any(each.kind in ("PRIMARY KEY", "UNIQUE") for each in table.constraints):
        return _declared_keys(table)
    named = {stem + word for stem in ("", *_stems(table.name)) for word in _KEYS}
    found = [each for each in table.columns if _joined(each.name) in named]
    return found or [*table.columns[:1]]


def _declared_keys(table: Structure) -> list[StructuredColumn]:
    columns = {each.name: each for each in table.columns}
    found = [
        each.columns[0]
        for each in table.constraints
        if each.kind in ("PRIMARY KEY", "UNIQUE") and len(each.columns) == 1
    ]
    return [columns[name] for name in dict.fromkeys(found) if name in columns]


def _called(table: str, key: str) -> Iterator[tuple[int, str]]:
    """Yield what other tables would call a key, with the strength of that."""
    name = _joined(key)
    if _says(table, key):
        yield 0, name
    elif name not in _stems(table):
        for stem in _stems(table):
            yield 0, stem + name
    if name not in _GENERIC:
        yield 2, name
    for stem in _stems(table):
        yield 4, stem


def _says(table: str, column: str) -> bool:
    """Tell whether a column's name holds that of a table, as `customer_id` does of `customers`."""
    name = _joined(column)
    return any(name != stem and name.startswith(stem) for stem in _stems(table))


def _extends(child: str, parent: str, column: str) -> bool:
    """Tell whether a key of the child, by its name, is the parent's: film_text's `film_id`."""
    name = _joined(column)
    return any(stem in name for stem in _stems(parent)) and not _says(child, column)


@lru_cache(maxsize=100_000)
def _stems(table: str) -> tuple[str, ...]:
    """Return a table's name in lower case without prefix, in the singular and as it is."""
    words = _words(table)
    if len(words) > 1 and words[0] in _PREFIXES:
        words = words[1:]
    if not words:
        return ()
    forms = ("".join((*words[:-1], each)) for each in (_one(words[-1]), words[-1]))
    return tuple(dict.fromkeys(form for form in forms if form))


def _one(word: str) -> str:
    if word in _IRREGULAR:
        return _IRREGULAR[word]
    for ending, instead in (("ies", "y"), ("sses", "ss"), ("xes", "x"), ("ches", "ch")):
        if word.endswith(ending) and len(word) > len(ending) + 1:
            return word[: -len(ending)] + instead
    return word[:-1] if word.endswith("s") and not word.endswith(("ss", "us", "is")) else word


@lru_cache(maxsize=100_000)
def _words(name: str) -> tuple[str, ...]:
    return tuple(word.lower() for word in _WORD.findall(name))


@lru_cache(maxsize=100_000)
def _joined(name: str) -> str:
    return "".join(_words(name))


def _comparable(one: str, other: str) -> bool:
    return family(one) == family(other) and family(one) in _COMPARED


def _distance(one: Place, other: Place) -> int:
    return 0 if one[:2] == other[:2] else 1 if one[0] == other[0] else 2
