"""The documentation of a schema as one HTML file: to be kept, sent and printed.

It loads nothing from anywhere and every text in it is escaped; its policy lets the browser run the
one script below and no other, whatever somebody called a column.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from html import escape

from core.catalog.erd.diagram import Diagram
from core.catalog.erd.svg import render
from core.catalog.naming import Place
from core.catalog.relations import Described, End, Relation
from core.structure import Structure

_SCRIPT = """
const box = document.querySelector("input");
const all = [...document.querySelectorAll("[data-words]")];
box.addEventListener("input", () => {
  const words = box.value.toLowerCase().split(/\\s+/).filter(Boolean);
  for (const each of all) each.hidden = !words.every((word) => each.dataset.words.includes(word));
  document.querySelector("#none").hidden = all.some((each) => !each.hidden);
});
for (const each of document.querySelectorAll("svg [data-table]")) {
  const there = document.querySelector(`section[data-table="${CSS.escape(each.dataset.table)}"]`);
  if (there) each.addEventListener("click", () => there.scrollIntoView());
}
"""

_STYLE = """
:root { color-scheme: light dark; --paper: light-dark(#fff, #101817);
  --ink: light-dark(#16211f, #e4eeec);
  --soft: light-dark(#56645f, #a3b3ae); --rule: light-dark(#cfdad7, #34413f);
  --head: light-dark(#eef4f3, #1b2624); --link: light-dark(#0d6e66, #5cc7bb);
  --guess: light-dark(#a8501a, #e8a06f); }
body { margin: 0 auto; max-width: 1100px; padding: 1.5rem; background: var(--paper);
  color: var(--ink); font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
h2 { margin: 2.2rem 0 0.2rem; overflow-wrap: anywhere; }
p, .soft { color: var(--soft); margin: 0.2rem 0; }
a { color: var(--link); }
input { width: 100%; box-sizing: border-box; font: inherit; padding: 0.5rem; margin: 0.8rem 0;
  color: inherit; background: var(--head); border: 1px solid var(--rule); border-radius: 6px; }
nav { columns: 16rem; font-size: 0.93em; }
nav a { display: block; overflow: hidden; text-overflow: ellipsis; }
nav a[hidden] { display: none; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; margin: 0.6rem 0; font-size: 0.93em; }
th, td { text-align: left; vertical-align: top; padding: 0.25rem 0.6rem;
  border-bottom: 1px solid var(--rule); overflow-wrap: break-word; }
th { background: var(--head); }
pre { background: var(--head); padding: 0.7rem; overflow-x: auto; white-space: pre-wrap; }
svg { max-width: 100%; height: auto; border: 1px solid var(--rule); margin: 0.8rem 0; }
svg .table { cursor: pointer; }
@media print { input, nav { display: none; } section { break-inside: avoid-page; }
  details:not([open]) { display: none; } }
"""

_COLOURS = {
    "paper": "var(--paper)", "box": "var(--paper)", "head": "var(--head)", "edge": "var(--soft)",
    "ink": "var(--ink)", "soft": "var(--soft)", "line": "var(--soft)", "guess": "var(--guess)",
    "home": "var(--link)",
}  # fmt: skip

_UNSEEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\u202a-\u202e\u2066-\u2069]")
"""What a browser cannot show, and what would turn a line around."""


def document(tables: Sequence[Described], relations: Sequence[Relation], diagram: Diagram) -> str:
    """Write tables, how they are related, and a diagram of them, as one page of HTML."""
    anchors = {_place(each): f"t{at}" for at, each in enumerate(tables)}
    key = b64encode(sha256(_SCRIPT.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{key}'"
    number = f"{len(tables):,} table" + ("" if len(tables) == 1 else "s")
    left = f" The diagram shows {len(diagram.entities)} of them." if diagram.left_out else ""
    return "\n".join(
        [
            "<!doctype html>",
            '<html lang="en"><head><meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{escape(policy)}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{_text(diagram.title)}</title><style>{_STYLE}</style></head><body>",
            f"<h1>{_text(diagram.title)}</h1>",
            f"<p>{number}, as of {datetime.now(UTC):%Y-%m-%d %H:%M} UTC.{left}</p>",
            render(diagram, _COLOURS),
            '<input type="search" placeholder="Search tables, columns and comments"',
            ' aria-label="Search tables, columns and comments">',
            '<p id="none" hidden>Nothing has all of these words.</p>',
            "<nav>",
            *(
                f'<a href="#{anchors[_place(each)]}" {_words(each[1])}>{_text(_name(each))}</a>'
                for each in tables
            ),
            "</nav>",
            *(line for each in tables for line in _section(each, relations, anchors)),
            f"<script>{_SCRIPT}</script></body></html>",
            "",
        ]
    )


def _section(
    described: Described, relations: Sequence[Relation], anchors: Mapping[Place, str]
) -> Iterator[str]:
    place, (_, table) = _place(described), described
    address = End(*place, columns=()).address
    yield (
        f'<section id="{anchors[place]}" data-table="{_text(address)}" {_words(table)}>'
        f"<h2>{_text(_name(described))}</h2>"
    )
    facts = [table.kind, *([f"about {table.rows:,} rows"] if table.rows is not None else [])]
    yield f"<p>{' · '.join(facts)}</p>"
    if table.comment:
        yield f"<div>{_text(table.comment)}</div>"
    yield from _grid(
        ("Column", "Type", "Null", "Default", "Key", "Comment"),
        [
            (
                column.name,
                column.declared or column.type,
                "" if column.nullable else "not null",
                column.default,
                ", ".join(table.keys(column.name)).lower(),
                column.comment,
            )
            for column in table.columns
        ],
    )
    leaving = [each for each in relations if each.child.place == place]
    coming = [each for each in relations if each.parent.place == place]
    yield from _related("References", [(each, each.parent) for each in leaving], anchors)
    yield from _related("Referenced by", [(each, each.child) for each in coming], anchors)
    if table.indexes:
        rows = [(each.name, "unique" if each.unique else "", each.sql) for each in table.indexes]
        yield from _grid(("Index", "", "SQL"), rows)
    if table.sql:
        yield f"<details><summary>Definition</summary><pre>{_text(table.sql)}</pre></details>"
    yield "</section>"


def _related(
    title: str, found: Sequence[tuple[Relation, End]], anchors: Mapping[Place, str]
) -> Iterator[str]:
    if not found:
        return
    yield f"<p>{title}</p><ul>"
    for relation, other in found:
        name = _text(other.reference)
        anchor = anchors.get(other.place)
        link = f'<a href="#{anchor}">{name}</a>' if anchor else name
        child, parent = (", ".join(each.columns) for each in (relation.child, relation.parent))
        known = "" if relation.measured is None else (
            f' <span class="soft">inferred: {relation.measured.found:,} of '
            f"{relation.measured.looked:,} values found</span>")  # fmt: skip
        yield f"<li>{link}: {_text(child)} → {_text(parent)}{known}</li>"
    yield "</ul>"


def _grid(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Write a table without the columns that say nothing."""
    kept = [at for at in range(len(heads)) if at == 0 or any(row[at] for row in rows)]
    yield '<div class="scroll"><table><tr>'
    yield "".join(f"<th>{heads[at]}</th>" for at in kept) + "</tr>"
    for row in rows:
        yield "<tr>" + "".join(f"<td>{_text(row[at])}</td>" for at in kept) + "</tr>"
    yield "</table></div>"


def _words(table: Structure) -> str:
    """Give what the search looks in, in lower case."""
    told = [table.schema, table.name, table.comment]
    told += [word for each in table.columns for word in (each.name, each.comment)]
    return f'data-words="{_text(" ".join(filter(None, told)).lower())}"'


def _place(described: Described) -> Place:
    catalog, table = described
    return catalog, table.schema, table.name


def _name(described: Described) -> str:
    _, table = described
    return table.name if table.schema == "main" else f"{table.schema}.{table.name}"


def _text(text: str) -> str:
    return escape(_UNSEEN.sub("\N{REPLACEMENT CHARACTER}", text))
