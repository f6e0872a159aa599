"""The API's profiles: of a sample, of all rows, under way and cancelled."""

from __future__ import annotations

import pytest

PATH = "/api/v1/catalog/profile"


@pytest.fixture(scope="module")
def ponds(workbench):
    here = workbench.workspace()
    sql = (
        "CREATE TABLE ponds AS SELECT i, 'a' || i % 2 AS t, 'ann' || i || '@example.org' AS email "
        "FROM range(40) r(i); CREATE VIEW endless AS SELECT a.range FROM range(1000000) a, "
        "range(1000000) b"
    )
    entry = here.queries.run(sql, logged=False)
    assert entry.run.wait(60)
    assert entry.run.error is None
    return here


def test_a_table_is_profiled_from_a_look_and_then_exactly(http, ponds, eventually):
    told = http.get(PATH, params={"table": "ponds"}).json()
    assert (told["table"], told["rows"], told["basis"]) == (
        "workspace.main.ponds", 40, "of all 40 rows",
    )  # fmt: skip
    assert told["under_way"] is None
    number, text, email = told["columns"]
    assert (number["minimum"], number["maximum"], number["mean"]) == ("0", "39", 19.5)
    assert sum(each["count"] for each in number["bins"]) == 40
    assert text["top"] == [["a0", 20], ["a1", 20]]
    assert text["shapes"] == [["a9", 1.0]]
    assert (email["likely"], email["top"], email["maximum"]) == (
        "likely e-mail address, by the form of 100% of the values", [], None,
    )  # fmt: skip
    started = http.post(PATH, json={"table": "ponds"})
    assert started.status_code == 202
    eventually(lambda: not http.get(PATH, params={"table": "ponds"}).json()["under_way"]["running"])
    again = http.get(PATH, params={"table": "ponds"}).json()
    assert (again["exact"], again["under_way"]["progress"], again["changes"]) == (True, 1.0, [])
    assert again["taken_at"] > told["taken_at"]
    assert http.get(PATH, params={"table": "ponds", "sample": True}).json()["exact"]


def test_an_exact_profile_is_cancelled(http, ponds, eventually):
    assert http.delete(PATH, params={"table": "endless"}).status_code == 204
    assert http.post(PATH, json={"table": "endless"}).json()["running"]
    assert http.delete(PATH, params={"table": "endless"}).status_code == 202
    look = {"table": "endless"}
    eventually(lambda: not http.get(PATH, params=look).json()["under_way"]["running"])
    error = http.get(PATH, params=look).json()["under_way"]["error"]
    assert "cancelled" in error["detail"]


def test_a_table_that_is_not_there_is_not_found(http, ponds):
    assert http.get(PATH, params={"table": "nowhere"}).status_code == 404
    assert http.post(PATH, json={"table": "nowhere"}).status_code == 404
    assert http.get(PATH).status_code == 422
