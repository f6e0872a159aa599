"""/v1/results: pages for a grid, and whole results as files."""

from __future__ import annotations

import io
import json
from collections.abc import Callable

import httpx
import polars as pl
import pyarrow as pa
import pytest

from core.api.downloads import attachment
from core.workbench import Workbench

Eventually = Callable[[Callable[[], object]], None]

ROWS = 200_000


@pytest.fixture(scope="module")
def result(workbench: Workbench) -> str:
    """Rows n, a text of it, and n modulo 3 or nothing."""
    run = (
        workbench.workspace()
        .queries.run(
            f"SELECT range AS n, 'é ' || range AS t, nullif(range % 3, 0) AS m FROM range({ROWS})"
        )
        .run
    )
    assert run.wait(60)
    assert run.error is None
    return run.results[0].id


def rows(http: httpx.Client, result: str, **query: object) -> dict[str, object]:
    response = http.get(f"/api/v1/results/{result}/rows", params=query)
    assert response.status_code == 200, response.text
    return response.json()


@pytest.mark.parametrize("offset", [0, 190, 20_400, 150_000])
def test_a_page_holds_the_rows_asked_for(http: httpx.Client, result: str, offset: int) -> None:
    expected = [[n, f"é {n}", n % 3 or None] for n in range(offset, offset + 200)]
    assert rows(http, result, offset=offset) == {
        "offset": offset,
        "rows": expected,
        "total": ROWS,
        "matching": ROWS,
        "arriving": False,
    }


def test_the_last_page_is_short_and_beyond_it_is_nothing(http: httpx.Client, result: str) -> None:
    assert len(rows(http, result, offset=ROWS - 5)["rows"]) == 5
    assert rows(http, result, offset=ROWS)["rows"] == []
    assert rows(http, result, limit=0)["rows"] == []


def test_rows_are_sorted_and_filtered_by_the_engine(http: httpx.Client, result: str) -> None:
    filters = json.dumps([{"column": 0, "op": "<", "value": "6"}])
    page = rows(http, result, sort="2:desc,0:asc", filter=filters)
    assert [row[0] for row in page["rows"]] == [2, 5, 1, 4, 0, 3]
    assert (page["total"], page["matching"]) == (ROWS, 6)


def test_rows_are_answered_while_more_arrive(http: httpx.Client, workbench: Workbench) -> None:
    sql = "SELECT a.range FROM range(1e6::BIGINT) a, range(1e6::BIGINT) b"
    run = workbench.workspace().queries.run(sql).run
    assert run.wait_rows(30)
    page = rows(http, run.id, limit=3)
    assert len(page["rows"]) == 3
    assert page["arriving"] is True
    run.cancel()
    assert run.wait(30)


READERS: dict[str, Callable[[bytes], list[tuple[object, ...]]]] = {
    "csv": lambda body: pl.read_csv(io.BytesIO(body)).rows(),
    "parquet": lambda body: pl.read_parquet(io.BytesIO(body)).rows(),
    "json": lambda body: pl.read_ndjson(io.BytesIO(body)).rows(),
    "arrow": lambda body: pl.from_arrow(pa.ipc.open_stream(body).read_all()).rows(),
    "excel": lambda body: [],
}
ENDINGS = {"csv": ".csv", "parquet": ".parquet", "json": ".jsonl"}
ENDINGS |= {"arrow": ".arrow", "excel": ".xlsx"}


@pytest.mark.parametrize("format", READERS)
def test_a_result_is_downloaded_as_shown_and_its_file_removed(
    http: httpx.Client, workbench: Workbench, result: str, eventually: Eventually, format: str
) -> None:
    filters = json.dumps([{"column": 0, "op": "<", "value": "3"}])
    query = {"format": format, "sort": "0:desc", "filter": filters, "name": "my rows"}
    response = http.get(f"/api/v1/results/{result}/export", params=query)
    assert response.status_code == 200, response.text
    assert int(response.headers["content-length"]) == len(response.content)
    assert f'filename="my rows{ENDINGS[format]}"' in response.headers["content-disposition"]
    if format == "excel":
        assert response.content.startswith(b"PK")
    else:
        expected = [(2, "é 2", 2), (1, "é 1", 1), (0, "é 0", None)]
        assert READERS[format](response.content) == expected
    folder = workbench.workspace().engine.exports
    eventually(lambda: not list(folder.iterdir()))


def test_a_whole_result_is_downloaded_whatever_the_cap_of_the_api(
    http: httpx.Client, workbench: Workbench, result: str
) -> None:
    assert workbench.settings.api_row_limit < ROWS
    response = http.get(f"/api/v1/results/{result}/export", params={"format": "parquet"})
    assert pl.read_parquet(io.BytesIO(response.content))["n"].to_list() == list(range(ROWS))


def test_a_download_that_is_given_up_leaves_no_file(
    http: httpx.Client, workbench: Workbench, result: str, eventually: Eventually
) -> None:
    folder = workbench.workspace().engine.exports
    with http.stream("GET", f"/api/v1/results/{result}/export?format=csv") as response:
        assert response.status_code == 200
        next(response.iter_raw(1000))
    eventually(lambda: not list(folder.iterdir()))


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("", "result.csv"),
        ("flights by day", "flights by day.csv"),
        ("../../etc/passwd", "etc passwd.csv"),
        ("..", "result.csv"),
        ("C:\\Windows\\x", "C Windows x.csv"),
        ('a"; filename="evil.exe', "a filename= evil.exe.csv"),
        ("a\r\nSet-Cookie: b", "a Set-Cookie b.csv"),
        ("a\u202egnp", "a gnp.csv"),  # would turn the ending around on screen
        ("Müller", "Muller.csv"),
        ("売上", "result.csv"),
        ("a" * 500, "a" * 100 + ".csv"),
    ],
)
def test_file_names_are_safe_everywhere(name: str, plain: str) -> None:
    header = attachment(name, ".csv")
    assert header.startswith(f"attachment; filename=\"{plain}\"; filename*=UTF-8''")
    assert header.isascii()
    assert header.isprintable()


def test_a_file_keeps_its_letters_where_browsers_read_them() -> None:
    assert attachment("売上", ".csv").endswith("filename*=UTF-8''%E5%A3%B2%E4%B8%8A.csv")
