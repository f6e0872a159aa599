"""An id in an address may be any text: what no store can hold is nobody's id, on both databases."""

from __future__ import annotations

import re
from collections.abc import Iterator

import httpx
import pytest

from core.settings import Settings
from core.workbench import Workbench

ODD = {"nul": "%00", "nul within": "ab%00cd", "half a character": "%ED%A0%80", "long": "x" * 5000}
BODIES = {"patch": {"enabled": False}, "patch /v1/catalog/snapshots/{id}": {"name": "x"}}


@pytest.fixture
def http(store_settings: Settings, tmp_path, serve) -> Iterator[httpx.Client]:
    settings = store_settings.model_copy(update={"start_folder": tmp_path, "sample_data": False})
    workbench = Workbench.open(settings)
    with serve(lambda: workbench) as http:
        yield http
    workbench.close()


def routes(http: httpx.Client) -> Iterator[tuple[str, str, list[str]]]:
    """Yield method, path and the names of the query's parameters for all that the API has."""
    for path, methods in http.get("/api/openapi.json").json()["paths"].items():
        for method, told in methods.items():
            given = [each["name"] for each in told.get("parameters", ()) if each["in"] == "query"]
            yield method, path, given


def test_an_id_that_no_store_can_hold_is_not_found(http: httpx.Client) -> None:
    asked = set()
    for method, path, _ in routes(http):
        if "{" not in path:
            continue
        asked.add(path.split("/")[2])
        for name, odd in ODD.items():
            place = "/api" + re.sub(r"\{\w+\}", odd, path)
            body = BODIES.get(f"{method} {path}", BODIES.get(method))
            answer = http.request(method, place, params={"format": "csv"}, json=body)
            assert (answer.status_code, answer.json()["type"]) == (
                404,
                "urn:millpond:not_found",
            ), (method, path, name, answer.text)
    assert asked >= {"jobs", "job-runs", "queries", "saved-queries", "results"}


def test_a_list_that_is_asked_for_such_an_id_is_none_of_the_programs_faults(
    http: httpx.Client,
) -> None:
    asked = set()
    for method, path, given in routes(http):
        if method == "get" and "{" not in path:
            for name in given:
                asked.add(name)
                for odd in ODD.values():
                    answer = http.get(f"/api{path}?{name}={odd}")
                    assert answer.status_code < 500, (path, name, answer.text)
    assert asked >= {"before", "job", "text"}
