"""Connections over the API: against a real server; secrets go in and never come out."""

from __future__ import annotations

import pytest

from tests.connectors.servers import PASSWORD, postgres_server


@pytest.fixture(scope="module")
def server():
    with postgres_server() as running:
        running.execute("CREATE TABLE t (id int)", "INSERT INTO t VALUES (1), (2)")
        yield running


@pytest.fixture
def shop(http, server):
    given = {"alias": "shop", "connector": "postgres", "options": server.options}
    answer = http.post("/api/v1/connections", json=given)
    assert answer.status_code == 201, answer.text
    assert answer.headers["location"] == "/api/v1/connections/shop"
    yield answer.json()
    http.delete("/api/v1/connections/shop")
    http.delete("/api/v1/connections/mall")


def test_the_kinds_come_with_the_schema_of_their_options(http):
    kinds = {each["name"]: each for each in http.get("/api/v1/connectors").json()["connectors"]}
    assert kinds["postgres"]["push_down"]
    assert kinds["postgres"]["options"]["properties"]["password"]["format"] == "password"
    assert kinds["csv"]["suffixes"][0] == ".csv"


def test_a_connection_is_added_queried_and_removed(http, shop):
    assert shop["state"] == "ready"
    assert shop["secrets"] == ["password"]
    assert shop["version"].startswith("PostgreSQL")
    rows = http.post("/api/v1/query", json={"sql": "SELECT sum(id) FROM shop.public.t"})
    assert rows.json()["rows"] == [["3"]]
    pushed = http.post("/api/v1/query", json={"sql": "SELECT max(id) FROM t", "on": "shop"})
    assert pushed.json()["rows"] == [[2]]
    assert http.get("/api/v1/history").json()["entries"][0]["connection"] == "shop"
    assert http.delete("/api/v1/connections/shop").status_code == 204
    assert http.get("/api/v1/connections/shop").status_code == 404


def test_no_answer_holds_the_password(http, shop):
    for path in ("connections", "connections/shop", "connectors", "catalog", "history"):
        assert PASSWORD not in http.get(f"/api/v1/{path}").text


def test_a_connection_is_tried_before_it_is_saved(http, server):
    body = {"connector": "postgres", "options": server.options}
    told = http.post("/api/v1/connections/test", json=body).json()
    assert told["facts"]["Database"] == "postgres"
    body["options"] = server.options | {"password": "n0t-the-1-it-is"}
    refused = http.post("/api/v1/connections/test", json=body)
    assert refused.status_code == 502
    assert "password" in refused.json()["detail"]
    assert http.get("/api/v1/connections").json() == {"connections": []}


def test_a_change_keeps_what_is_secret_and_not_given(http, shop):
    options = shop["options"] | {"statement_timeout": 7}
    changed = http.patch("/api/v1/connections/shop", json={"options": options}).json()
    assert (changed["options"]["statement_timeout"], changed["secrets"]) == (7, ["password"])
    assert http.post("/api/v1/connections/shop/test").json()["state"] == "ready"
    off = http.patch("/api/v1/connections/shop", json={"enabled": False, "alias": "mall"}).json()
    assert (off["alias"], off["state"]) == ("mall", "off")


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"alias": "x", "connector": "nope", "options": {}}, 422),
        ({"alias": "main", "connector": "postgres", "options": {}}, 422),
        ({"alias": "x", "connector": "postgres", "options": {"port": 1}}, 502),
        ({"alias": "", "connector": "postgres", "options": {}}, 422),
    ],
)
def test_what_makes_no_sense_is_refused(http, body, status):
    refused = http.post("/api/v1/connections", json=body)
    assert refused.status_code == status
    assert refused.json()["detail"]
