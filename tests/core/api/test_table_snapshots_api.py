"""The API's snapshots of tables: taken by a job's run, listed, dropped."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

PATH = "/api/v1/catalog/table-snapshots"


@pytest.fixture(scope="module")
def shop(workbench):
    here = workbench.workspace()
    path = here.engine.folder / "uploads" / "shop.sqlite"
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("CREATE TABLE orders AS SELECT 1 AS id UNION SELECT 2")
    here.connections.add("shop", "sqlite", {"path": str(path)})
    workbench.start_jobs()


def test_a_snapshot_is_taken_listed_and_dropped(http, shop, eventually):
    started = http.post(PATH, json={"table": "shop.orders"})
    assert started.status_code == 202
    run = "/api" + started.headers["Location"].partition("/api")[2]
    assert run == f"/api/v1/job-runs/{started.json()['id']}"
    eventually(lambda: http.get(run).json()["state"] == "succeeded")
    (taken,) = http.get(PATH).json()["snapshots"]
    assert (taken["name"], taken["source"], taken["rows"], taken["cursor"]) == (
        "shop.orders", "shop.main.orders", 2, "",
    )  # fmt: skip
    sql = f"SELECT count(*) AS n FROM {taken['address']}"
    assert http.post("/api/v1/query", json={"sql": sql}).json()["rows"] == [[2]]
    assert http.delete(f"{PATH}/shop.orders").status_code == 204
    assert http.get(PATH).json() == {"snapshots": []}


def test_what_is_not_there_is_not_found(http, shop):
    assert http.post(PATH, json={"table": "nowhere"}).status_code == 404
    gone = http.delete(f"{PATH}/nowhere")
    assert (gone.status_code, gone.json()["detail"]) == (404, "There is no snapshot nowhere.")
    assert http.post(PATH, json={"table": "shop.orders", "curser": "x"}).status_code == 422
