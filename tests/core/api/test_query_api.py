"""POST /v1/query: forms of an answer, the cap on rows, and callers that go away."""

from __future__ import annotations

import io
import json
import socket
from collections.abc import Callable

import httpx
import polars as pl
import pyarrow as pa
import pytest
from starlette.exceptions import HTTPException

from core.api.negotiation import ARROW, CSV, JSON, NDJSON, PARQUET, choose
from core.workbench import Workbench

Eventually = Callable[[Callable[[], object]], None]

READERS: dict[str, Callable[[bytes], list[tuple[object, ...]]]] = {
    JSON: lambda body: [tuple(row) for row in json.loads(body)["rows"]],
    NDJSON: lambda body: [tuple(json.loads(line).values()) for line in body.splitlines()],
    CSV: lambda body: pl.read_csv(io.BytesIO(body)).rows(),
    ARROW: lambda body: pl.from_arrow(pa.ipc.open_stream(body).read_all()).rows(),
    PARQUET: lambda body: pl.read_parquet(io.BytesIO(body)).rows(),
}


def ask(http: httpx.Client, sql: str, accept: str = JSON, **more: object) -> httpx.Response:
    return http.post("/api/v1/query", json={"sql": sql, **more}, headers={"Accept": accept})


def answer(http: httpx.Client, sql: str, **more: object) -> dict[str, object]:
    response = ask(http, sql, **more)
    assert response.status_code == 200, response.text
    return response.json()


def test_json_tells_all_that_is_known_of_the_result(http: httpx.Client) -> None:
    given = answer(http, "SELECT 42 AS n, 'é' AS text, 1.50::DECIMAL(5,2) AS d, NULL AS n")
    assert given["columns"] == [
        {"name": "n", "type": "INTEGER"},
        {"name": "text", "type": "VARCHAR"},
        {"name": "d", "type": "DECIMAL(5,2)"},
        {"name": "n", "type": "INTEGER"},
    ]
    assert given["rows"] == [[42, "é", "1.50", None]]
    assert (given["row_count"], given["truncated"], given["affected"]) == (1, False, None)
    assert 0 < given["elapsed"] < 60
    assert len(given["id"]) == 32


@pytest.mark.parametrize("accept", READERS)
def test_each_form_holds_the_same_rows(http: httpx.Client, accept: str) -> None:
    sql = "SELECT range AS a, 'text ' || range AS b FROM range(25_000) ORDER BY a"
    response = ask(http, sql, accept)
    assert response.headers["content-type"].partition(";")[0] == accept
    assert response.headers["millpond-truncated"] == "false"
    assert READERS[accept](response.content) == [(n, f"text {n}") for n in range(25_000)]


@pytest.mark.parametrize("accept", READERS)
@pytest.mark.parametrize("limit", [1, 900, 21_000])
def test_a_cap_is_told_in_each_form(http: httpx.Client, accept: str, limit: int) -> None:
    response = ask(http, "SELECT * FROM range(40_000)", accept, limit=limit)
    assert response.headers["millpond-truncated"] == "true"
    assert READERS[accept](response.content) == [(n,) for n in range(limit)]


@pytest.mark.parametrize(("rows", "truncated"), [(99, False), (100, False), (101, True)])
def test_a_cap_that_just_fits_is_no_cut(http: httpx.Client, rows: int, truncated: bool) -> None:
    given = answer(http, f"SELECT * FROM range({rows})", limit=100)
    assert (given["truncated"], given["row_count"]) == (truncated, min(rows, 100))


def test_a_caller_cannot_raise_the_cap_of_the_settings(
    http: httpx.Client, workbench: Workbench
) -> None:
    most = workbench.settings.api_row_limit
    given = answer(http, f"SELECT * FROM range({most} + 1)", limit=most + 1)
    assert (given["row_count"], given["truncated"]) == (most, True)


@pytest.mark.parametrize("accept", READERS)
def test_a_cap_spares_the_engine_the_rest(
    http: httpx.Client, workbench: Workbench, eventually: Eventually, accept: str
) -> None:
    # All of it would be 8 TB.
    response = ask(http, "SELECT * FROM range(1_000_000_000_000)", accept, limit=10)
    assert READERS[accept](response.content) == [(n,) for n in range(10)]
    eventually(lambda: not workbench.workspace().queries.running())


def test_a_cap_keeps_no_later_statement_from_running(http: httpx.Client) -> None:
    sql = "SELECT * FROM range(5_000_000); CREATE OR REPLACE TABLE later AS SELECT 7 AS x"
    given = answer(http, sql, limit=1)
    assert (given["rows"], given["truncated"]) == ([[0]], True)
    assert answer(http, "FROM later")["rows"] == [[7]]


def test_a_cap_keeps_no_change_from_being_made(http: httpx.Client) -> None:
    answer(http, "CREATE OR REPLACE TABLE changed (x BIGINT)")
    sql = "INSERT INTO changed SELECT * FROM range(3_000_000) RETURNING x"
    assert answer(http, sql, limit=1)["truncated"] is True
    assert answer(http, "SELECT count(*) FROM changed")["rows"] == [[3_000_000]]


def test_the_last_result_that_has_rows_is_answered(http: httpx.Client) -> None:
    sql = "SELECT 1 AS a; SELECT 2 AS b; CREATE TEMP TABLE t AS SELECT 3 AS c;"
    assert answer(http, sql)["rows"] == [[2]]


def test_statements_without_rows_tell_how_many_they_changed(http: httpx.Client) -> None:
    sql = "CREATE OR REPLACE TABLE few (x INT); INSERT INTO few VALUES (1), (2), (3)"
    given = answer(http, sql)
    assert (given["columns"], given["rows"], given["affected"]) == ([], [], 3)
    response = ask(http, sql, CSV)
    assert (response.status_code, response.headers["millpond-affected"]) == (204, "3")


@pytest.mark.parametrize("accept", [JSON, NDJSON, CSV, ARROW, PARQUET])
def test_a_result_without_rows_is_an_answer(http: httpx.Client, accept: str) -> None:
    response = ask(http, "SELECT 1 AS a WHERE false", accept)
    assert response.status_code == 200
    assert READERS[accept](response.content) == []


def test_parameters_are_bound(http: httpx.Client) -> None:
    params = {"a": "'; DROP TABLE x", "n": [1, 2]}
    given = answer(http, "SELECT $a AS a, len($n) AS n", params=params)
    assert given["rows"] == [["'; DROP TABLE x", 2]]


def test_values_that_json_cannot_hold_are_texts(http: httpx.Client) -> None:
    sql = "SELECT 9007199254740993 AS a, 'nan'::DOUBLE AS b, '\\xFF'::BLOB AS c, [1, 2] AS d"
    expected = ["9007199254740993", "nan", "\\xff", "[1, 2]"]
    assert answer(http, sql)["rows"] == [expected]
    assert list(json.loads(ask(http, sql, NDJSON).text).values()) == expected


def test_repeated_and_empty_names_stay_apart_in_objects(http: httpx.Client) -> None:
    line = ask(http, 'SELECT 1 AS a, 2 AS a, 3 AS a_1, 4 AS "a b"', NDJSON).text
    assert json.loads(line) == {"a": 1, "a_1": 2, "a_1_1": 3, "a b": 4}


def test_a_call_has_a_session_of_its_own(http: httpx.Client) -> None:
    answer(http, "CREATE TEMP TABLE mine AS SELECT 1; BEGIN")
    assert ask(http, "FROM mine").json()["type"] == "urn:millpond:query"


def test_time_is_up_as_the_caller_says(http: httpx.Client) -> None:
    problem = ask(http, "SELECT sum(a.range) FROM range(1e7::BIGINT) a, range(1e7::BIGINT) b",
                  timeout=0.2).json()  # fmt: skip
    assert problem["setting"] == "MILLPOND_QUERY_TIMEOUT"
    assert "0.2 s" in problem["detail"]


def test_nothing_is_left_of_a_call(
    http: httpx.Client, workbench: Workbench, eventually: Eventually
) -> None:
    engine = workbench.workspace().engine
    for accept in READERS:
        ask(http, "SELECT * FROM range(40_000)", accept)
    ask(http, "SELECT * FROM nowhere")
    eventually(lambda: not [*engine.spools.iterdir(), *engine.exports.iterdir()])


def test_a_caller_that_goes_away_cancels_its_query(
    http: httpx.Client, workbench: Workbench, eventually: Eventually
) -> None:
    queries = workbench.workspace().queries
    body = json.dumps({"sql": "SELECT sum(a.range * b.range) FROM range(1e8::BIGINT) a, "
                              "range(1e8::BIGINT) b"}).encode()  # fmt: skip
    with socket.create_connection((http.base_url.host, http.base_url.port)) as connection:
        connection.sendall(
            b"POST /api/v1/query HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            b"Content-Length: %d\r\n\r\n%s" % (len(body), body)
        )
        eventually(queries.running)
    eventually(lambda: not queries.running())
    assert queries.history(limit=1)[0].state == "cancelled"


def test_a_caller_that_stops_reading_leaves_nothing_behind(
    http: httpx.Client, workbench: Workbench, eventually: Eventually
) -> None:
    engine = workbench.workspace().engine
    sql = "SELECT range, repeat('x', 500) AS wide FROM range(50_000)"
    for accept in (JSON, NDJSON, CSV):
        request = {"json": {"sql": sql}, "headers": {"Accept": accept}}
        with http.stream("POST", "/api/v1/query", **request) as response:
            assert response.status_code == 200
            next(response.iter_raw(1000))
    eventually(lambda: not [*engine.spools.iterdir(), *engine.exports.iterdir()])


@pytest.mark.parametrize(
    ("accept", "chosen"),
    [
        ("", JSON),
        ("*/*", JSON),
        ("application/*", JSON),
        ("text/*", CSV),
        ("TEXT/CSV", CSV),
        ("text/csv; charset=utf-8", CSV),
        ("text/html, text/csv", CSV),
        ("text/csv;q=0.5, application/x-ndjson", NDJSON),
        ("text/csv, application/json", CSV),  # wanted alike: the one named first
        ("application/json;q=0, */*", NDJSON),
        ("text/html,application/xhtml+xml,*/*;q=0.8", JSON),  # a browser
        (ARROW, ARROW),
        (PARQUET, PARQUET),
    ],
)
def test_the_form_that_is_wanted_most_is_chosen(accept: str, chosen: str) -> None:
    assert choose(accept) == chosen


@pytest.mark.parametrize("accept", ["text/html", "*/*;q=0", "text/csv;q=nonsense", "csv", "*"])
def test_a_form_that_is_not_there_is_refused_with_the_choices(accept: str) -> None:
    with pytest.raises(HTTPException, match="text/csv") as caught:
        choose(accept)
    assert caught.value.status_code == 406
