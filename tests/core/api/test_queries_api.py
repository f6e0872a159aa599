"""/v1/queries: to start, look at, list and cancel."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest

from core.workbench import Workbench

Eventually = Callable[[Callable[[], object]], None]

ENDLESS = "SELECT sum(a.range * b.range) FROM range(1e8::BIGINT) a, range(1e8::BIGINT) b"


def start(http: httpx.Client, sql: str, **more: object) -> str:
    response = http.post("/api/v1/queries", json={"sql": sql, **more})
    assert response.status_code == 202
    assert response.headers["location"] == f"/api/v1/queries/{response.json()['id']}"
    return response.headers["location"]


def ended(http: httpx.Client, address: str, eventually: Eventually) -> dict[str, object]:
    eventually(lambda: http.get(address).json()["state"] != "running")
    return http.get(address).json()


def test_a_query_runs_on_its_own_and_keeps_its_results(
    http: httpx.Client, eventually: Eventually
) -> None:
    address = start(http, "SELECT $n AS n; SELECT 'b' AS b, 2 AS c", params={"n": 1})
    told = ended(http, address, eventually)
    assert (told["state"], told["rows"], told["error"]) == ("done", 1, None)
    assert [each["columns"] for each in told["results"]] == [
        [{"name": "n", "type": "INTEGER"}],
        [{"name": "b", "type": "VARCHAR"}, {"name": "c", "type": "INTEGER"}],
    ]
    first, last = (each["id"] for each in told["results"])
    assert http.get(f"/api/v1/results/{first}/rows").json()["rows"] == [[1]]
    assert http.get(f"/api/v1/results/{last}/rows").json()["rows"] == [["b", 2]]
    assert http.get(f"/api/v1/results/{told['id']}/rows").json()["rows"] == [["b", 2]]


def test_a_failed_query_tells_what_went_wrong(http: httpx.Client, eventually: Eventually) -> None:
    told = ended(http, start(http, "SELECT\n  nope"), eventually)
    assert told["state"] == "failed"
    problem = told["error"]
    assert (problem["type"], problem["status"], problem["line"]) == ("urn:millpond:query", 400, 2)
    rows = http.get(f"/api/v1/results/{told['id']}/rows")
    assert (rows.status_code, rows.json()["detail"]) == (400, problem["detail"])


def test_a_running_query_is_listed_and_cancelled_once_or_twice(
    http: httpx.Client, eventually: Eventually
) -> None:
    address = start(http, ENDLESS)
    running = http.get("/api/v1/queries").json()["queries"]
    assert [each["sql"] for each in running] == [ENDLESS]
    assert http.get(address).json()["state"] == "running"
    assert http.delete(address).status_code == 202
    assert http.delete(address).status_code in (202, 204)
    told = ended(http, address, eventually)
    assert (told["state"], told["error"]["type"]) == ("cancelled", "urn:millpond:cancelled")
    assert http.delete(address).status_code == 204
    assert http.get("/api/v1/queries").json() == {"queries": []}


def test_a_query_of_a_page_can_be_seen_and_cancelled(
    http: httpx.Client, workbench: Workbench, eventually: Eventually
) -> None:
    run = workbench.workspace().queries.run(ENDLESS, document="page").run
    assert http.delete(f"/api/v1/queries/{run.id}").status_code == 202
    eventually(lambda: run.state == "cancelled")


def test_the_session_of_an_ended_query_is_closed(
    http: httpx.Client, workbench: Workbench, eventually: Eventually
) -> None:
    told = ended(http, start(http, "CREATE TEMP TABLE mine AS SELECT 1"), eventually)
    session = workbench.workspace().queries.get(told["id"]).session

    def has_forgotten() -> bool:
        run = session.start("FROM mine")
        return run.wait(10) and run.error is not None

    eventually(has_forgotten)


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_an_unknown_query_is_not_found(http: httpx.Client, method: str) -> None:
    response = http.request(method, "/api/v1/queries/nope")
    assert (response.status_code, response.json()["hint"]) == (404, "Run it again.")
