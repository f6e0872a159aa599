"""Diagrams and the forms they are written in, of schemas as people have them and of bad ones."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest

from connectors.sqlite import Sqlite
from core.catalog.erd.diagram import Diagram, Wish, compose
from core.catalog.erd.svg import render
from core.catalog.erd.texts import dbml, mermaid
from core.catalog.relations import End, Overlap, Relation, declared

SCHEMAS = Path(__file__).resolve().parents[2] / "schemas"
SVG = "{http://www.w3.org/2000/svg}"

ODD = """
CREATE TABLE "a ""b"".c" (
    id INTEGER PRIMARY KEY, "<script>alert(1)</script>" INT REFERENCES "🦆 pond" (id),
    self INT REFERENCES "a ""b"".c", x INT, y INT, "x y" DOUBLE PRECISION, "x-y" TEXT,
    FOREIGN KEY (x, y) REFERENCES "order" ("select", "from")
);
CREATE TABLE "🦆 pond" (
    id INTEGER PRIMARY KEY, back INT REFERENCES "a ""b"".c", back2 INT REFERENCES "a ""b"".c"
);
CREATE TABLE "order" ("select" INT, "from" INT, PRIMARY KEY ("select", "from"));
CREATE TABLE dangling (a INT REFERENCES nowhere (x), b INT REFERENCES keyless);
CREATE TABLE keyless (z);
"""


@pytest.fixture
def diagram(tmp_path):
    def make(schema: str, **wish) -> Diagram:
        path = tmp_path / "made.db"
        with closing(sqlite3.connect(path)) as db:
            db.executescript(schema if "CREATE" in schema else _read(schema))
        told = Sqlite().structures(Sqlite.Options(path=str(path)), None, None)
        tables = [("db", each) for each in told]
        home = wish.pop("home", [each.name for each in told])
        named = [("db", "main", name) for name in home]
        return compose(tables, declared(tables), Wish("made", named, **wish))

    return make


def _read(schema: str) -> str:
    return (SCHEMAS / f"{schema}.sql").read_text(encoding="utf-8")


def titles(diagram: Diagram) -> set[str]:
    return {each.title for each in diagram.entities}


def test_a_diagram_has_all_tables_with_their_keys(diagram):
    shop = diagram("record_shop")
    assert (len(shop.entities), len(shop.relations), shop.left_out) == (11, 11, 0)
    (line,) = [each for each in shop.entities if each.title == "PlaylistTrack"]
    assert [(each.name, each.keys) for each in line.fields] == [
        ("PlaylistId", ("PK", "FK")),
        ("TrackId", ("PK", "FK")),
    ]
    (track,) = [each for each in shop.entities if each.title == "Track"]
    assert (len(track.fields), track.more) == (4, 5)


def test_all_columns_are_shown_if_wished(diagram):
    (track,) = diagram("record_shop", home=["Track"], hops=0, whole=True).entities
    assert (len(track.fields), track.more) == (9, 0)


@pytest.mark.parametrize(
    ("hops", "expected"),
    [
        (0, {"city"}),
        (1, {"city", "country", "address"}),
        (2, {"city", "country", "address", "customer", "staff", "store"}),
    ],
)
def test_what_is_around_a_table_is_what_its_keys_lead_to_and_from(diagram, hops, expected):
    assert titles(diagram("film_rental", home=["city"], hops=hops)) == expected


def test_too_many_tables_are_counted_and_the_best_connected_are_drawn(diagram):
    made = "CREATE TABLE hub (id INTEGER PRIMARY KEY);" + "".join(
        f"CREATE TABLE t{at:03} (id INTEGER PRIMARY KEY, hub INT {'REFERENCES hub' * (at > 480)});"
        for at in range(499)
    )
    big = diagram(made, shown=10)
    assert (len(big.entities), big.left_out) == (10, 490)
    assert titles(big) == {"hub", *(f"t{at}" for at in range(481, 490))}


def test_no_tables_are_an_empty_diagram():
    empty = compose([], [], Wish("nothing"))
    assert empty == Diagram("nothing", (), ())
    ElementTree.fromstring(render(empty))
    assert mermaid(empty) == "erDiagram\n"
    assert dbml(empty) == "// nothing\n"


@pytest.mark.parametrize("schema", ["record_shop", "film_rental", ODD])
def test_svg_is_xml_that_holds_every_table_and_relation_and_nothing_that_runs(diagram, schema):
    drawn = diagram(schema)
    root = ElementTree.fromstring(render(drawn))
    groups = [each.get("class") for each in root.iter(f"{SVG}g")]
    assert groups.count("table") == len(drawn.entities)
    assert groups.count("relation") == len(drawn.relations)
    known = {"svg", "title", "style", "rect", "g", "path", "circle", "text"}
    assert {each.tag.removeprefix(SVG) for each in root.iter()} <= known
    attributes = {name for each in root.iter() for name in each.attrib}
    assert not [each for each in attributes if each.startswith("on") or "href" in each]
    written = {each.text for each in root.iter(f"{SVG}text")} | {
        each.text for each in root.iter(f"{SVG}title")
    }
    assert titles(drawn) <= written


def test_svg_tells_what_it_cut_and_takes_names_that_xml_cannot_write(diagram):
    drawn = diagram('CREATE TABLE "%s" (a INTEGER PRIMARY KEY)' % ("x" * 63))
    root = ElementTree.fromstring(render(drawn))
    assert "x" * 63 in [each.text for each in root.iter(f"{SVG}title")]
    entity = replace(drawn.entities[0], title="a\x00b\x1f]]>&amp;")
    root = ElementTree.fromstring(render(replace(drawn, entities=(entity,))))
    assert "a\ufffdb\ufffd]]>&amp;" in [each.text for each in root.iter(f"{SVG}text")]


def test_an_inferred_relation_is_dashed_and_says_how_sure_it_is(diagram):
    drawn = diagram(ODD, home=["keyless", "order"], hops=0)
    guess = Relation(
        End("db", "main", "order", ("select",)),
        End("db", "main", "keyless", ("z",)),
        declared=False,
        measured=Overlap(4, 3),
    )
    drawn = replace(drawn, relations=(guess,))
    assert 'class="way line guess"' in render(drawn)
    assert ">75 %<" in render(drawn)
    assert 'db_main_keyless |o..o{ db_main_order : "select (75 percent found)"' in mermaid(drawn)
    assert "// inferred (75 percent found)" in dbml(drawn)


def test_mermaid_writes_what_leads_to_what(diagram):
    told = mermaid(diagram("film_rental"))
    assert 'db_main_language ||--o{ db_main_film : "language_id"' in told
    assert 'db_main_language |o--o{ db_main_film : "original_language_id"' in told
    assert 'db_main_film ||--o| db_main_film_text : "film_id"' in told
    assert '    db_main_payment["payment"] {\n        TIMESTAMP payment_date PK\n' in told


def test_mermaid_has_only_words_that_it_can_read_and_each_name_its_own(diagram):
    told = mermaid(diagram(ODD, whole=True))
    word = "[A-Za-z][A-Za-z0-9_]*"
    line = (
        rf'erDiagram|    {word}\["[^"]+"\] \{{|    \}}|'
        rf"    {word} [|o]{{2}}--o[{{|] {word} : \"[^\"]+\"|"
        rf'        {word} {word}( (PK|UK|FK)(, (PK|UK|FK))*)?( "[^"]+")?'
    )
    for each in told.splitlines():
        assert re.fullmatch(line, each), each
    assert 'DOUBLE_PRECISION x_y "x y"' in told
    assert 'TEXT x_y_2 "x-y"' in told
    assert "<" not in told


def test_dbml_quotes_names_and_tells_keys_of_several_columns(diagram):
    told = dbml(diagram(ODD, whole=True))
    assert r'Table "db"."a \"b\".c" {' in told
    assert '    ("select", "from") [pk]' in told
    assert (
        r'Ref: "db"."a \"b\".c".("x", "y") > "db"."order".("select", "from")' in told.splitlines()
    )
    assert r'Ref: "db"."a \"b\".c"."self" > "db"."a \"b\".c"."id"' in told
    assert '  "x y" "DOUBLE PRECISION"' in told
    assert "nowhere" not in told


def test_dbml_tells_a_single_row_a_need_and_what_is_unique(diagram):
    told = dbml(diagram("film_rental", whole=True))
    assert 'Ref: "db"."film_text"."film_id" - "db"."film"."film_id"' in told
    assert '  "language_id" INTEGER [not null]' in told
    assert '  "rental_rate" DECIMAL(4, 2) [not null]' in told
