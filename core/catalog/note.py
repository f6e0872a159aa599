"""A note: what people say of a table or a column beside its definition. Values and their limits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from core.errors import InvalidInput
from core.store.rows import clean

LONGEST_COMMENT = 10_000
LONGEST_NAME = 100
"""Characters of an owner or of a tag."""
MOST_TAGS = 20

Key = tuple[str, str, str]
"""Catalog, schema and name of a table."""


@dataclass(frozen=True)
class Note:
    """A comment, tags in their order, and who answers for it; what there is not is empty."""

    comment: str = ""
    tags: tuple[str, ...] = ()
    owner: str = ""

    def changed(self, change: Change) -> Note:
        """Return it with a change made. Raises InvalidInput for what is too long or too much."""
        note = self
        if change.comment is not None:
            note = replace(note, comment=_fits(clean(change.comment.strip()), LONGEST_COMMENT))
        if change.tags is not None:
            note = replace(note, tags=_tags(change.tags))
        if change.owner is not None:
            owner = " ".join(clean(change.owner).split())
            note = replace(note, owner=_fits(owner, LONGEST_NAME, "owner"))
        return note


@dataclass(frozen=True)
class Change:
    """What to change of a note; None leaves it as it is."""

    comment: str | None = None
    tags: Sequence[str] | None = None
    owner: str | None = None


Notes = Mapping[Key, Mapping[str, Note]]
"""Notes by table, and there by column; a table's own is under the empty name."""


def _tags(given: Sequence[str]) -> tuple[str, ...]:
    # "#pii" and "pii" are one tag: people write both, and the search takes both.
    plain = (" ".join(clean(each).split()).lstrip("# ") for each in given)
    tags = tuple(dict.fromkeys(_fits(each, LONGEST_NAME, "tag") for each in plain if each))
    if len(tags) > MOST_TAGS:
        raise InvalidInput(f"These are {len(tags)} tags; at most {MOST_TAGS} are kept.")
    return tags


def _fits(text: str, longest: int, what: str = "comment") -> str:
    if len(text) > longest:
        raise InvalidInput(
            f"This {what} has {len(text):,} characters; at most {longest:,} are kept."
        )
    return text
