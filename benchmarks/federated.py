"""One join of three sources in a process of its own, for `benchmarks.sources`: by us, or pandas.

Reads what it needs as JSON from the standard input; prints seconds, and bytes at the peak of all
its processes, without what they had when they were ready.
"""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Callable
from typing import Any

import psutil

from benchmarks.opened import opened
from benchmarks.rounds import seconds

JOIN = """
SELECT s.shop, r.name, count(*) AS sales, sum(s.amount) AS amount
FROM '{sales}' AS s
JOIN pg.public.shops AS p ON p.shop = s.shop
JOIN lite.regions AS r ON r.id = p.region
WHERE p.kept AND s.quantity > 20
GROUP BY ALL
"""


def ours(given: dict[str, Any]) -> dict[str, float]:
    """Join by one statement."""
    with opened() as workbench:
        here = workbench.workspace()
        here.connections.add("pg", "postgres", given["options"])
        here.connections.add("lite", "sqlite", {"path": given["lite"]})
        session = here.queries.session("join")
        session.run("SELECT * FROM pg.public.shops LIMIT 1")
        return _measured(lambda: session.run(JOIN.format(sales=given["sales"])))


def pandas(given: dict[str, Any]) -> dict[str, float]:
    """Join as people do in a notebook, with filters and columns pushed down by hand."""
    import pandas as pd
    from sqlalchemy import create_engine

    url = given["url"].replace("postgresql://", "postgresql+psycopg://")
    server, lite = create_engine(url), create_engine(f"sqlite:///{given['lite']}")
    pd.read_sql("SELECT 1", server)

    def join() -> object:
        shops = pd.read_sql("SELECT shop, region FROM shops WHERE kept", server)
        regions = pd.read_sql("SELECT id, name FROM regions", lite)
        columns = ["shop", "quantity", "amount"]
        sold = pd.read_parquet(given["sales"], columns=columns, filters=[("quantity", ">", 20)])
        joined = sold.merge(shops, on="shop").merge(regions, left_on="region", right_on="id")
        return joined.groupby(["shop", "name"])["amount"].agg(["count", "sum"])

    return _measured(join)


def _measured(act: Callable[[], object]) -> dict[str, float]:
    before, peak, ending = _resident(), [0], threading.Event()

    def watch() -> None:
        while not ending.wait(0.01):
            peak[0] = max(peak[0], _resident())

    watcher = threading.Thread(target=watch)
    watcher.start()
    passed = seconds(act)
    ending.set()
    watcher.join()
    return {"seconds": passed, "bytes": float(max(1, peak[0] - before))}


def _resident() -> int:
    mine = psutil.Process()
    total = 0
    for each in (mine, *mine.children(recursive=True)):
        try:
            total += each.memory_info().rss
        except psutil.NoSuchProcess:
            continue
    return total


if __name__ == "__main__":
    print(json.dumps({"ours": ours, "pandas": pandas}[sys.argv[1]](json.load(sys.stdin))))
