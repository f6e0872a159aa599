"""How a side of a comparison is named: `catalog.schema`, `catalog` alone, or `snapshot:` and an id.

A name that is not plain stands in double quotes, as in SQL: `shop."Year 2026"`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from core.errors import InvalidInput

_PART = re.compile(r'"((?:[^"]|"")+)"|([^".\s]+)')
_SNAPSHOT = "snapshot:"


@dataclass(frozen=True)
class Place:
    """A schema by its names."""

    catalog: str
    schema: str

    @property
    def address(self) -> str:
        """Both names, as `parsed` reads them."""
        return f"{_written(self.catalog)}.{_written(self.schema)}"


def snapshot_address(id: str) -> str:
    """Return how a snapshot is named as a side."""
    return f"{_SNAPSHOT}{id}"


def parsed(text: str) -> Place | str:
    """Return the schema that a text names, its schema empty if it says none, or a snapshot's id.

    Raises InvalidInput.
    """
    text = text.strip()
    if text.lower().startswith(_SNAPSHOT):
        return text[len(_SNAPSHOT) :].strip()
    parts: list[str] = []
    at = 0
    while found := _PART.match(text, at):
        parts.append(found[1].replace('""', '"') if found[1] else found[2])
        at = found.end()
        if text[at : at + 1] != ".":
            break
        at += 1
    if at != len(text) or text.endswith(".") or len(parts) not in (1, 2):
        raise InvalidInput(
            f'"{text}" names no schema.',
            hint='Write catalog.schema, a name that is not plain in quotes: shop."Year 2026"; '
            "or snapshot: and its id or name.",
        )
    return Place(parts[0], parts[1] if len(parts) == 2 else "")


def _written(name: str) -> str:
    plain = bool(re.fullmatch(r"\w+", name))
    return name if plain else '"' + name.replace('"', '""') + '"'
