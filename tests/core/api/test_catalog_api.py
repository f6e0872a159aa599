"""Notes, the search and what uses a table, by the API."""

from __future__ import annotations

import httpx
import pytest

NOTES = "/api/v1/catalog/notes"


@pytest.fixture(autouse=True, scope="module")
def ponds(http: httpx.Client) -> None:
    http.post("/api/v1/query", json={"sql": "CREATE TABLE ponds (id INTEGER, name VARCHAR)"})


def table(http: httpx.Client) -> dict:
    catalogs = http.get("/api/v1/catalog").json()["catalogs"]
    tables = [
        table for each in catalogs for schema in each["schemas"] for table in schema["tables"]
    ]
    return next(each for each in tables if each["name"] == "ponds")


def test_a_note_is_changed_in_parts_and_told_in_the_catalog(http: httpx.Client) -> None:
    first = {"table": "ponds", "comment": "<b>Water</b>", "tags": ["#wet", "wet"]}
    answer = http.patch(NOTES, json=first)
    assert answer.status_code == 200
    assert answer.json() == {
        "table": "workspace.main.ponds",
        "column": "",
        "comment": "<b>Water</b>",
        "tags": ["wet"],
        "owner": "",
    }
    http.patch(NOTES, json={"table": "workspace.main.ponds", "owner": "Ana"})
    http.patch(NOTES, json={"table": "ponds", "column": "name", "comment": "as on the map"})
    told = table(http)
    assert (told["comment"], told["tags"], told["owner"]) == ("<b>Water</b>", ["wet"], "Ana")
    assert [each["comment"] for each in told["columns"]] == ["", "as on the map"]
    http.patch(NOTES, json={"table": "ponds", "comment": "", "tags": [], "owner": ""})
    assert (table(http)["comment"], table(http)["tags"]) == ("", [])


@pytest.mark.parametrize(
    ("body", "status", "detail"),
    [
        ({"table": "lakes"}, 404, "There is no table lakes."),
        ({"table": "ponds", "column": "x"}, 404, "The table ponds has no column x."),
        ({"table": "ponds", "comment": "x" * 10_001}, 422, "at most 10,000 are kept."),
        ({"table": "ponds", "tags": ["x" * 200]}, 422, "at most 100 are kept."),
        ({"comment": "x"}, 422, "table: "),
    ],
)
def test_a_note_that_cannot_be_kept_is_a_problem(
    http: httpx.Client, body: dict, status: int, detail: str
) -> None:
    answer = http.patch(NOTES, json=body)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert detail in answer.json()["detail"]


def test_tables_are_searched_by_what_is_noted(http: httpx.Client) -> None:
    http.patch(NOTES, json={"table": "ponds", "column": "id", "tags": ["surrogate"]})
    found = http.get("/api/v1/catalog/search", params={"q": "#surro"}).json()
    assert found["total"] == 1
    assert found["hits"][0]["table"] == "workspace.main.ponds"
    assert found["hits"][0]["columns"] == ["id"]
    assert http.get("/api/v1/catalog/search", params={"q": "nowhere"}).json()["total"] == 0


def test_what_uses_a_table_or_a_column_is_told(http: httpx.Client) -> None:
    saved = http.post("/api/v1/saved-queries", json={"name": "Q", "sql": "SELECT id FROM ponds"})
    used = http.get("/api/v1/catalog/used-by", params={"table": "ponds"}).json()
    assert used == {
        "table": "workspace.main.ponds",
        "complete": True,
        "uses": [
            {
                "kind": "saved query",
                "title": "Q",
                "address": f"/query?query={saved.json()['id']}",
                "columns": ["id"],
                "through": [],
                "writes": False,
                "certain": True,
            }
        ],
    }
    params = {"table": "ponds", "column": "name"}
    assert http.get("/api/v1/catalog/used-by", params=params).json()["uses"] == []
    params = {"table": "ponds", "column": "gone"}
    assert http.get("/api/v1/catalog/used-by", params=params).status_code == 404


def test_values_are_searched_on_demand(http: httpx.Client) -> None:
    sql = "CREATE TABLE lakes AS SELECT 'Long Lake' AS name"
    http.post("/api/v1/query", json={"sql": sql})
    assert http.get("/api/v1/catalog/search", params={"q": "long lake"}).json()["values"] is None
    found = http.get("/api/v1/catalog/search", params={"q": "long lake", "values": True}).json()
    assert found["values"]["complete"]
    hit = {"table": "workspace.main.lakes", "column": "name", "example": "Long Lake"}
    assert found["values"]["hits"] == [hit]
