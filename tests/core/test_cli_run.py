"""`millpond run`: a notebook's cells, run without the app, and the exit code that CI reads."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing

import pytest

from core.cli.commands import run

LATE = """---
title: Late
---
```input carrier
type: select
options: SELECT DISTINCT carrier FROM flights ORDER BY 1 DESC
```

```input most
type: number
default: 12
```

Prose with {{ most }}.

```sql spring
FROM delays WHERE month BETWEEN 3 AND 5
```

```sql delays
SELECT month, avg(arr_delay) AS delay FROM flights WHERE carrier = $carrier GROUP BY month
```

```sql by_month
PIVOT delays ON month USING first(delay)
```

```sql facts
SUMMARIZE delays
```

```sql flights
FROM flights WHERE month < 12  -- a cell that hides the table it reads
```

```chart months
data: delays
```

```metric worst
data: SELECT round(max(delay), 1) FROM delays
```

```assert few
FROM delays WHERE month > $most
```
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("MILLPOND_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("MILLPOND_START_FOLDER", str(tmp_path))
    monkeypatch.setenv("MILLPOND_THREADS", "2")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def ran(folder, text: str, *arguments: str, capsys) -> tuple[int, dict[str, dict]]:
    """Run a notebook, and return the exit code and how each cell ended."""
    (folder / "n.md").write_text(text, encoding="utf-8")
    code = run(["run", "n.md", "--json", *arguments])
    return code, {each["cell"]: each for each in json.loads(capsys.readouterr().out)}


def test_all_cells_run_behind_what_they_follow(folder, capsys):
    code, cells = ran(folder, LATE, capsys=capsys)
    assert code == 0
    assert {each["state"] for each in cells.values()} == {"done"}
    rows = {name: each["rows"] for name, each in cells.items() if each["rows"] is not None}
    assert rows == {
        "flights": 308_641, "delays": 11, "spring": 3, "by_month": 1, "facts": 2, "months": 11,
        "few": 0,
    }  # fmt: skip
    assert cells["carrier"]["said"] == "YV"  # the first of its options
    assert [*cells].index("flights") < [*cells].index("delays") < [*cells].index("spring")


def test_values_from_outside_change_what_follows(folder, capsys):
    code, cells = ran(folder, LATE, "--param", "carrier=HA", "--param", "most=10", capsys=capsys)
    assert code == 1
    assert cells["carrier"]["said"] == "HA"
    assert cells["few"]["state"] == "failed"
    assert cells["few"]["said"].startswith("It gives 1 row, the first: month = 11, delay = ")


def test_one_cell_is_run_with_what_it_follows_only(folder, capsys):
    code, cells = ran(folder, LATE, "--cell", "spring", capsys=capsys)
    assert code == 0
    assert {*cells} == {"carrier", "flights", "delays", "spring"}


def test_a_cell_that_fails_keeps_those_behind_it_waiting_and_no_others(folder, capsys):
    text = (
        "```sql a\nSELECT 1,\n  nothing_here\n```\n```sql b\nFROM a\n```\n```sql c\nSELECT 2\n```\n"
    )
    text += "```sql d disabled\nSELECT 3\n```\n```sql e\nFROM d\n```\n```sql f\nFROM nowhere\n```\n"
    text += "```python p\nx = 1\n```\n"
    code, cells = ran(folder, text, capsys=capsys)
    assert code == 1
    assert {name: each["state"] for name, each in cells.items()} == {
        "a": "failed", "c": "done", "d": "disabled", "f": "failed", "p": "failed", "b": "waiting",
        "e": "waiting",
    }  # fmt: skip
    assert cells["b"]["said"] == "It waits for a."
    assert cells["f"]["said"] == "No cell defines nowhere."
    assert "cannot be run yet" in cells["p"]["said"]


def test_a_person_reads_where_it_went_wrong(folder, capsys):
    (folder / "n.md").write_text("```sql a\nSELECT 1,\n  nothing_here\n```\n", encoding="utf-8")
    assert run(["run", "n.md"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith('failed   sql a  Referenced column "nothing_here" was not found')
    assert lines[1:3] == ["         2 |   nothing_here", "               ^"]


def test_tables_and_macros_that_a_cell_makes_are_there_for_others(folder, capsys):
    text = "```sql\nCREATE MACRO twice(n) AS n * 2; CREATE TABLE kept AS SELECT 4 AS n;\n```\n"
    text += "```metric eight\ndata: SELECT twice(n) FROM kept\n```\n"
    code, cells = ran(folder, text, capsys=capsys)
    assert code == 0
    assert cells["eight"]["said"] == "8"


def test_a_cell_runs_on_its_connection_and_its_rows_join(folder, capsys):
    with closing(sqlite3.connect(folder / "shop.db")) as con, con:
        con.execute("CREATE TABLE items (id INTEGER, name TEXT)")
        con.execute("INSERT INTO items VALUES (1, 'oak'), (2, 'elm')")
    from core.settings import Settings
    from core.workbench import Workbench

    workbench = Workbench.open(Settings(), spares=False)
    options = {"url": f"sqlite:///{folder / 'shop.db'}"}
    workbench.workspace().connections.add("shop", "sqlalchemy", options)
    workbench.close()
    text = "```sql items on=shop\nSELECT * FROM items ORDER BY id\n```\n"
    text += "```metric name\ndata: SELECT name FROM items WHERE id = 2\n```\n"
    code, cells = ran(folder, text, capsys=capsys)
    assert code == 0
    assert (cells["items"]["rows"], cells["name"]["said"]) == (2, "elm")


def test_what_is_not_there_is_said(folder, capsys):
    assert run(["run", "gone.md"]) == 1
    assert "There is no file gone.md." in capsys.readouterr().err
    (folder / "n.md").write_text(LATE, encoding="utf-8")
    assert run(["run", "n.md", "--cell", "gone"]) == 1
    assert "There is no cell gone." in capsys.readouterr().err
