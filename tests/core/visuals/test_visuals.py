"""Charts of real results: the engine's answer, and the figure's JSON, in light and dark."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import duckdb
import polars as pl
import pytest

from core.engine.results import Column
from core.errors import InvalidInput
from core.plugins import discover
from core.visual import Visual
from core.visuals import suggest
from core.visuals._theme import DARK, LIGHT, Palette

KINDS = discover("core.visuals", Visual).found
NAMES = {"area", "bar", "box", "heatmap", "histogram", "line", "pie", "scatter"}


@pytest.fixture
def con():
    with duckdb.connect() as con:
        con.execute("set TimeZone = 'UTC'")
        yield con


def kept(con, select: str) -> list[Column]:
    con.execute(f"create or replace temp table spool as {select}")
    described = con.execute("from spool").description
    aliases = ", ".join(f"c{at}" for at in range(len(described)))
    con.execute(
        f"create or replace temp view kept({aliases}, __row) as "
        "select *, row_number() over () - 1 from spool"
    )
    return [Column(name, str(kind)) for name, kind, *_ in described]


def answer(con, select: str, kind: str, **options: Any) -> pl.DataFrame:
    visual = KINDS[kind]
    query = visual.query(kept(con, select), visual.Options(**options))
    assert query.sql.startswith("SELECT ")
    return con.execute(f"WITH result AS (SELECT * FROM kept) {query.sql}").pl()


def drawn(con, select: str, kind: str, *, dark: bool = False, **options: Any) -> dict[str, Any]:
    frame = answer(con, select, kind, **options)
    assert frame.height <= 10_000
    figure = KINDS[kind].figure(frame, KINDS[kind].Options(**options), dark=dark)
    return json.loads(figure.to_json())


def notes(figure: dict[str, Any]) -> str:
    return " ".join(each["text"] for each in figure["layout"].get("annotations", ()))


def test_the_roster_is_complete() -> None:
    roster = discover("core.visuals", Visual)
    assert set(roster.found) == NAMES
    assert roster.broken == {}
    for name, visual in roster.found.items():
        assert visual.name == name
        assert visual.label
        assert visual.icon


def test_discovery_does_not_import_plotly() -> None:
    code = (
        "import sys; from core.plugins import discover; from core.visual import Visual;"
        "discover('core.visuals', Visual); print('plotly' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


SALES = """
    select date '2024-01-01' + (i % 60)::int as day, 'shop ' || i % 3 as shop,
           ['a', 'b', null][1 + i % 3] as kind, i % 7 as number, i * 1.5 as amount,
           i % 2 = 0 as paid from range(600) r(i)
"""
CHARTS = [
    # (kind, options, types of traces, number of traces)
    ("line", {"x": "day", "y": ["amount"], "aggregate": "sum"}, "scatter", 1),
    ("line", {"x": "day", "y": ["amount"], "colour": "shop"}, "scatter", 3),
    ("line", {"y": ["amount", "number"]}, "scatter", 2),
    ("line", {"x": "day", "y": ["amount", "number"], "colour": "kind"}, "scatter", 6),
    ("area", {"x": "day", "y": ["amount"], "aggregate": "avg", "colour": "shop"}, "scatter", 3),
    ("area", {"x": "day", "aggregate": "count", "colour": "shop", "mode": "percent"}, "scatter", 3),
    ("area", {"x": "number", "y": ["amount"], "aggregate": "max", "mode": "overlay"}, "scatter", 1),
    ("bar", {"x": "shop"}, "bar", 1),
    ("bar", {"x": "shop", "y": ["amount"], "aggregate": "median", "horizontal": True}, "bar", 1),
    ("bar", {"x": "day", "y": ["kind"], "aggregate": "distinct", "unit": "week"}, "bar", 1),
    ("bar", {"x": "paid", "colour": "kind", "aggregate": "count", "mode": "stack"}, "bar", 3),
    ("bar", {"x": "shop", "colour": "kind", "aggregate": "count", "mode": "percent"}, "bar", 3),
    ("bar", {"aggregate": "sum", "y": ["amount", "paid"]}, "bar", 2),
    ("scatter", {"x": "number", "y": ["amount"]}, "scatter", 1),
    ("scatter", {"x": "number", "y": ["amount"], "colour": "shop"}, "scatter", 3),
    ("scatter", {"x": "day", "y": ["amount"], "colour": "number", "size": "amount"}, "scatter", 1),
    ("pie", {"x": "kind"}, "pie", 1),
    ("pie", {"x": "shop", "y": ["amount"], "hole": False}, "pie", 1),
    ("histogram", {"x": "amount"}, "bar", 1),
    ("histogram", {"x": "day", "colour": "kind", "bins": 10}, "bar", 3),
    ("box", {"x": "shop", "y": ["amount", "number"]}, "box", 2),
    ("box", {"y": ["amount"]}, "box", 1),
    ("heatmap", {"x": "shop", "row": "kind"}, "heatmap", 1),
    ("heatmap", {"x": "day", "row": "number", "y": ["amount"], "unit": "month"}, "heatmap", 1),
]


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize(("kind", "options", "type_", "count"), CHARTS)
def test_a_chart_is_drawn(
    con, kind: str, options: dict[str, Any], type_: str, count: int, dark: bool
) -> None:
    figure = drawn(con, SALES, kind, dark=dark, title="Sales", **options)
    assert [trace["type"] for trace in figure["data"]] == [type_] * count
    layout = figure["layout"]
    assert layout["title"]["text"] == "Sales"
    theme = DARK if dark else LIGHT
    assert layout["template"]["layout"]["paper_bgcolor"] == theme.surface
    for trace, colour in zip(figure["data"], theme.series, strict=False):
        own = trace.get("line", {}).get("color") or trace.get("marker", {}).get("color")
        if isinstance(own, str):
            assert own == colour
    if kind != "pie":
        assert "title" in layout["xaxis"]
    assert "sample" not in notes(figure)


@pytest.mark.parametrize("kind", sorted(NAMES))
def test_no_rows_make_a_figure_that_says_so(con, kind: str) -> None:
    options = {"row": "shop"} if kind == "heatmap" else {}
    x = "amount" if kind == "histogram" else "shop"
    figure = drawn(con, f"from ({SALES}) where false", kind, x=x, y=["amount"], **options)
    assert figure["data"] == []
    assert notes(figure) == "No rows to draw."


TYPES = [
    "1::hugeint", "1.5::decimal(20, 2)", "2::utinyint", "'nan'::double", "true", "uuid()", "[1]",
    "'a'::enum('a')", "interval 1 day", "time '10:00'", "'x'::blob", "{'a': 1}", "null",
    "timestamptz '2024-01-01 00:00:00+00'", "timestamp_ns '2024-01-01'", "'infinity'::timestamp",
    "date '-290000-01-01'", "'{}'::json", "'12'",
]  # fmt: skip


@pytest.mark.parametrize("value", TYPES)
@pytest.mark.parametrize("kind", sorted(NAMES - {"histogram"}))
def test_any_type_can_stand_along_the_axis(con, kind: str, value: str) -> None:
    options = {"row": "k"} if kind == "heatmap" else {}
    select = f"select {value} as k, 1.5 as v from range(3)"
    drawn(con, select, kind, x="k", y=["v"], **options)
    if kind in ("line", "bar"):
        drawn(con, select, kind, x="k", colour="k", aggregate="count")


@pytest.mark.parametrize("value", ["1", "1.5", "date '2024-01-01'", "timestamp '2024-01-01 10:00'"])
def test_a_histogram_of_one_value_has_one_bar(con, value: str) -> None:
    figure = drawn(con, f"select {value} as v from range(3)", "histogram", x="v")
    assert figure["data"][0]["y"] == [3]
    assert figure["data"][0]["width"][0] > 0


def test_a_histogram_counts_every_row_in_equal_bins(con) -> None:
    frame = answer(con, "select i as v from range(100) r(i)", "histogram", x="v", bins=10)
    assert frame["y0"].to_list() == [10] * 10
    assert frame["low"][0] == 0
    assert frame["high"][-1] == 99


def test_many_points_are_sampled_evenly_and_the_figure_says_so(con) -> None:
    select = "select i, i % 10 as v from range(25000) r(i)"
    figure = drawn(con, select, "scatter", x="i", y=["v"])
    assert figure["data"][0]["type"] == "scattergl"
    assert len(figure["data"][0]["x"]) == 10_000
    assert notes(figure) == "A sample of 10,000 of 25,000 rows"
    again = drawn(con, select, "scatter", x="i", y=["v"])
    assert again["data"] == figure["data"]
    line = drawn(con, select, "line", x="i", y=["v"])
    assert line["data"][0]["type"] == "scattergl"
    assert line["data"][0]["x"] == sorted(line["data"][0]["x"])


def test_rows_without_an_x_do_not_count_as_cut(con) -> None:
    select = "select if(i % 2 = 0, i, null) as x, i as y from range(100) r(i)"
    figure = drawn(con, select, "line", x="x", y=["y"])
    assert len(figure["data"][0]["x"]) == 50
    assert notes(figure) == ""


def test_many_categories_are_cut_to_the_largest(con) -> None:
    select = "select 'c' || (i % 200) as c, i % 200 as v from range(1000) r(i)"
    figure = drawn(con, select, "bar", x="c", y=["v"], aggregate="sum", most=5)
    assert figure["layout"]["xaxis"]["categoryarray"] == ["c199", "c198", "c197", "c196", "c195"]
    assert set(figure["data"][0]["x"]) == set(figure["layout"]["xaxis"]["categoryarray"])
    assert notes(figure) == "The 5 largest of 200 categories"


def test_more_categories_than_points_are_cut_by_the_engine(con) -> None:
    select = "select 'c' || i as c from range(12000) r(i)"
    figure = drawn(con, select, "bar", x="c", aggregate="count")
    assert notes(figure) == "The 50 largest of 12,000 categories"
    figure = drawn(con, select, "bar", x="c", colour="c", aggregate="count")
    assert "in 10,000 of 12,000 points" in notes(figure)
    figure = drawn(con, "select i from range(12000) r(i)", "bar", x="i", aggregate="count")
    assert notes(figure) == "The first 10,000 of 12,000 points"


def test_many_colours_are_cut_to_the_largest(con) -> None:
    select = "select i % 5 as x, 'c' || (i % 40) as c, i % 40 as v from range(400) r(i)"
    figure = drawn(con, select, "line", x="x", y=["v"], colour="c", aggregate="sum")
    assert [trace["name"] for trace in figure["data"]][:2] == ["c39", "c38"]
    assert len(figure["data"]) == 12
    assert notes(figure) == "The 12 largest of 40 series"
    assert figure["data"][8]["line"]["dash"] == "dash"  # the ninth shares the first's colour


def test_small_slices_become_one(con) -> None:
    select = "select 'c' || i as c, 20 - i as v from range(20) r(i)"
    figure = drawn(con, select, "pie", x="c", y=["v"], most=3)
    assert figure["data"][0]["labels"] == ["c0", "c1", "c2", "17 others"]
    assert figure["data"][0]["values"] == [20, 19, 18, 153]
    averages = drawn(con, select, "pie", x="c", y=["v"], most=3, aggregate="avg")
    assert averages["data"][0]["labels"] == ["c0", "c1", "c2"]
    assert notes(averages) == "The 3 largest of 20 categories"


def test_a_box_is_computed_from_every_row(con) -> None:
    figure = drawn(
        con, "select i as v from range(1, 102) r(i) union all select 1000", "box", y=["v"]
    )
    (box,) = figure["data"]
    assert (box["q1"], box["median"], box["q3"]) == ([26.25], [51.5], [76.75])
    assert (box["lowerfence"], box["upperfence"]) == ([1], [152.5])


def test_cells_of_a_heatmap_stand_in_order(con) -> None:
    select = "from (values ('b', 2, 1), ('a', 10, 2), ('b', 10, 3)) t(x, r, v)"
    figure = drawn(con, select, "heatmap", x="x", row="r", y=["v"])
    (cells,) = figure["data"]
    assert (cells["x"], cells["y"]) == (["a", "b"], [2, 10])
    assert cells["z"] == [[None, 1], [2, 3]]
    assert cells["colorscale"][0] == [0, LIGHT.scale[0]]


@pytest.mark.parametrize(
    ("step", "expected"),
    [("to_seconds(i)", "minute"), ("to_minutes(i)", "hour"), ("to_hours(i)", "day")],
)
def test_times_fall_into_steps_that_suit_their_span(con, step: str, expected: str) -> None:
    select = f"select timestamp '2024-01-01' + {step} as t from range(5000) r(i)"
    got = answer(con, select, "line", x="t", aggregate="count")["x"]
    want = con.execute(f"select distinct date_trunc('{expected}', t) x from spool order by x").pl()
    assert got.to_list() == want["x"].to_list()


def test_time_axes_and_category_axes_are_declared(con) -> None:
    assert drawn(con, SALES, "line", x="day", y=["amount"])["layout"]["xaxis"]["type"] == "date"
    select = "select '007' as code from range(2)"
    assert drawn(con, select, "bar", x="code")["layout"]["xaxis"]["type"] == "category"


def test_a_horizontal_bar_has_its_names_up_the_side(con) -> None:
    figure = drawn(con, SALES, "bar", x="shop", y=["amount"], aggregate="sum", horizontal=True)
    layout = figure["layout"]
    assert layout["yaxis"]["title"]["text"] == "shop"
    assert layout["xaxis"]["title"]["text"] == "sum of amount"
    assert layout["yaxis"]["categoryarray"] == ["shop 2", "shop 1", "shop 0"]
    assert layout["yaxis"]["autorange"] == "reversed"


def test_markup_in_the_rows_is_shown_and_not_obeyed(con) -> None:
    select = "select '<b>x</b>' as \"<i>n</i>\", '<a href=\"x\">' as c"
    figure = drawn(con, select, "bar", x="<i>n</i>", colour="c", title="<h1>")
    text = json.dumps(figure).replace("<br>", "")
    assert "<" not in text
    assert "&lt;b&gt;x&lt;/b&gt;" in text


@pytest.mark.parametrize(
    ("kind", "options", "message"),
    [
        ("line", {"x": "nope"}, "no column 'nope'"),
        ("line", {"x": "day", "y": ["shop"]}, "'shop' holds VARCHAR, not numbers"),
        ("bar", {"x": "shop", "y": ["day"], "aggregate": "sum"}, "not numbers"),
        ("bar", {"x": "shop", "aggregate": "sum"}, "Choose a column for Y"),
        ("bar", {"x": "shop", "colour": "nope"}, "no column"),
        ("bar", {"y": ["amount"] * 21}, "At most 20"),
        ("scatter", {"x": "number"}, "Choose a column for Y"),
        ("scatter", {"x": "number", "y": ["amount"], "size": "shop"}, "not numbers"),
        ("pie", {}, "Choose a column for X"),
        ("histogram", {"x": "shop"}, "needs a number or a time"),
        ("histogram", {}, "needs a number or a time"),
        ("box", {"x": "shop"}, "Choose a column of numbers"),
        ("heatmap", {"x": "shop"}, "one for Row"),
    ],
)
def test_a_choice_that_cannot_be_drawn_is_refused(con, kind, options, message) -> None:
    with pytest.raises(InvalidInput, match=message):
        answer(con, SALES, kind, **options)


def test_a_wrong_column_lists_the_choices(con) -> None:
    with pytest.raises(InvalidInput) as caught:
        answer(con, "select 1 as a, 2 as b", "line", x="c")
    assert caught.value.hint == "Choose from a, b."


def test_of_two_columns_of_one_name_the_first_is_drawn(con) -> None:
    con.execute("create temp view kept(c0, c1, __row) as select 1, 2, 0")
    query = KINDS["line"].query([Column("a", "INTEGER")] * 2, KINDS["line"].Options(y=("a",)))
    frame = con.execute(f"WITH result AS (FROM kept) {query.sql}").pl()
    assert frame["y0"].to_list() == [1]


T, N, D, C = ("t", "TIMESTAMP"), ("n", "INTEGER"), ("d", "DOUBLE"), ("c", "VARCHAR")
SUGGESTIONS = [
    ([T, N], 100, "line", {"x": "t", "y": ("n",), "aggregate": "none"}),
    ([C, T, N], 5000, "line", {"x": "t", "colour": "c", "aggregate": "avg"}),
    ([T], 9, "line", {"x": "t", "aggregate": "count"}),
    ([N, C], 9, "bar", {"x": "c", "y": ("n",), "aggregate": "none"}),
    ([N, C], 9000, "bar", {"x": "c", "y": ("n",), "aggregate": "sum"}),
    ([D, N], 9000, "scatter", {"x": "d", "y": ("n",)}),
    ([N, D], 12, "bar", {"x": "n", "y": ("d",)}),
    ([D], 9, "histogram", {"x": "d"}),
    ([C], 9, "bar", {"x": "c", "aggregate": "count"}),
    ([], 0, "bar", {"x": ""}),
]


@pytest.mark.parametrize(("columns", "rows", "kind", "options"), SUGGESTIONS)
def test_a_first_chart_suits_the_columns(con, columns, rows, kind, options) -> None:
    got_kind, got = suggest([Column(*each) for each in columns], rows)
    assert got_kind == kind
    assert options.items() <= got.items()
    select = ", ".join(f"null::{type_} as {name}" for name, type_ in columns) or "1 as z"
    drawn(con, f"select {select}", got_kind, **got)


def _luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
def test_colours_stand_out_from_the_background(theme: Palette) -> None:
    assert all(contrast(each, theme.surface) >= 3 for each in theme.series)
    assert contrast(theme.text, theme.surface) >= 7
    assert contrast(theme.muted, theme.surface) >= 4.5
