"""/v1/catalog/compare and /v1/catalog/snapshots on a real server."""

from __future__ import annotations

import duckdb
import pytest


@pytest.fixture(scope="module")
def shop(workbench):
    for name, sql in (
        ("old_shop", "CREATE TABLE orders (id INTEGER); CREATE TABLE gone (a INTEGER)"),
        ("new_shop", "CREATE TABLE orders (id BIGINT PRIMARY KEY); CREATE TABLE gone (a INTEGER)"),
    ):
        file = workbench.settings.start_folder / f"{name}.duckdb"
        with duckdb.connect(str(file)) as con:
            con.execute(sql)
        workbench.workspace().connections.add(name, "duckdb", {"path": str(file)})


def compare(http, left: str, right: str, **params: str):
    return http.get("/api/v1/catalog/compare", params={"left": left, "right": right, **params})


def test_a_comparison_is_answered_whole(http, shop):
    told = compare(http, "old_shop.main", "new_shop").json()
    assert not told["equal"]
    assert told["summary"] == "0 added, 0 removed, 1 changed, 1 the same"
    assert (told["left"]["schema"], told["left"]["taken_at"]) == ("main", None)
    (table,) = told["tables"]
    assert (table["name"], table["differs"]) == ("orders", ["1 column", "1 key"])
    assert table["columns"][0]["left"]["type"] == "INTEGER"
    assert table["keys"][0]["left"] is None
    assert 'ALTER TABLE "orders" ALTER COLUMN "id" TYPE BIGINT;' in told["sql"]


def test_the_statements_are_written_in_the_dialect_asked_for(http, shop):
    told = compare(http, "old_shop", "new_shop", dialect="postgres").json()
    assert 'TYPE BIGINT USING "id"::BIGINT;' in told["sql"]
    assert compare(http, "old_shop", "new_shop", dialect="cobol").status_code == 422


@pytest.mark.parametrize(("left", "status"), [("nowhere", 404), ("a.b.c", 422), ("", 422)])
def test_a_side_that_is_not_there_is_a_problem(http, shop, left, status):
    answer = compare(http, left, "new_shop")
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"


def test_snapshots_are_taken_listed_renamed_compared_and_deleted(http, shop):
    body = {"place": "old_shop", "name": "before"}
    taken = http.post("/api/v1/catalog/snapshots", json=body)
    assert taken.status_code == 201
    assert taken.json()["kept"]
    place, made = taken.headers["location"], taken.json()["id"]
    again = http.post("/api/v1/catalog/snapshots", json=body)
    assert (again.status_code, again.json()["id"], again.json()["kept"]) == (200, made, False)
    assert http.get(place).json()["place"] == "old_shop.main"
    assert http.patch(place, json={"name": "v1"}).json()["name"] == "v1"
    assert [each["id"] for each in http.get("/api/v1/catalog/snapshots").json()["snapshots"]] == [
        made
    ]
    assert compare(http, "snapshot:v1", "old_shop").json()["equal"]
    assert http.delete(place).status_code == 204
    assert http.get(place).status_code == 404
    assert compare(http, "snapshot:v1", "old_shop").status_code == 404
