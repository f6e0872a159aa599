"""The documentation of a schema: whole in itself, and safe whatever things are called."""

from __future__ import annotations

from html.parser import HTMLParser

from core.catalog.document import document
from core.catalog.erd.diagram import Wish, compose
from core.catalog.relations import declared
from core.structure import Constraint, Index, Structure, StructuredColumn, Target

EVIL = "</script><script>alert(1)</script>\"'><img src=x onerror=alert(2)>"

PONDS = Structure(
    "main",
    "ponds",
    comment="All that hold water",
    sql="CREATE TABLE ponds (id INTEGER)",
    rows=2,
    columns=(
        StructuredColumn("id", "INTEGER", False),
        StructuredColumn("name", "VARCHAR", True, "'new'", "as on the map"),
    ),
    constraints=(Constraint("PRIMARY KEY", ("id",), "PRIMARY KEY(id)"),),
    indexes=(Index("by_name", False, "CREATE INDEX by_name ON ponds (name)", ("name",)),),
)
DEPTHS = Structure(
    "main",
    EVIL,
    comment=EVIL,
    sql=EVIL,
    columns=(StructuredColumn(EVIL, EVIL, True, EVIL, EVIL, EVIL), StructuredColumn("p", "INT")),
    constraints=(Constraint("FOREIGN KEY", ("p",), EVIL, Target("main", "ponds", ("id",)), EVIL),),
    indexes=(Index(EVIL, True, EVIL),),
)


class Page(HTMLParser):
    """What a browser would make of a page: its tags, its texts, its attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.words = ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data):
        self.words += data


def page(*tables: Structure) -> Page:
    described = [("db", each) for each in tables]
    relations = declared(described)
    places = [("db", "main", each.name) for each in tables]
    return Page(
        document(described, relations, compose(described, relations, Wish("My db", places)))
    )


def test_it_tells_all_that_is_known_of_a_table():
    found = page(PONDS)
    for word in (
        *("My db", "1 table, as of ", "ponds", "All that hold water", "about 2 rows", "not null"),
        *("'new'", "primary key", "as on the map", "by_name", "CREATE TABLE ponds (id INTEGER)"),
    ):
        assert word in found.words


def test_relations_lead_from_table_to_table():
    found = page(PONDS, DEPTHS)
    assert "References" in found.words
    assert "Referenced by" in found.words
    links = [value for name, value in found.attributes if name == "href"]
    ids = {value for name, value in found.attributes if name == "id"}
    assert links == ["#t0", "#t1", "#t1", "#t0"]
    assert {link.removeprefix("#") for link in links} <= ids


def test_no_name_comment_or_sql_becomes_markup():
    found = page(PONDS, DEPTHS)
    assert found.tags.count("script") == 1
    assert "img" not in found.tags
    assert not [name for name, _ in found.attributes if name.startswith("on")]
    assert EVIL in found.words


def test_it_loads_nothing_and_runs_its_own_script_alone():
    found = page(PONDS)
    assert not {"link", "iframe", "object", "base", "form"} & set(found.tags)
    assert not [value for name, value in found.attributes if name in ("src", "srcset", "action")]
    (policy,) = [value for _, value in found.attributes if value and "default-src" in value]
    assert policy.startswith("default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-")


def test_what_would_turn_a_line_around_is_not_written():
    found = page(Structure("main", "a\u202eb\x00c", columns=(StructuredColumn("x", "INT"),)))
    assert "a\ufffdb\ufffdc" in found.words


def test_a_source_without_tables_is_an_empty_page():
    assert "0 tables" in page().words
