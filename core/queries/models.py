"""What is kept of queries: those a person saved, and a line for each one that ran."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    ValidationError,
    model_validator,
)

from core.engine.parameters import from_json, to_json
from core.errors import InvalidInput
from core.queries.typed import typed

State = Literal["running", "done", "failed", "cancelled", "interrupted"]

LONGEST_NAME = 200
"""Characters of a saved query's name."""


def _distinct(tags: object) -> object:
    if not isinstance(tags, list | tuple) or not all(isinstance(tag, str) for tag in tags):
        return tags  # for pydantic to refuse
    return list(dict.fromkeys(tag.strip() for tag in tags if tag.strip()))


def _bindable(parameters: object) -> object:
    return _read(parameters) if isinstance(parameters, dict) else parameters


def _read(parameters: dict[str, Any]) -> dict[str, Any]:
    """Read values as they are kept. Raises InvalidInput for one that SQL cannot take."""
    values = from_json(parameters)
    to_json(values)
    return values


def _read_1(name: str, value: Any) -> Any:
    """Read a value that version 1 kept: a text is what was in the field."""
    if isinstance(value, str):
        return typed(value)
    try:
        return _read({name: value})[name]
    except InvalidInput:  # nothing refused objects then, and no query ever took them
        return json.dumps(value)


class SavedQuery(BaseModel):
    """A query with a name: the document of kind "query".

    `parameters` are the last ones given, kept as they are bound; `on` is the connection whose own
    engine runs it, "" the engine here.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", str_max_length=10_000_000)

    schema_version: Literal[2] = 2
    name: str = Field(min_length=1, max_length=LONGEST_NAME)
    description: str = ""
    tags: Annotated[list[str], BeforeValidator(_distinct)] = []
    sql: str
    parameters: Annotated[
        dict[str, Any],
        BeforeValidator(_bindable),
        PlainSerializer(to_json, return_type=dict[str, Any], when_used="json"),
    ] = {}
    on: str = ""

    @model_validator(mode="before")
    @classmethod
    def _of_today(cls, fields: Any) -> Any:
        if not isinstance(fields, dict) or fields.get("schema_version") != 1:
            return fields
        kept = fields.get("parameters", {})
        if isinstance(kept, dict):
            kept = {name: _read_1(name, value) for name, value in kept.items()}
        return fields | {"schema_version": 2, "parameters": kept}

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
        """Write the canonical text: JSON with sorted keys, so that equal queries have one text."""
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
