"""What uses a table: whatever reads or writes it, by its SQL, and the views between them.

Texts are parsed once per revision, and only those in which the table's name stands: a page asks at
each rerun, and a workspace may keep 10,000 of them. What time does not suffice for is left for the
next look.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlencode

from core.catalog.book import Reading
from core.catalog.models import FILES, Table
from core.catalog.names import Names
from core.catalog.note import Key
from core.engine.columns import columns_read
from core.engine.lexer import fold
from core.engine.references import References, TableName, references
from core.reader import Reader, Readers

VIEW = "view"


@dataclass(frozen=True)
class Use:
    """One thing that uses a table, and the page that shows it.

    `columns` are those that it reads in the table's order, None where that cannot be told.
    `through` are the views by which it does, the nearest to the table first. `certain` is false
    where its SQL could only be skimmed for names.
    """

    kind: str
    title: str
    page: str
    params: Mapping[str, str]
    columns: tuple[str, ...] | None
    through: tuple[str, ...] = ()
    writes: bool = False
    certain: bool = True

    @property
    def address(self) -> str:
        """The page's path and query."""
        return f"/{self.page}?{urlencode(self.params)}"


@dataclass(frozen=True)
class Usage:
    """What uses a table as far as it is known; `left` texts were not looked at yet."""

    uses: tuple[Use, ...]
    left: int = 0

    def of_column(self, name: str) -> tuple[Use, ...]:
        """Return what uses a column, and what may: where it cannot be told, it counts."""
        return tuple(each for each in self.uses if each.columns is None or name in each.columns)


@dataclass
class _Text:
    """A reader and what is known of it; `uses` by table, as of one state of the catalog."""

    kind: str
    reader: Reader
    home: tuple[str, str] | None = None
    makes: Table | None = None
    folded: str = ""
    parsed: References | None = None
    uses: dict[Key, Use | None] = field(default_factory=dict)

    def holds(self, name: str) -> bool:
        """Tell whether a name stands in it: else it cannot be about what that is the name of."""
        self.folded = self.folded or fold(self.reader.sql)
        return fold(name.replace('"', '""')) in self.folded


_Targets = dict[Key, tuple[Table, tuple[str, ...]]]
"""The table that is asked for and the views that read it, with the views on the way to each."""


class UsageBook:
    """The readers of a workspace, and what is known of their SQL. One look at a time."""

    def __init__(self, readers: Sequence[Readers]) -> None:
        self._readers = readers
        self._lock = threading.Lock()
        self._texts: dict[tuple[str, str], _Text] = {}
        self._revisions: dict[tuple[str, str], int] = {}
        self._views: list[_Text] = []
        self._reading = Reading()
        self._names = Names(())

    def of(self, table: Table, reading: Reading, seconds: float) -> Usage:
        """Return what uses a table; after `seconds` it answers with what it has."""
        until = time.monotonic() + seconds
        with self._lock:
            self._follow(reading)
            self._read_anew()
            targets = self._targets(table)
            uses: list[Use] = []
            left = 0
            for text in [*self._views, *self._texts.values()]:
                if table.key not in text.uses:
                    if time.monotonic() > until:
                        left += 1
                        continue
                    text.uses[table.key] = self._use(text, table, targets)
                if use := text.uses[table.key]:
                    uses.append(use)
        uses.sort(key=lambda use: (len(use.through), use.kind, fold(use.title)))
        return Usage(tuple(uses), left)

    def of_source(self, source: str, reading: Reading, seconds: float) -> Usage:
        """Return what uses any table of a source, even of one that is away: by its name in SQL."""
        until = time.monotonic() + seconds
        with self._lock:
            self._follow(reading)
            self._read_anew()
            through = self._views_of(source)
            uses: list[Use] = []
            left = 0
            for text in [*self._views, *self._texts.values()]:
                if time.monotonic() > until:
                    left += 1
                elif use := self._source_use(text, source, through):
                    uses.append(use)
        uses.sort(key=lambda use: (len(use.through), use.kind, fold(use.title)))
        return Usage(tuple(uses), left)

    def _views_of(self, source: str) -> dict[Key, tuple[str, ...]]:
        """Return the views that read a source, each with the views on the way to it."""
        found: dict[Key, tuple[str, ...]] = {}
        waiting = [each for each in self._views if each.makes is not None]
        more = True
        while more:
            more = False
            for view in waiting:
                use = self._source_use(view, source, found)
                if view.makes is not None and view.makes.key not in found and use is not None:
                    found[view.makes.key] = (*use.through, view.makes.reference)
                    more = True
        return found

    def _source_use(
        self, text: _Text, source: str, through: Mapping[Key, tuple[str, ...]]
    ) -> Use | None:
        by_name = bool(text.reader.on) and fold(text.reader.on) == fold(source)
        if not (by_name or through or text.holds(source)):
            return None
        parsed = _parsed(text)
        read = by_name or self._is_of(text, source, parsed.reads)
        writes = text.makes is None and self._is_of(text, source, parsed.writes)
        views = [through[key] for key in self._keys(text, parsed.reads) if key in through]
        if not (read or writes or views):
            return None
        reader = text.reader
        way = () if read or writes else min(views, key=len)
        return Use(
            text.kind, reader.title, reader.page, reader.params, None, way, writes, parsed.parsed
        )

    def _is_of(self, text: _Text, source: str, names: Iterable[TableName]) -> bool:
        """Tell whether one of the names is of a source's table, or of the table that a file is."""
        for name in names:
            catalog, schema, bare = name.folded
            if catalog == fold(source) or (not catalog and schema == fold(source)):
                return True
            if bare == fold(source) and not schema:
                found = self._find(text, name)
                return found is None or found.catalog == FILES
        return False

    def _follow(self, reading: Reading) -> None:
        now = self._reading
        if reading.catalogs is now.catalogs and reading.remarks.views is now.remarks.views:
            return
        self._reading, self._names = reading, Names(reading.catalogs)
        for text in self._texts.values():
            text.uses.clear()
        parsed = {each.reader.sql: each.parsed for each in self._views}
        self._views = [*_views(reading, self._names)]
        for each in self._views:
            each.parsed = parsed.get(each.reader.sql)

    def _read_anew(self) -> None:
        for readers in self._readers:
            now = {(readers.kind, each): at for each, at in readers.revisions().items()}
            for gone in [k for k in self._revisions if k[0] == readers.kind and k not in now]:
                del self._revisions[gone]
                self._texts.pop(gone, None)
            changed = [key[1] for key, at in now.items() if self._revisions.get(key) != at]
            for each in changed:
                self._texts.pop((readers.kind, each), None)
            for reader in readers.read(changed) if changed else ():
                self._texts[readers.kind, reader.id] = _Text(readers.kind, reader)
            self._revisions |= now

    def _targets(self, table: Table) -> _Targets:
        """Return the table and the views that read it, each with the views on the way to it."""
        found: _Targets = {table.key: (table, ())}
        queue = [table]
        for source in queue:
            for view in self._views:
                made = view.makes
                if made is None or made.key in found or not view.holds(source.name):
                    continue
                if source.key in self._keys(view, _parsed(view).reads):
                    found[made.key] = made, (*found[source.key][1], made.reference)
                    queue.append(made)
        return found

    def _use(self, text: _Text, table: Table, targets: _Targets) -> Use | None:
        if text.makes == table or not any(text.holds(each.name) for each, _ in targets.values()):
            return None
        parsed = _parsed(text)
        read = [key for key in self._keys(text, parsed.reads) if key in targets]
        writes = table.key in self._keys(text, parsed.writes) and text.makes is None
        if not read and not writes:
            return None
        direct = writes or table.key in read
        through = () if direct else min((targets[key][1] for key in read), key=len)
        return Use(
            text.kind,
            text.reader.title,
            text.reader.page,
            text.reader.params,
            self._columns(text, table) if table.key in read else None,
            through,
            writes,
            parsed.parsed,
        )

    def _find(self, text: _Text, name: TableName) -> Table | None:
        if text.reader.on:
            return self._names.find_at(text.reader.on, name)
        return self._names.find(name, text.home)

    def _keys(self, text: _Text, names: Iterable[TableName]) -> list[Key]:
        found = (self._find(text, name) for name in names)
        return [each.key for each in found if each is not None]

    def _columns(self, text: _Text, table: Table) -> tuple[str, ...] | None:
        def find(name: TableName) -> tuple[Key, list[str]] | None:
            found = self._find(text, name)
            return None if found is None else (found.key, [each.name for each in found.columns])

        read = columns_read(text.reader.sql, table.key, find)
        names = [each.name for each in table.columns]
        return None if read is None else tuple(each for each in names if each in read)


def _parsed(text: _Text) -> References:
    if text.parsed is None:
        text.parsed = references(text.reader.sql)
    return text.parsed


def _views(reading: Reading, names: Names) -> Iterator[_Text]:
    for view in reading.remarks.views:
        made = names.find(TableName(*view.key))
        if made is not None:
            params = {"table": made.address}
            reader = Reader(made.address, made.reference, view.sql, "schema", params)
            yield _Text(VIEW, reader, (made.catalog, made.schema), made)
