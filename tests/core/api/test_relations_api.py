"""The relations of tables over HTTP."""

from __future__ import annotations

import httpx
import pytest

from core.workbench import Workbench

PONDS = """
CREATE OR REPLACE TABLE ponds (id INTEGER PRIMARY KEY); INSERT INTO ponds VALUES (1), (2);
CREATE OR REPLACE TABLE depths (pond INTEGER REFERENCES ponds (id));
CREATE OR REPLACE TABLE fish AS SELECT unnest([1, 2, 3, 4]) AS pond_id
"""


@pytest.fixture(scope="module", autouse=True)
def ponds(workbench: Workbench) -> None:
    workspace = workbench.workspace()
    assert workspace.queries.run(PONDS, document="made").run.wait(60)


def test_declared_relations_are_told_at_once(http: httpx.Client) -> None:
    answer = http.get("/api/v1/catalog/relations", params={"catalog": "workspace"}).json()
    assert answer == {
        "relations": [
            {
                "child": {
                    "catalog": "workspace", "schema": "main", "table": "depths", "columns": ["pond"]
                },
                "parent": {
                    "catalog": "workspace", "schema": "main", "table": "ponds", "columns": ["id"]
                },
                "declared": True,
                "single": False,
                "optional": True,
                "confidence": None,
                "looked": None,
            }
        ],
        "complete": True,
        "failed": 0,
        "left_out": 0,
    }  # fmt: skip


def test_inferred_relations_come_with_their_confidence(http: httpx.Client) -> None:
    asked = {"catalog": "workspace", "schema": "main", "table": "fish", "inferred": True}
    answer = http.get("/api/v1/catalog/relations", params=asked | {"wait": 60}).json()
    assert answer["complete"]
    (found,) = answer["relations"]
    assert found["child"]["columns"] == ["pond_id"]
    assert (found["declared"], found["confidence"], found["looked"]) == (False, 0.5, 4)


def test_who_does_not_wait_may_ask_again(http: httpx.Client) -> None:
    asked = {"catalog": "workspace", "table": "ponds", "inferred": True, "wait": 0}
    answer = http.get("/api/v1/catalog/relations", params=asked).json()
    while not answer["complete"]:
        answer = http.get("/api/v1/catalog/relations", params=asked | {"wait": 5}).json()
    assert [each["child"]["table"] for each in answer["relations"]] == ["depths", "fish"]


@pytest.mark.parametrize(
    ("asked", "status"),
    [({}, 422), ({"catalog": "nowhere"}, 404), ({"catalog": "workspace", "wait": 61}, 422)],
)
def test_what_cannot_be_asked_is_a_problem(http: httpx.Client, asked: dict, status: int) -> None:
    answer = http.get("/api/v1/catalog/relations", params=asked)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
