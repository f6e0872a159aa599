"""Every error that a caller can provoke has one shape, and none shows how the program is made."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

import httpx
import pytest

from core.api.problems import problem_of
from core.errors import Forbidden, LimitExceeded, QueryError
from core.workbench import Workbench

Serve = Callable[[Callable[[], Workbench]], AbstractContextManager[httpx.Client]]

JSON = {"Content-Type": "application/json"}
FAR = "[" * 100_000
BIG = json.dumps({"sql": "SELECT 1", "params": {"a": "x" * 1_200_000}})


def _chunks() -> Iterator[bytes]:  # without a Content-Length
    yield b'{"sql": "'
    for _ in range(40):
        yield b"x" * 50_000


def _query(sql: object, **more: object) -> dict[str, object]:
    return {"json": {"sql": sql, **more}}


# what, method, path, request, status, code
PROVOKED = [
    ("unknown path", "GET", "/nope", {}, 404, "not_found"),
    ("the root", "GET", "/", {}, 404, "not_found"),
    ("slash at the end", "POST", "/v1/query/", _query("SELECT 1"), 404, "not_found"),
    ("other method", "PUT", "/v1/query", _query("SELECT 1"), 405, "method_not_allowed"),
    ("no body", "POST", "/v1/query", {"headers": JSON}, 422, "invalid_input"),
    ("no type", "POST", "/v1/query", {"content": b"{}"}, 415, "unsupported_media_type"),
    ("a form", "POST", "/v1/query", {"data": {"sql": "x"}}, 415, "unsupported_media_type"),
    ("no JSON", "POST", "/v1/query", {"content": "{'sql'", "headers": JSON}, 400, "bad_request"),
    ("no UTF-8", "POST", "/v1/query", {"content": b'"\xff', "headers": JSON}, 400, "bad_request"),
    ("too deep", "POST", "/v1/query", {"content": FAR, "headers": JSON}, 400, "bad_request"),
    ("a list", "POST", "/v1/query", {"json": []}, 422, "invalid_input"),
    ("no SQL", "POST", "/v1/query", {"json": {"sq": "x"}}, 422, "invalid_input"),
    ("SQL that is a number", "POST", "/v1/query", _query(1), 422, "invalid_input"),
    ("half a surrogate", "POST", "/v1/query", _query("SELECT '\ud800'"), 422, "invalid_input"),
    ("NUL", "POST", "/v1/query", _query("SELECT '\0'"), 422, "invalid_input"),
    ("limit below 0", "POST", "/v1/query", _query("SELECT 1", limit=-1), 422, "invalid_input"),
    ("no time", "POST", "/v1/query", _query("SELECT 1", timeout=0), 422, "invalid_input"),
    ("empty SQL", "POST", "/v1/query", _query(" ; -- nothing"), 422, "invalid_input"),
    ("syntax", "POST", "/v1/query", _query("SELECT * FORM x"), 400, "query"),
    ("no table", "POST", "/v1/query", _query("FROM nowhere"), 400, "query"),
    ("no value", "POST", "/v1/query", _query("SELECT $a"), 422, "invalid_input"),
    ("an object", "POST", "/v1/query", _query("SELECT $a", params={"a": {}}), 422, "invalid_input"),
    ("a bad cast", "POST", "/v1/query", _query("SELECT 'x'::INT"), 400, "query"),
    ("long SQL", "POST", "/v1/query", _query("-" * 20_001), 413, "limit_exceeded"),
    ("large body", "POST", "/v1/query", {"content": BIG, "headers": JSON}, 413, "limit_exceeded"),
    ("endless body", "POST", "/v1/query", {"content": _chunks, "headers": JSON}, 413,
     "limit_exceeded"),
    ("a file outside", "POST", "/v1/query", _query("FROM '/etc/passwd.csv'"), 403, "forbidden"),
    ("a host", "POST", "/v1/query", _query("FROM 'http://10.0.0.1/x.csv'"), 403, "forbidden"),
    ("late", "POST", "/v1/query", _query("SELECT count(*) FROM range(1e8::BIGINT) a, "
     "range(1e8::BIGINT) b WHERE a.range + b.range = 3", timeout=0.1), 413, "limit_exceeded"),
    ("unknown form", "POST", "/v1/query", _query("SELECT 1") | {"headers": {"Accept": "a/b"}}, 406,
     "not_acceptable"),
    ("unknown query", "GET", "/v1/queries/x", {}, 404, "not_found"),
    ("unknown result", "GET", "/v1/results/x-0/rows", {}, 404, "not_found"),
    ("a large page", "GET", "/v1/results/x-0/rows?limit=1001", {}, 422, "invalid_input"),
    ("before the first", "GET", "/v1/results/x-0/rows?offset=-1", {}, 422, "invalid_input"),
    ("unknown format", "GET", "/v1/results/x-0/export?format=pdf", {}, 422, "invalid_input"),
    ("unknown saved query", "GET", "/v1/saved-queries/x", {}, 404, "not_found"),
    ("nothing to delete", "DELETE", "/v1/saved-queries/x", {}, 404, "not_found"),
    ("no name", "POST", "/v1/saved-queries", {"json": {"sql": "x"}}, 422, "invalid_input"),
    ("unknown state", "GET", "/v1/history?state=lost", {}, 422, "invalid_input"),
    ("a long search", "GET", f"/v1/history?text={'x' * 10_001}", {}, 422, "invalid_input"),
]  # fmt: skip


def assert_is_problem(response: httpx.Response, status: int, code: str) -> dict[str, object]:
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    problem = response.json()
    assert problem["type"] == f"urn:millpond:{code}"
    assert problem["status"] == status
    assert problem["title"] == code.replace("_", " ").capitalize()
    assert problem["detail"].endswith((".", "'", '"', "!")) or code == "query"
    assert problem.get("hint", "x")
    for leak in ("Traceback", "site-packages", 'File "', "pydantic", "0x7f"):
        assert leak not in response.text
    return problem


@pytest.mark.parametrize(
    ("method", "path", "request_", "status", "code"),
    [pytest.param(*rest, id=what) for what, *rest in PROVOKED],
)
def test_each_error_is_a_problem(
    http: httpx.Client,
    method: str,
    path: str,
    request_: dict[str, object],
    status: int,
    code: str,
) -> None:
    if callable(request_.get("content")):
        request_ = request_ | {"content": request_["content"]()}
    if "json" in request_:  # httpx cannot write half a surrogate
        content = json.dumps(request_["json"])
        headers = JSON | request_.get("headers", {})
        request_ = {"content": content, "headers": headers}
    assert_is_problem(http.request(method, f"/api{path}", **request_), status, code)


@pytest.mark.parametrize("query", ["sort=x", "sort=9:desc", "filter=[{]", "filter=[1]",
                                   'filter=[{"column":0,"op":">","value":"x"}]'])  # fmt: skip
@pytest.mark.parametrize("part", ["rows?", "export?format=csv&"])
def test_a_wrong_sort_or_filter_is_a_problem(
    http: httpx.Client, workbench: Workbench, part: str, query: str
) -> None:
    run = workbench.workspace().queries.run("SELECT 1 AS a").run
    assert run.wait(30)
    answer = http.get(f"/api/v1/results/{run.id}/{part}{query}")
    assert_is_problem(answer, 422, "invalid_input")


def test_a_syntax_error_tells_where(http: httpx.Client) -> None:
    response = http.post("/api/v1/query", json={"sql": "SELECT 1;\nSELECT * FORM x"})
    problem = assert_is_problem(response, 400, "query")
    assert (problem["line"], problem["column"] > 1) == (2, True)


def test_an_invalid_body_tells_which_fields(http: httpx.Client) -> None:
    response = http.post("/api/v1/query", json={"limit": "many", "more": 1})
    problem = assert_is_problem(response, 422, "invalid_input")
    assert {each["field"] for each in problem["errors"]} == {"sql", "limit", "more"}


def test_what_an_error_knows_is_beside_it() -> None:
    assert problem_of(LimitExceeded("Too large.", setting="MILLPOND_X"))["setting"] == "MILLPOND_X"
    assert problem_of(Forbidden("No.", path="/x"))["path"] == "/x"
    assert "line" not in problem_of(QueryError("No."))


def test_what_nobody_foresaw_is_logged_under_the_id_that_is_shown(
    serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    def workbench() -> Workbench:
        raise RuntimeError("the secret is 42")

    with caplog.at_level(logging.ERROR), serve(workbench) as http:
        for response in (http.get("/api/v1/health"), http.post("/api/v1/query", json={})):
            problem = assert_is_problem(response, 500, "error")
            assert "secret" not in response.text
            assert problem["id"] in caplog.text
    assert "the secret is 42" in caplog.text
