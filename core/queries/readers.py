"""Saved queries as readers of tables."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from core.errors import InvalidInput
from core.queries.models import SavedQuery
from core.reader import Reader, Readers
from core.store.documents import Document, Documents

_FEW = 20
"""Up to so many are read one by one; more come with all the others in one question."""


class SavedReaders(Readers):
    """The saved queries of a workspace."""

    kind = "saved query"

    def __init__(self, saved: Documents) -> None:
        self._saved = saved

    def revisions(self) -> Mapping[str, int]:
        return self._saved.current()

    def read(self, ids: Collection[str]) -> Iterable[Reader]:
        wanted = set(ids)
        few = (self._saved.find(each) for each in wanted) if len(wanted) <= _FEW else None
        for document in few or self._saved.list():
            if document is not None and document.id in wanted:
                try:
                    yield _reader(document)
                except InvalidInput:  # of a version to come: what it reads is not known here
                    continue


def _reader(document: Document) -> Reader:
    query = SavedQuery.from_text(document.text)
    params = {"query": document.id}
    return Reader(document.id, document.title, query.sql, "query", params, query.on)
