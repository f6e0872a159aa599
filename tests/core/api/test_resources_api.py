"""The small resources, the description of all of them, and what importing them costs."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from types import SimpleNamespace

import httpx
import pytest

from core.settings import APP_FOLDER
from core.workbench import Workbench

Serve = Callable[[Callable[[], object]], AbstractContextManager[httpx.Client]]

ROUTES = {
    "/v1/catalog": {"get"},
    "/v1/catalog/compare": {"get"},
    "/v1/catalog/notes": {"patch"},
    "/v1/catalog/snapshots": {"get", "post"},
    "/v1/catalog/snapshots/{id}": {"get", "delete", "patch"},
    "/v1/catalog/relations": {"get"},
    "/v1/catalog/profile": {"get", "post", "delete"},
    "/v1/catalog/search": {"get"},
    "/v1/catalog/table-snapshots": {"get", "post"},
    "/v1/catalog/table-snapshots/{name}": {"delete"},
    "/v1/catalog/used-by": {"get"},
    "/v1/connections": {"get", "post"},
    "/v1/connections/test": {"post"},
    "/v1/connections/{alias}": {"get", "patch", "delete"},
    "/v1/connections/{alias}/test": {"post"},
    "/v1/connectors": {"get"},
    "/v1/health": {"get"},
    "/v1/history": {"get"},
    "/v1/job-runs": {"get"},
    "/v1/job-runs/{id}": {"get", "delete"},
    "/v1/job-runs/{id}/retry": {"post"},
    "/v1/jobs": {"get"},
    "/v1/jobs/{id}": {"get", "patch"},
    "/v1/jobs/{id}/runs": {"post"},
    "/v1/queries": {"get", "post"},
    "/v1/queries/{id}": {"get", "delete"},
    "/v1/query": {"post"},
    "/v1/results/{id}/export": {"get"},
    "/v1/results/{id}/rows": {"get"},
    "/v1/saved-queries": {"get", "post"},
    "/v1/saved-queries/{id}": {"get", "delete"},
    "/v1/unsubscribe": {"get", "post"},
}


def test_health_tells_of_app_store_and_workers(http: httpx.Client, workbench: Workbench) -> None:
    workbench.workspace().engine.start()
    response = http.get("/api/v1/health")
    assert response.status_code == 200
    assert response.json() == {
        "ok": True,
        "app": "ok",
        "store": "ok",
        "workers": {"local": {"running": True, "answers": True}},
    }


@pytest.mark.parametrize(
    ("store", "answers", "detail"),
    [
        ("The disk is full.", True, "the store: The disk is full."),
        ("ok", False, "the engine of local does not answer"),
    ],
)
def test_ill_health_is_a_503_that_says_what_is_ill(
    serve: Serve, store: str, answers: bool, detail: str
) -> None:
    workers = {"local": {"running": True, "answers": answers}}
    health = {"ok": False, "app": "ok", "store": store, "workers": workers}
    with serve(lambda: SimpleNamespace(health=lambda: health)) as http:
        response = http.get("/api/v1/health")
    assert response.status_code == 503
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["detail"].startswith(detail)
    assert response.json()["workers"] == workers


def test_the_catalog_is_a_tree_of_what_can_be_queried(http: httpx.Client) -> None:
    sql = "CREATE SCHEMA s; CREATE TABLE s.\"Odd name\" AS SELECT 1 AS a, 'x' AS b"
    http.post("/api/v1/query", json={"sql": sql})
    catalogs = {each["name"]: each for each in http.get("/api/v1/catalog").json()["catalogs"]}
    (schema,) = [each for each in catalogs["workspace"]["schemas"] if each["name"] == "s"]
    (table,) = schema["tables"]
    assert (table["kind"], table["reference"]) == ("table", 's."Odd name"')
    blank = {"comment": "", "tags": [], "owner": ""}
    assert table["columns"] == [
        {"name": "a", "type": "INTEGER", **blank},
        {"name": "b", "type": "VARCHAR", **blank},
    ]


def test_history_is_read_page_by_page_and_searched(http: httpx.Client) -> None:
    for n in range(5):
        http.post("/api/v1/query", json={"sql": f"SELECT 'findme', {n}"})
    http.post("/api/v1/query", json={"sql": "SELECT findme_not"})
    pages, before = [], None
    while True:
        query = {"text": "'findme'", "limit": 2} | ({"before": before} if before else {})
        page = http.get("/api/v1/history", params=query).json()
        pages.append([each["sql"][-1] for each in page["entries"]])
        before = page["next"]
        if before is None:
            break
    assert pages == [["4", "3"], ["2", "1"], ["0"]]
    failed = http.get("/api/v1/history", params={"text": "findme", "state": "failed"}).json()
    assert [each["sql"] for each in failed["entries"]] == ["SELECT findme_not"]


def test_a_query_is_saved_found_and_deleted(http: httpx.Client) -> None:
    query = {"name": "Delays", "sql": "SELECT 1", "tags": ["flights"]}
    saved = http.post("/api/v1/saved-queries", json=query)
    assert saved.status_code == 201
    address = saved.headers["location"]
    assert address == f"/api/v1/saved-queries/{saved.json()['id']}"
    assert http.get(address).json()["query"]["name"] == "Delays"
    found = http.get("/api/v1/saved-queries", params={"text": "FLIGHTS"}).json()["saved_queries"]
    assert [each["id"] for each in found] == [saved.json()["id"]]
    assert http.delete(address).status_code == 204
    assert http.get(address).status_code == 404


def test_a_saved_query_is_answered_with_its_values(http: httpx.Client) -> None:
    parameters = {"day": {"$": "date", "value": "2013-01-31"}, "code": "12", "none": None}
    query = {"name": "Days", "sql": "SELECT $day, $code, $none", "parameters": parameters}
    saved = http.post("/api/v1/saved-queries", json=query)
    assert saved.json()["query"]["parameters"] == parameters
    refused = http.post("/api/v1/saved-queries", json=query | {"parameters": {"x": {"y": 1}}})
    assert refused.status_code == 422
    assert refused.json()["detail"].startswith("The value of $x is an object")
    assert http.delete(saved.headers["location"]).status_code == 204


def test_the_description_has_each_route_and_says_where_they_are(http: httpx.Client) -> None:
    described = http.get("/api/openapi.json").json()
    assert {path: set(verbs) for path, verbs in described["paths"].items()} == ROUTES
    assert described["servers"] == [{"url": "/api"}]
    for verbs in described["paths"].values():
        for operation in verbs.values():
            assert operation["description"]
            assert "application/problem+json" in operation["responses"]["default"]["content"]


def test_the_documentation_page_needs_nothing_from_elsewhere(http: httpx.Client) -> None:
    response = http.get("/api/docs")
    assert response.status_code == 200
    assert "default-src 'none'" in response.headers["content-security-policy"]
    assert not re.findall(r"(?:https?:)?//[a-z0-9]+\.", response.text)
    assert set(re.findall(r'(?:href|src|fetch)[=(]"([^"]*)"', response.text)) == {"openapi.json"}


def test_the_api_is_imported_without_what_it_must_not_need() -> None:
    code = (
        "import sys, core.api.app\n"
        "found = {name.partition('.')[0] for name in sys.modules}\n"
        "sys.exit(', '.join(found & {'streamlit', 'duckdb', 'plotly'}) or 0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=APP_FOLDER, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
