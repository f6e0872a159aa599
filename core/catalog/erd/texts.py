"""A diagram as text: Mermaid's erDiagram, and DBML.

Names that a language cannot write are changed as little as it takes, and each stays a name of its
own; what was changed stands beside it as a comment where the language has room for one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from core.catalog.erd.diagram import Diagram, Entity, Field
from core.catalog.relations import End, Relation


def mermaid(diagram: Diagram) -> str:
    """Write a diagram for Mermaid (https://mermaid.js.org/syntax/entityRelationshipDiagram.html)."""
    names = _Names()
    lines = ["erDiagram"]
    for relation in diagram.relations:
        # One row of the parent, or none, leads to any number of the child's, or one.
        left = "|o" if relation.optional else "||"
        right = "o|" if relation.single else "o{"
        way = "--" if relation.declared else ".."
        parent, child = (names.of(_full(end)) for end in (relation.parent, relation.child))
        label = _plain(", ".join(relation.child.columns) + _share(relation))
        lines.append(f'    {parent} {left}{way}{right} {child} : "{label}"')
    for entity in diagram.entities:
        name = names.of(".".join(entity.place))
        lines += [f'    {name}["{_plain(entity.title)}"] {{', *_attributes(entity), "    }"]
    return "\n".join(lines) + "\n"


def _attributes(entity: Entity) -> Iterator[str]:
    names = _Names()
    for field in entity.fields:
        kind = re.sub(r"[^A-Za-z0-9_]+", "_", field.type).strip("_") or "unknown"
        kind = kind if kind[0].isalpha() else f"t_{kind}"
        name = names.of(field.name)
        keys = f" {', '.join(field.keys)}" if field.keys else ""
        note = f' "{_plain(field.name)}"' if name != field.name else ""
        yield f"        {kind} {name}{keys}{note}"


class _Names:
    """Words of letters, digits and underscores for names of any kind; no two names share one."""

    def __init__(self) -> None:
        self._words: dict[str, str] = {}
        self._taken: set[str] = set()

    def of(self, name: str) -> str:
        if name not in self._words:
            word = re.sub(r"[^A-Za-z0-9_]", "_", name)
            word = word if word[:1].isalpha() else f"n_{word}"
            free, number = word, 2
            while free.lower() in self._taken:
                free, number = f"{word}_{number}", number + 1
            self._taken.add(free.lower())
            self._words[name] = free
        return self._words[name]


def _full(end: End) -> str:
    return ".".join(end.place)


def _plain(text: str) -> str:
    """Leave out what would end a text in quotes, or be read as Markdown or an entity."""
    return re.sub(r"\s+", " ", re.sub(r'["%\\#;`<>]', "'", text)).strip() or "-"


def _share(relation: Relation) -> str:
    measured = relation.measured
    return "" if measured is None else f" ({100 * measured.confidence:.0f} percent found)"


def dbml(diagram: Diagram) -> str:
    """Write a diagram as DBML (https://dbml.dbdiagram.io/docs)."""
    lines = [f"// {_line(diagram.title)}"]
    for entity in diagram.entities:
        if not entity.fields:  # which DBML does not take
            lines += ["", f"// {_line(entity.title)}: no column is known"]
            continue
        lines += ["", f"Table {_table(entity.place)} {{"]
        primary = [field for field in entity.fields if "PK" in field.keys]
        lines += [f"  {_column(field, len(primary))}" for field in entity.fields]
        if len(primary) > 1:
            both = ", ".join(_quote(field.name) for field in primary)
            lines += ["  indexes {", f"    ({both}) [pk]", "  }"]
        if entity.comment:
            lines.append(f"  Note: {_note(entity.comment)}")
        lines.append("}")
    for relation in diagram.relations:
        if relation.parent.columns:
            lines += ["", *_reference(relation)]
    return "\n".join(lines) + "\n"


def _reference(relation: Relation) -> Iterator[str]:
    if not relation.declared:
        yield f"// inferred{_share(relation)}"
    sign = "-" if relation.single else ">"
    yield f"Ref: {_ends(relation.child)} {sign} {_ends(relation.parent)}"


def _column(field: Field, primary: int) -> str:
    settings = ["pk"] if primary == 1 and "PK" in field.keys else []
    if "UK" in field.keys and len(field.keys) == 1:
        settings.append("unique")
    if not field.nullable:
        settings.append("not null")
    said = f" [{', '.join(settings)}]" if settings else ""
    kind = field.type or "unknown"
    # DECIMAL(9, 2) may stand bare; what has spaces or is nested may not.
    kind = kind if re.fullmatch(r"\w+(\(\d+(,\s?\d+)?\))?", kind) else _quote(kind)
    return f"{_quote(field.name)} {kind}{said}"


def _table(place: tuple[str, str, str]) -> str:
    """Name a table by two parts, which is all that DBML has: its catalog goes with its schema."""
    catalog, schema, name = place
    return f"{_quote(catalog if schema == 'main' else f'{catalog}.{schema}')}.{_quote(name)}"


def _ends(end: End) -> str:
    names = [_quote(name) for name in end.columns]
    return f"{_table(end.place)}." + (names[0] if len(names) == 1 else f"({', '.join(names)})")


def _quote(name: str) -> str:
    r"""Quote a name. DBML takes \" for a quote in one, and no line break at all."""
    return '"' + re.sub(r"\s", " ", name).replace("\\", "\\\\").replace('"', '\\"') + '"'


def _note(text: str) -> str:
    return "'" + _line(text).replace("\\", "\\\\").replace("'", "\\'") + "'"


def _line(text: str) -> str:
    return re.sub(r"\s+", " ", text)
