"""A diagram as SVG: whole in itself, without scripts, and with every name escaped.

Signs at the ends of lines are crow's feet: a foot for many rows, a bar for one, a ring for none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from unicodedata import east_asian_width
from xml.sax.saxutils import escape, quoteattr

from core.catalog.erd.diagram import Diagram, Entity, Field
from core.catalog.erd.layout import Point, lay_out
from core.catalog.relations import Relation

_ROW, _HEAD, _PAD, _MARGIN = 20, 28, 10, 24
_KEY = 26
"""Pixels of the column that says PK or FK; one that says both takes more."""
_LONGEST = 34
"""Characters of a name that are shown; the whole name is its tooltip."""

COLOURS = {
    "paper": "#ffffff", "box": "#ffffff", "head": "#e3efed", "edge": "#8aa39f", "ink": "#16211f",
    "soft": "#5b6b68", "line": "#4d6b66", "guess": "#b3591b", "home": "#0d6e66",
}  # fmt: skip
"""Colours by what they are of, for paper; a page gives its own, which may be CSS variables."""

# XML has no way at all to write these.
_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True)
class _Box:
    entity: Entity
    x: float
    y: float
    width: float
    height: float

    def row(self, columns: Sequence[str]) -> float:
        """Return the height of the first column's line; of one that is not shown, the last's."""
        names = [field.name for field in self.entity.fields]
        at = names.index(columns[0]) if {*columns[:1]} & {*names} else len(names)
        return self.y + min(_HEAD + _ROW * (at + 0.5), self.height - _ROW / 2)


def render(diagram: Diagram, colours: Mapping[str, str] = COLOURS) -> str:
    """Draw a diagram. Each table is a group with its address in `data-table`."""
    places = {entity.place: at for at, entity in enumerate(diagram.entities)}
    sizes = [_size(entity) for entity in diagram.entities]
    pairs = [(places[each.child.place], places[each.parent.place]) for each in diagram.relations]
    layout = lay_out(sizes, pairs)
    boxes = [
        _Box(entity, x + _MARGIN, y + _MARGIN, *size)
        for entity, (x, y), size in zip(diagram.entities, layout.corners, sizes, strict=True)
    ]
    width, height = (round(each + 2 * _MARGIN) for each in (layout.width, layout.height))
    lines = [
        line
        for relation, pair in zip(diagram.relations, pairs, strict=True)
        for line in _line(relation, boxes[pair[0]], boxes[pair[1]], layout.ways.get(pair, ()))
    ]
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
            f'width="{width}" height="{height}" role="img" class="erd">',
            f"<title>{_text(diagram.title)}</title>",
            f"<style>{_style(colours)}</style>",
            f'<rect class="paper" width="{width}" height="{height}"/>',
            *lines,
            *(line for box in boxes for line in _table(box)),
            "</svg>",
            "",
        ]
    )


def _style(colours: Mapping[str, str]) -> str:
    c = {**COLOURS, **colours}
    return (
        ".erd text{font:12px system-ui,-apple-system,'Segoe UI',Roboto,sans-serif;"
        f"fill:{c['ink']}}}"
        f".erd .paper{{fill:{c['paper']}}}"
        f".erd .box{{fill:{c['box']};stroke:{c['edge']}}}.erd .head{{fill:{c['head']}}}"
        ".erd .name{font-weight:600}"
        f".erd .soft{{fill:{c['soft']};font-size:11px}}"
        f".erd .key{{fill:{c['home']};font-size:10px;font-weight:600}}"
        f".erd .line{{fill:none;stroke:{c['line']};stroke-width:1.3}}"
        f".erd .guess{{stroke:{c['guess']}}}.erd path.way.guess{{stroke-dasharray:6 4}}"
        f".erd .ring{{fill:{c['paper']}}}.erd .share{{fill:{c['guess']};font-size:10px;"
        f"paint-order:stroke;stroke:{c['paper']};stroke-width:3px}}"
    )


def _size(entity: Entity) -> Point:
    rows = len(entity.fields) + (entity.more > 0)
    names = [_key(entity) + _width(_cut(field.name)) + 16 + _width(_cut(field.type)) * 0.92
             for field in entity.fields]  # fmt: skip
    wide = max([120, _width(_cut(entity.title)) * 1.12, *names]) + 2 * _PAD
    return round(wide), _HEAD + _ROW * rows + (4 if rows else 0)


def _key(entity: Entity) -> float:
    return _KEY * (1.65 if any(len(field.keys) > 1 for field in entity.fields) else 1)


def _table(box: _Box) -> Iterator[str]:
    entity = box.entity
    yield f'<g class="table" data-table={_attribute(entity.address)}>'
    columns = ", ".join(field.name for field in entity.fields)
    yield f"<title>{_text(f'{entity.address}: {entity.comment or columns}')}</title>"
    frame = f'x="{box.x:g}" y="{box.y:g}" width="{box.width:g}"'
    yield f'<rect class="box" {frame} height="{box.height:g}" rx="4"/>'
    dashes = ' stroke-dasharray="4 3"' if entity.kind == "view" else ""
    yield f'<rect class="head box" {frame} height="{_HEAD}" rx="4"{dashes}/>'
    yield _write(box.x + _PAD, box.y + 18, entity.title, "name")
    for at, field in enumerate(entity.fields):
        yield from _field(box, field, box.y + _HEAD + _ROW * at + 15)
    if entity.more:
        rest = f"{entity.more} more column" + ("s" if entity.more > 1 else "")
        y = box.y + _HEAD + _ROW * len(entity.fields) + 15
        yield _write(box.x + _PAD + _key(entity), y, rest, "soft")
    yield "</g>"


def _field(box: _Box, field: Field, y: float) -> Iterator[str]:
    if field.keys:
        yield _write(box.x + _PAD, y, " ".join(field.keys[:2]), "key")
    yield _write(box.x + _PAD + _key(box.entity), y, field.name, "")
    if field.type:
        yield _write(box.x + box.width - _PAD, y, field.type, "soft", end=True)


def _write(x: float, y: float, text: str, kind: str, *, end: bool = False) -> str:
    anchor = ' text-anchor="end"' if end else ""
    shown = _cut(text)
    whole = f"<title>{_text(text)}</title>" if shown != text else ""
    named = f' class="{kind}"' if kind else ""
    return f'<text x="{x:g}" y="{y:g}"{named}{anchor}>{whole}{_text(shown)}</text>'


def _line(relation: Relation, child: _Box, parent: _Box, way: Sequence[Point]) -> Iterator[str]:
    """Draw a relation from the child's column to the parent's, with the signs at both ends."""
    start_y, end_y = child.row(relation.child.columns), parent.row(relation.parent.columns)
    kind = "line" if relation.declared else "line guess"
    leftward = parent.x < child.x
    out, into = (-1, 1) if leftward else (1, -1)
    start = child.x if leftward else child.x + child.width
    end = parent.x + parent.width if leftward else parent.x
    if child is parent:
        end, into, away = start, 1, start + 34
        path = f"C{away:g} {start_y:g} {away:g} {end_y:g} {end:g} {end_y:g}"
    else:
        points = [(x + _MARGIN, y + _MARGIN) for x, y in way]
        path = _curve([(start, start_y), *points, (end, end_y)])
    yield f'<g class="relation"><title>{_text(_told(relation))}</title>'
    yield f'<path class="way {kind}" d="M{start:g} {start_y:g}{path}"/>'
    yield (_bar if relation.single else _foot)(start, start_y, out, kind)
    yield _ring(start, start_y, out, kind)
    yield _bar(end, end_y, into, kind)
    yield (
        _ring(end, end_y, into, kind)
        if relation.optional
        else _bar(end + 4 * into, end_y, into, kind)
    )
    measured = relation.measured
    if measured is not None and measured.found < measured.looked:
        share = f"{100 * measured.confidence:.0f} %"
        yield _write(start + 22 * out, start_y - 4, share, "share", end=out < 0)
    yield "</g>"


def _curve(points: Sequence[Point]) -> str:
    """Bend from point to point, level at each."""
    path = ""
    for (x, y), (to_x, to_y) in pairwise(points):
        middle = (x + to_x) / 2
        bend = f"C{middle:g} {y:g} {middle:g} {to_y:g} " if y != to_y else "L"
        path += f"{bend}{to_x:g} {to_y:g}"
    return path


def _foot(x: float, y: float, away: int, kind: str) -> str:
    tip = x + 11 * away
    return (
        f'<path class="{kind}" d="M{tip:g} {y:g}L{x:g} {y - 5:g}M{tip:g} {y:g}L{x:g} {y + 5:g}"/>'
    )


def _bar(x: float, y: float, away: int, kind: str) -> str:
    return f'<path class="{kind}" d="M{x + 7 * away:g} {y - 5:g}V{y + 5:g}"/>'


def _ring(x: float, y: float, away: int, kind: str) -> str:
    return f'<circle class="ring {kind}" cx="{x + 15 * away:g}" cy="{y:g}" r="3.5"/>'


def _told(relation: Relation) -> str:
    child, parent = relation.child, relation.parent
    words = f"{child.reference} ({', '.join(child.columns)}) leads to "
    words += f"{parent.reference} ({', '.join(parent.columns)})"
    if relation.measured is None:
        return words
    return (
        f"{words}: {relation.measured.found:,} of {relation.measured.looked:,} values found there"
    )


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def _width(text: str) -> float:
    """Guess the width in pixels: nobody knows which font a reader has."""
    return sum(
        12.5 if east_asian_width(sign) in "WF" else
        4 if sign in "ijltfI.,:;|'()[] " else 11 if sign in "mwMW@%" else
        8.6 if sign.isupper() else 7
        for sign in text
    )  # fmt: skip


def _text(text: str) -> str:
    return escape(_FORBIDDEN.sub("\N{REPLACEMENT CHARACTER}", text))


def _attribute(text: str) -> str:
    return quoteattr(_FORBIDDEN.sub("\N{REPLACEMENT CHARACTER}", text))
