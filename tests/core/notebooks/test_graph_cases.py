"""What follows what, as named cases: the notebook's cells, the ways between them, the problems.

A case's cells are written short: `name kind: body`, a line each, `|` standing for a line break.
"""

from __future__ import annotations

import pytest

from core.notebooks.cell import CellKind
from core.notebooks.service import check
from core.notebooks.text import cell_text
from core.plugins import discover

KINDS = discover("core.notebooks.cells", CellKind).found
TABLES = {"flights", "airlines", "planes"}

# name -> (cells, "parent>child" for each way, key -> a part of what is said of it)
CASES: dict[str, tuple[str, str, dict[str, str]]] = {
    # Shapes
    "nothing": ("", "", {}),
    "one cell": ("a sql: SELECT 1", "", {}),
    "a chain": ("a sql: SELECT 1 AS n\nb sql: FROM a\nc sql: FROM b", "a>b b>c", {}),
    "the page's order does not matter": ("c sql: FROM b\nb sql: FROM a\na sql: SELECT 1", "a>b b>c", {}),
    "a diamond": (
        "a sql: SELECT 1 AS n\nb sql: FROM a\nc sql: FROM a\nd sql: FROM b JOIN c USING (n)",
        "a>b a>c b>d c>d", {},
    ),
    "two that know nothing of each other": ("a sql: SELECT 1\nb sql: SELECT 2", "", {}),
    "read twice, one way": ("a sql: SELECT 1\nb sql: FROM a, a AS again", "a>b", {}),
    # Cycles
    "a cycle of two": (
        "a sql: FROM b\nb sql: FROM a", "a>b b>a", {"a": "a → b → a", "b": "b → a → b"},
    ),
    "a cycle of three, and one behind it": (
        "a sql: FROM c\nb sql: FROM a\nc sql: FROM b\nd sql: FROM c",
        "a>b b>c c>a c>d", {"a": "a → b → c → a", "b": "b → c → a → b", "c": "c → a → b → c"},
    ),
    "a cell that reads itself is a table of that name": ("flights sql: FROM flights", "", {}),
    "a cycle leaves the others alone": (
        "a sql: FROM b\nb sql: FROM a\nc sql: SELECT 1\nd sql: FROM c",
        "a>b b>a c>d", {"a": "follows itself", "b": "follows itself"},
    ),
    "a cycle over SQL and Python": (
        "a sql: FROM x\np python: x = a.head()", "p>a a>p", {"a": "follows itself", "p": "follows itself"},
    ),
    # Names
    "two define one name": (
        "a sql: SELECT 1\np python: a = 2", "", {"a": "Another cell defines a", "p": "Another cell defines a"},
    ),
    "case makes no other name": (
        "Totals sql: SELECT 1\np python: totals = 2", "",
        {"Totals": "Another cell defines", "p": "Another cell defines"},
    ),
    "a name in other letters is found": ("Totals sql: SELECT 1\nb sql: FROM TOTALS", "Totals>b", {}),
    "a quoted name is found": ('Totals sql: SELECT 1\nb sql: FROM "totals"', "Totals>b", {}),
    "a reserved name": ("cell sql: SELECT 1", "", {"cell": "reserved"}),
    "nobody defines it": ("b sql: FROM nowhere", "", {"b": "No cell defines nowhere"}),
    "did you mean": ("delays sql: SELECT 1\nb sql: FROM delay", "", {"b": "Did you mean delays?"}),
    "a parameter that nobody gives": ("b sql: SELECT $n", "", {"b": "No cell defines n"}),
    "a parameter is never a table": ("b sql: SELECT $flights", "", {"b": "No cell defines flights"}),
    "a cell hides a table": ("flights sql: SELECT 1\nb sql: FROM flights", "flights>b", {}),
    "a table of a source": ("b sql: FROM flights JOIN airlines USING (carrier)", "", {}),
    "a name with a schema is no cell": ("a sql: SELECT 1\nb sql: FROM main.a", "", {}),
    # SQL
    "a CTE hides a cell": ("a sql: SELECT 1\nb sql: WITH a AS (SELECT 2 AS n) FROM a", "", {}),
    "a CTE that reads the cell it hides": (
        "a sql: SELECT 1\nb sql: WITH a AS (SELECT * FROM a) SELECT * FROM a", "a>b", {},
    ),
    "a subquery": ("a sql: SELECT 1 AS n\nb sql: SELECT * FROM flights WHERE month IN (SELECT n FROM a)", "a>b", {}),
    "a scalar subquery": ("a sql: SELECT 1 AS n\nb sql: SELECT (SELECT n FROM a) AS m", "a>b", {}),
    "FROM first": ("a sql: SELECT 1 AS n\nb sql: FROM a SELECT n", "a>b", {}),
    "PIVOT": ("a sql: FROM flights\nb sql: PIVOT a ON month USING count(*)", "a>b", {}),
    "UNPIVOT": ("a sql: FROM flights\nb sql: UNPIVOT a ON month, day INTO NAME k VALUE v", "a>b", {}),
    "QUALIFY": (
        "a sql: FROM flights\nb sql: SELECT * FROM a QUALIFY row_number() OVER (ORDER BY month) = 1", "a>b", {},
    ),
    "ASOF JOIN": ("a sql: FROM flights\nb sql: SELECT * FROM flights f ASOF JOIN a ON f.time_hour >= a.time_hour", "a>b", {}),
    "LATERAL": ("a sql: FROM flights\nb sql: SELECT * FROM a, LATERAL (SELECT a.month + 1)", "a>b", {}),
    "UNION": ("a sql: SELECT 1\nb sql: SELECT 2\nc sql: FROM a UNION ALL FROM b", "a>c b>c", {}),
    "EXISTS": ("a sql: SELECT 1\nb sql: SELECT 1 WHERE EXISTS (FROM a)", "a>b", {}),
    "SUMMARIZE": ("a sql: SELECT 1\nb sql: SUMMARIZE a", "a>b", {}),
    "DESCRIBE": ("a sql: SELECT 1\nb sql: DESCRIBE a", "a>b", {}),
    "an alias is no name": ("a sql: SELECT 1\nb sql: SELECT a.month FROM flights AS a", "", {}),
    "a column is no name": ("month sql: SELECT 1\nb sql: SELECT month FROM flights", "", {}),
    "a name in a string or comment": ("a sql: SELECT 1\nb sql: SELECT 'FROM a' -- FROM a", "", {}),
    "a function of the engine": ("sum sql: SELECT 1\nb sql: SELECT max(month) FROM flights", "", {}),
    "a table function": ("b sql: FROM range(10)", "", {}),
    "a macro of another cell": ("m sql: CREATE MACRO twice(n) AS n * 2\nb sql: SELECT twice(4)", "m>b", {}),
    "a table macro": ("m sql: CREATE MACRO few(n) AS TABLE FROM range(n)\nb sql: FROM few(3)", "m>b", {}),
    "a table that a cell makes": ("m sql: CREATE TABLE kept AS SELECT 1\nb sql: FROM kept", "m>b", {}),
    "a view that a cell makes": ("m sql: CREATE OR REPLACE VIEW seen AS FROM flights\nb sql: FROM seen", "m>b", {}),
    "made and read in one cell": ("m sql: CREATE TABLE kept AS SELECT 1; FROM kept", "", {}),
    "what is inserted into is made before": (
        "m sql: CREATE TABLE kept AS SELECT 1 AS n\ni sql: INSERT INTO kept SELECT 2", "m>i", {},
    ),
    "what is dropped is made before": ("m sql: CREATE TABLE kept AS SELECT 1\ni sql: DROP TABLE kept", "m>i", {}),
    "a parameter of an input": (
        "n input: type: slider\nb sql: SELECT * FROM flights WHERE month = $n", "n>b", {},
    ),
    "on a connection its tables are its own": ("a sql: SELECT 1\nb sql on=shop: SELECT * FROM a", "", {}),
    # Python
    "a frame of SQL": ("a sql: SELECT 1\np python: b = a.head()", "a>p", {}),
    "SQL over a frame": ("p python: frame = 1\nb sql: FROM frame", "p>b", {}),
    "a name of the cell's own": ("p python: _x = 1\nq python: y = _x", "", {}),
    "a function reads what is outside": ("a sql: SELECT 1\np python: def f():|    return a", "a>p", {}),
    "a function's own variable": ("a sql: SELECT 1\np python: def f():|    a = 1|    return a", "", {}),
    "a parameter hides": ("a sql: SELECT 1\np python: f = lambda a: a", "", {}),
    "a comprehension's variable": ("a sql: SELECT 1\np python: x = [a for a in range(3)]", "", {}),
    "a comprehension's source": ("a sql: SELECT 1\np python: x = [n for n in a]", "a>p", {}),
    "a closure": ("a sql: SELECT 1\np python: def f():|    def g():|        return a|    return g", "a>p", {}),
    "global binds at the top": ("p python: def f():|    global total|    total = 1\nq python: x = total", "p>q", {}),
    "an import is defined": ("p python: import math as m\nq python: x = m.pi", "p>q", {}),
    "from import": ("p python: from math import pi\nq python: x = pi", "p>q", {}),
    "a loop's variable is defined": ("p python: for at in range(3):|    pass\nq python: x = at", "p>q", {}),
    "with ... as": ("p python: with open('x') as file:|    pass\nq python: x = file", "p>q", {}),
    "a caught exception is gone": (
        "p python: try:|    pass|except ValueError as error:|    pass\nq python: x = error", "", {"q": "No cell defines error"},
    ),
    "a walrus": ("p python: if (n := 3) > 2:|    pass\nq python: x = n", "p>q", {}),
    "del takes a name away": ("p python: x = 1|del x\nq python: y = x", "", {"q": "No cell defines x"}),
    "del of another cell's": ("a sql: SELECT 1\np python: del a", "a>p", {}),
    "an f-string": ("a sql: SELECT 1\np python: x = f'{a:>{width}}'\nw python: width = 3", "a>p w>p", {}),
    "a decorator and a default": ("d python: def wrap(f):|    return f\np python: @wrap|def g(n=5):|    return n", "d>p", {}),
    "a class body": ("a sql: SELECT 1\np python: class C:|    rows = a", "a>p", {}),
    "an annotation without a value defines nothing": ("p python: x: int\nq python: y = x", "", {"q": "No cell defines x"}),
    "unpacking": ("p python: one, (two, *three) = 1, (2, 3)\nq python: y = two + three[0]", "p>q", {}),
    "match": ("p python: match 1:|    case found:|        pass\nq python: y = found", "p>q", {}),
    "builtins are nobody's": ("p python: print(len(sorted([1])))", "", {}),
    "an attribute is no name": ("a sql: SELECT 1\np python: x = (1).a if False else 2", "", {}),
    "a star import": ("p python: from math import *", "", {"p": "hides what it defines"}),
    "broken Python": ("p python: x = = 1", "", {"p": "no Python"}),
    "a cell's name is defined besides": ("p python: x = 1\nq sql: FROM p", "p>q", {}),
    # The other kinds
    "a chart of a cell": ("a sql: SELECT 1\nc chart: data: a|type: bar", "a>c", {}),
    "a chart of a query": ("a sql: SELECT 1\nc chart: data: SELECT * FROM a", "a>c", {}),
    "a chart of nothing": ("c chart: type: bar", "", {"c": "needs data"}),
    "a chart of a table": ("c chart: data: flights", "", {}),
    "a metric": ("a sql: SELECT 1\nm metric: data: a", "a>m", {}),
    "an assert": ("a sql: SELECT 1\nt assert: FROM a WHERE 1 = 2", "a>t", {}),
    "an assert defines nothing": ("t assert: SELECT 1 WHERE FALSE\nb sql: FROM t", "", {"b": "No cell defines t"}),
    "an input with options of a query": ("a sql: SELECT 1\ni input: type: select|options: SELECT * FROM a", "a>i", {}),
    "an input that follows another": (
        "i input: type: number\nj input: type: select|options: SELECT * FROM flights WHERE month = $i", "i>j", {},
    ),
    "an input of no type": ("i input: type: knob", "", {"i": "knob is no type"}),
    "text with a value": ("a sql: SELECT 1\n- text: Rows: {{ a.height }}", "a>markdown-2", {}),
    "text with a query": ("a sql: SELECT 1\n- text: Rows: {{ SELECT count(*) FROM a }}", "a>markdown-2", {}),
    "text with code": ("a sql: SELECT 1\n- text: Write `{{ a }}`", "", {}),
    "an unknown kind": ("x poem: roses", "", {"x": "no kind of cell named poem"}),
}  # fmt: skip


def notebook(cells: str) -> str:
    """Write a case's cells as a notebook."""
    text = ""
    for line in cells.splitlines():
        head, _, body = line.partition(": ")
        name, kind, *flags = head.split()
        body = body.replace("|", "\n")
        if kind == "text":
            text += cell_text("markdown", "", body)
        else:
            text += cell_text(kind, name, body, dict(each.split("=") for each in flags))
    return text


@pytest.mark.parametrize("case", CASES)
def test_a_notebook_has_these_ways_and_problems(case):
    cells, ways, problems = CASES[case]
    checked = check(notebook(cells), KINDS, lambda name: name.lower() in TABLES)
    graph = checked.graph
    found = {f"{parent}>{key}" for key, parents in graph.parents.items() for parent in parents}
    assert found == set(ways.split())
    assert {f"{key}>{child}" for key, each in graph.children.items() for child in each} == found
    told = {
        key: " ".join(f"{p.message} {p.hint}" for p in each) for key, each in graph.problems.items()
    }
    assert told.keys() == problems.keys(), told
    for key, part in problems.items():
        assert part in told[key]


def test_every_cell_stands_behind_what_it_reads_else_as_on_the_page():
    cells = "z sql: FROM b\nx sql: SELECT 1\nb sql: FROM a\ny sql: SELECT 2\na sql: SELECT 1 AS n"
    graph = check(notebook(cells), KINDS).graph
    assert graph.order() == ["x", "y", "a", "b", "z"]
    assert graph.order(["z", "b"]) == ["b", "z"]
    assert graph.affected(["a"]) == {"a", "b", "z"}
    assert graph.needed(["z"]) == {"a", "b", "z"}


def test_what_is_on_a_cycle_has_no_place_in_the_order():
    graph = check(
        notebook("a sql: FROM b\nb sql: FROM a\nc sql: FROM a\nd sql: SELECT 1"), KINDS
    ).graph
    assert graph.order() == ["d"]
