"""What reads tables, whatever it is: how a slice tells of the SQL that it keeps.

A slice that keeps SQL declares one `Readers`, and `core/workbench.py` registers it. Whoever asks
what uses a table knows nothing more of saved queries, notebooks or reports than is here.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True)
class Reader:
    """One thing that is kept: its SQL, and the page that shows it.

    SQL from several places, as a notebook's cells, is one text with `;` between them. `on` is the
    connection whose own engine runs it, "" the engine here.
    """

    id: str
    title: str
    sql: str
    page: str
    params: Mapping[str, str]
    on: str = ""


class Readers(ABC):
    """All that a slice keeps of one kind in one workspace."""

    kind: ClassVar[str]
    """What one is called, in lower case: "saved query"."""

    @abstractmethod
    def revisions(self) -> Mapping[str, int]:
        """Return the revision of each by its id. Asked at every look: no text is read here."""

    @abstractmethod
    def read(self, ids: Collection[str]) -> Iterable[Reader]:
        """Return those of these ids that there are and can be read."""
