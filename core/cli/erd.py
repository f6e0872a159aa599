"""Write diagrams for `millpond erd`: the tables of a source, a schema or around one table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from core.access import LOCAL_OWNER
from core.catalog.book import CatalogBook
from core.catalog.erd.diagram import Diagram, Wish
from core.catalog.erd.svg import render
from core.catalog.erd.texts import dbml, mermaid
from core.catalog.models import Catalog, Table
from core.catalog.related import RelationBook, Relations, Scope
from core.catalog.service import Catalogs
from core.cli.query import written
from core.cli.room import open_engine, read_settings
from core.errors import InvalidInput, NotFound
from core.workbench import Workbench

WRITERS: dict[str, Callable[[Diagram], str]] = {"svg": render, "mermaid": mermaid, "dbml": dbml}
_SUFFIXES = {
    ".svg": "svg",
    ".mmd": "mermaid",
    ".mermaid": "mermaid",
    ".dbml": "dbml",
    ".html": "html",
}


@dataclass(frozen=True)
class Ask:
    """What was typed: `place` is CATALOG or CATALOG.SCHEMA, `table` a name as SQL has it."""

    place: str
    table: str
    hops: int
    format: str
    out: Path | None
    inferred: bool
    keys_only: bool
    shown: int

    @property
    def form(self) -> str:
        """The format that was asked for, or that --out ends in, else SVG."""
        named = _SUFFIXES.get(self.out.suffix.lower(), "") if self.out else ""
        return self.format or named or "svg"


def draw(ask: Ask) -> None:
    """Write one diagram. Raises NotFound where there is no such table, and what cannot be told."""
    workbench = Workbench.open(read_settings(), spares=False)
    try:
        with open_engine(workbench) as engine:
            catalogs = Catalogs(CatalogBook(engine), LOCAL_OWNER)
            relations = Relations(RelationBook(), catalogs, engine, LOCAL_OWNER)
            text = _text(ask, catalogs.whole(), relations)
    finally:
        workbench.close()
    if ask.out is None:
        click.echo(text, nl=False)
        return
    with written(ask.out) as part:
        part.write_text(text, encoding="utf-8")


def _text(ask: Ask, catalogs: Sequence[Catalog], relations: Relations) -> str:
    if ask.table:
        table = _table(ask.table, ask.place, catalogs)
        scope = Scope(table.catalog, table.schema, table.name)
        title, hops = table.name, ask.hops
    else:
        scope, hops = _scope(ask.place, catalogs), 1
        title = ask.place or scope.catalog
    if ask.inferred:
        _measure(relations, scope)
    if ask.form == "html":
        return relations.document(scope, title, inferred=ask.inferred)
    wish = Wish(title, hops=hops, whole=not ask.keys_only, shown=ask.shown)
    diagram = relations.diagram(scope, wish, inferred=ask.inferred)
    if diagram.left_out:
        total = len(diagram.entities) + diagram.left_out
        click.echo(f"{len(diagram.entities)} of {total} tables; --tables draws more.", err=True)
    return WRITERS[ask.form](diagram)


def _measure(relations: Relations, scope: Scope) -> None:
    measuring = relations.inferred(scope)
    try:
        measuring.wait()
    except KeyboardInterrupt:
        measuring.cancel()
        measuring.wait(2)
        raise
    if measuring.failed and measuring.problem is not None:
        reason = measuring.problem.message
        click.echo(f"{measuring.failed} guesses could not be measured: {reason}", err=True)


def _scope(place: str, catalogs: Sequence[Catalog]) -> Scope:
    """Find what CATALOG or CATALOG.SCHEMA names; both may have dots. Raises NotFound."""
    if not place and len(catalogs) == 1:
        return Scope(catalogs[0].name)
    if not place:
        raise InvalidInput(
            "There are several sources; name one.", hint=f"They are {_names(catalogs)}."
        )
    scopes = {each.name: Scope(each.name) for each in catalogs}
    for catalog in catalogs:
        for schema in catalog.schemas:
            scopes.setdefault(f"{catalog.name}.{schema.name}", Scope(catalog.name, schema.name))
    if place not in scopes:
        raise NotFound(f"There is no source {place}.", hint=f"There are {_names(catalogs)}.")
    return scopes[place]


def _table(name: str, place: str, catalogs: Sequence[Catalog]) -> Table:
    within = _scope(place, catalogs) if place else None
    tables = [table for catalog in catalogs for table in catalog.tables]
    for table in tables:
        here = within is None or within.holds((table.catalog, table.schema, table.name))
        if here and name in (table.address, table.reference, table.name):
            return table
    raise NotFound(f"There is no table {name}.", hint="`millpond erd SOURCE` draws all of one.")


def _names(catalogs: Sequence[Catalog]) -> str:
    return ", ".join(sorted(each.name for each in catalogs)) or "none with tables"
