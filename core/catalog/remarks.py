"""What the databases say beside names and types: comments, and the SQL of their views."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from core.catalog.note import Key
from core.engine.engine import Engine

_SECONDS = 60


@dataclass(frozen=True)
class View:
    """A view, and the SQL that made it."""

    key: Key
    sql: str


@dataclass(frozen=True)
class Remarks:
    """Comments by table, and there by column; a table's own is under the empty name."""

    comments: Mapping[Key, Mapping[str, str]] = field(default_factory=dict)
    views: tuple[View, ...] = ()

    def commented(self, key: Key, column: str, text: str) -> Remarks:
        """Return them with one comment changed."""
        table = {**self.comments.get(key, {}), column: text}
        return Remarks({**self.comments, key: {k: v for k, v in table.items() if v}}, self.views)


def read_remarks(engine: Engine) -> Remarks:
    """Ask for all of them. Raises what the engine cannot tell, as while a server is away."""
    answer = json.loads(engine.call("remarks", _SECONDS).body)
    comments: dict[Key, dict[str, str]] = {}
    for row in answer["comments"]:
        comments.setdefault(_key(row), {})[row["column"]] = row["comment"]
    return Remarks(comments, tuple(View(_key(row), row["sql"]) for row in answer["views"]))


def _key(row: Mapping[str, str]) -> Key:
    return row["catalog"], row["schema"], row["table"]
