"""What is kept of queries: those a person saved, and a line for each one that ran."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from core.errors import InvalidInput

State = Literal["running", "done", "failed", "cancelled", "interrupted"]


def _distinct(tags: object) -> object:
    if not isinstance(tags, list | tuple) or not all(isinstance(tag, str) for tag in tags):
        return tags  # for pydantic to refuse
    return list(dict.fromkeys(tag.strip() for tag in tags if tag.strip()))


class SavedQuery(BaseModel):
    """A query with a name: the document of kind "query".

    `parameters` are the last ones given; `on` is the connection whose own engine runs it, "" the
    engine here.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", str_max_length=10_000_000)

    schema_version: Literal[1] = 1
    name: str = Field(min_length=1, max_length=200)
    description: str = ""
    tags: Annotated[list[str], BeforeValidator(_distinct)] = []
    sql: str
    parameters: dict[str, Any] = {}
    on: str = ""

    @classmethod
    def from_text(cls, text: str) -> SavedQuery:
        """Read the canonical text again. Raises InvalidInput that says which field is wrong."""
        try:
            return cls.model_validate_json(text)
        except ValidationError as error:
            first = error.errors()[0]
            field = ".".join(str(part) for part in first["loc"]) or "text"
            raise InvalidInput(f"This is not a saved query: {field}: {first['msg']}.") from error

    def to_text(self) -> str:
        """Write the canonical text: JSON with sorted keys, so that equal queries have equal texts.

        Values that JSON does not know, dates for one, are written as pydantic writes them.
        """
        fields = self.model_dump(mode="json")
        return json.dumps(fields, ensure_ascii=False, sort_keys=True, indent=2)


@dataclass(frozen=True)
class HistoryEntry:
    """One run of a query: `connection` "" is the engine itself, `elapsed` in s, `rows` if known."""

    id: str
    workspace: str
    actor: str
    sql: str
    connection: str
    state: State
    started_at: datetime
    elapsed: float
    rows: int | None
    error: str
