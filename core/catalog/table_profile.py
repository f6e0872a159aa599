"""The profile of a table at one time, as a value, and as the text in which it is kept."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING

from core.engine.profile import ColumnProfile

if TYPE_CHECKING:
    from pydantic import TypeAdapter


@dataclass(frozen=True)
class TableProfile:
    """A table's columns as they were at a time. `rows` are the table's, None where nobody knows.

    `looked_at` counts the rows that the figures are of; `first` tells that they are the first
    ones, not an even sample. `exact` figures are of all rows.
    """

    taken_at: datetime
    rows: int | None
    looked_at: int
    exact: bool
    columns: tuple[ColumnProfile, ...]
    first: bool = False

    @property
    def basis(self) -> str:
        """Say what the figures are of."""
        if self.exact:
            return f"of all {self.looked_at:,} rows"
        of = "" if self.rows is None else f" of {self.rows:,}"
        if self.first:
            return f"from the first {self.looked_at:,}{of} rows"
        return f"from a sample of {self.looked_at:,}{of} rows"

    def to_text(self) -> str:
        """Write it as JSON."""
        return _form().dump_json(self).decode()

    @classmethod
    def from_text(cls, text: str) -> TableProfile:
        """Read it back."""
        return _form().validate_json(text)


@cache
def _form() -> TypeAdapter[TableProfile]:
    from pydantic import TypeAdapter

    return TypeAdapter(TableProfile)
