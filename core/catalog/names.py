"""Which table a name in SQL means, found as the engine finds it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from core.catalog.models import FILES, WORKSPACE, Catalog, Table
from core.engine.lexer import fold
from core.engine.references import TableName

_MAIN = "main"


class Names:
    """The tables of one state of the catalog, by name. Capitals do not matter, quoted or not."""

    def __init__(self, catalogs: Iterable[Catalog]) -> None:
        self._tables: dict[tuple[str, str, str], list[Table]] = {}
        self._schemas: dict[tuple[str, str], set[str]] = {}
        for table in (table for catalog in catalogs for table in catalog.tables):
            catalog, schema, name = (fold(each) for each in table.key)
            self._tables.setdefault((catalog, schema, name), []).append(table)
            self._schemas.setdefault((catalog, name), set()).add(schema)

    def find(self, name: TableName, home: tuple[str, str] | None = None) -> Table | None:
        """Find the table that a name means; `home` is where the SQL of a view looks first."""
        return self._first(name, self._places(name, home))

    def find_at(self, source: str, name: TableName) -> Table | None:
        """Find the table that a name means in SQL that a source's own engine runs."""
        _, schema, table = name.folded
        schemas = {schema} if schema else self._schemas.get((fold(source), table), set())
        # Which of several a bare name means, the source's own search path tells.
        places = [(fold(source), each, table) for each in schemas] if len(schemas) == 1 else []
        return self._first(name, places)

    def _first(self, name: TableName, places: Iterable[tuple[str, str, str]]) -> Table | None:
        for place in places:
            if found := self._tables.get(place):
                # In other systems "A" and "a" may be two.
                same = [each for each in found if each.name == name.name]
                return (same or found)[0]
        return None

    def _places(
        self, written: TableName, home: tuple[str, str] | None
    ) -> Iterator[tuple[str, str, str]]:
        catalog, schema, name = written.folded
        path = [(WORKSPACE, _MAIN), (FILES, _MAIN)]
        if home is not None:
            path.insert(0, (fold(home[0]), fold(home[1])))
        if catalog:
            yield catalog, schema, name
        elif not schema:
            for catalog, schema in path:
                yield catalog, schema, name
        else:
            for catalog, _ in path:
                yield catalog, schema, name
            yield schema, _MAIN, name
            # The first schema of another system has a name of its own, as "public".
            if len(only := self._schemas.get((schema, name), set())) == 1:
                yield schema, min(only), name
