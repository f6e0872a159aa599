"""What might have been renamed between two schemas, by how alike it is: a guess, always said so."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from core.structure import Structure, StructuredColumn

_ALIKE = 0.6
_COMMON = 20
"""Tables that share a column beyond which it tells nothing: an `id` is in each of 5,000."""
_MOST = 400
"""Pairs of columns of one table that are looked at."""


@dataclass(frozen=True)
class Rename:
    """A table, or a column of one, that may be another's new name; `likeness` is 0 to 1."""

    left: str
    right: str
    likeness: float
    table: str = ""


def renamed_tables(removed: Sequence[Structure], added: Sequence[Structure]) -> list[Rename]:
    """Pair tables that were removed with those added that have most of their columns."""
    holders: dict[tuple[str, str], list[int]] = defaultdict(list)
    for at, table in enumerate(added):
        for column in _features(table):
            holders[column].append(at)
    found = []
    for table in removed:
        mine = _features(table)
        rare = (holders[each] for each in mine if 0 < len(holders[each]) <= _COMMON)
        for at, shared in Counter(at for each in rare for at in each).items():
            other = added[at]
            likeness = len(mine & _features(other)) / len(mine | _features(other))
            if table.kind == other.kind and shared and likeness >= _ALIKE:
                close = _closeness(table.name, other.name)
                found.append((likeness, close, table.name, other.name))
    return list(_best(found))


def renamed_columns(
    table: str, removed: Sequence[StructuredColumn], added: Sequence[StructuredColumn]
) -> list[Rename]:
    """Pair columns that were removed with those added of the same type and a like name."""
    if len(removed) * len(added) > _MOST:
        return []
    found = []
    for old in removed:
        for new in added:
            close = _closeness(old.name, new.name)
            if old.type == new.type and (close >= _ALIKE or len(removed) == len(added) == 1):
                found.append((close, close, old.name, new.name))
    return list(_best(found, table))


def _features(table: Structure) -> set[tuple[str, str]]:
    return {(column.name.lower(), column.type) for column in table.columns}


def _closeness(left: str, right: str) -> float:
    return SequenceMatcher(None, left.lower(), right.lower()).ratio()


def _best(found: list[tuple[float, float, str, str]], table: str = "") -> Iterator[Rename]:
    """Take the most alike first, and each name once."""
    olds: set[str] = set()
    news: set[str] = set()
    for likeness, _, left, right in sorted(found, key=lambda each: (-each[0], -each[1], each[2:])):
        if left not in olds and right not in news:
            olds.add(left)
            news.add(right)
            yield Rename(left, right, round(likeness, 2), table)
