"""Files on web servers: formats, names, redirects, bad files, and what SQL reads besides them."""

from __future__ import annotations

import os
from collections.abc import Iterator

import duckdb
import pytest

from connectors.http import Http, HttpOptions
from core.errors import ConnectError, Forbidden, InvalidInput
from core.workbench import Workspace
from tests.connectors.test_contract_servers import rows
from tests.connectors.web import WebServer, web_server

CSV = b"id,t\n0,x0\n1,x1\n"


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> dict[str, bytes]:
    """Two rows (0, 'x0'), (1, 'x1') in each format."""
    folder = tmp_path_factory.mktemp("files")
    with duckdb.connect() as con:
        made = "COPY (SELECT i AS id, 'x' || i AS t FROM range(2) r(i)) TO"
        con.execute(f"{made} '{folder}/a.parquet'")
        con.execute(f"{made} '{folder}/a.json'")
        con.execute(f"{made} '{folder}/a.csv.gz'")
    return {file.name: file.read_bytes() for file in folder.iterdir()} | {"a.csv": CSV}


@pytest.fixture(scope="module")
def web(files) -> Iterator[WebServer]:
    with web_server() as web:
        web.files |= {f"/d/{name}": data for name, data in files.items()}
        yield web


@pytest.fixture
def here(workbench) -> Iterator[Workspace]:
    here = workbench.workspace()
    yield here
    for each in here.connections.list():
        here.connections.remove(each.connection.alias)


@pytest.fixture
def near(con, web) -> Iterator[duckdb.DuckDBPyConnection]:
    """An engine without a wall, that reads from web servers."""
    from core.engine.extensions import extension_file

    con.execute(f"LOAD '{extension_file('httpfs')}'")
    yield con
    web.ranges = web.heads = True
    web.token = ""


def _read(con, *urls: str, **options: object) -> list[tuple]:
    given = HttpOptions.model_validate({"addresses": " ".join(urls), **options})
    Http().test(con, given)
    report = Http().inspect(con, given, "a")
    Http().attach(con, given, "a")
    found = con.execute(f"FROM files.main.{report.tables[0]}").fetchall()
    Http().detach(con, "a")
    assert con.execute("SELECT count(*) FROM duckdb_secrets()").fetchone() == (0,)
    return found


@pytest.mark.parametrize("name", ["a.csv", "a.csv.gz", "a.parquet", "a.json"])
@pytest.mark.parametrize("tail", ["", "?sig=a%2Fb&x=1"])
def test_each_format_is_read(near, web, name, tail):
    assert _read(near, web.url(f"/d/{name}") + tail) == [(0, "x0"), (1, "x1")]


@pytest.mark.parametrize("ranges", [True, False])
@pytest.mark.parametrize("heads", [True, False])
def test_a_server_that_knows_no_ranges_or_no_head_is_read_all_the_same(near, web, ranges, heads):
    web.ranges, web.heads = ranges, heads
    for name in ("a.csv", "a.parquet"):
        assert _read(near, web.url(f"/d/{name}")) == [(0, "x0"), (1, "x1")]
    options = HttpOptions(addresses=web.url("/d/a.csv"))
    notes = Http().test(near, options).notes
    assert bool(notes) != ranges


def test_a_workbook_is_read(near, web, write_workbook, tmp_path):
    write_workbook(tmp_path / "a.xlsx", {"One": [["id"], [1], [2]]})
    web.files["/d/a.xlsx"] = (tmp_path / "a.xlsx").read_bytes()
    assert _read(near, web.url("/d/a.xlsx")) == [(1,), (2,)]


@pytest.mark.parametrize(
    "name",
    ['it\'s [odd] "ü".csv', "a*b.csv", "100%25 sure.csv", "a#b.csv", "a?b.csv", "a+b&c=d.csv"],
)
def test_names_with_signs_are_read_as_pasted_or_quoted(near, web, name):
    from urllib.parse import quote, unquote

    plain = unquote(name) if "%25" in name else name
    web.files[f"/d/{plain}"] = CSV
    assert _read(near, web.url(quote(f"/d/{plain}"))) == [(0, "x0"), (1, "x1")]
    if "?" not in name and "#" not in name:  # these end a path
        assert _read(near, web.url(f"/d/{name}")) == [(0, "x0"), (1, "x1")]


def test_several_files_are_one_table(near, web):
    web.files["/d/year=2024/b.csv"] = b"id,t\n7,y\n"
    found = _read(near, web.url("/d/a.csv"), web.url("/d/year=2024/b.csv"), file_column=True)
    assert [row[:2] for row in found] == [(0, "x0"), (1, "x1"), (7, "y")]
    assert found[2][2].endswith("/b.csv")


def test_the_format_is_asked_for_where_names_do_not_tell(near, web):
    web.files["/d/plain"] = web.files["/d/a.parquet"]
    with pytest.raises(InvalidInput, match="do not tell their format"):
        _read(near, web.url("/d/plain"))
    with pytest.raises(InvalidInput, match="do not tell their format"):
        _read(near, web.url("/d/a.csv"), web.url("/d/a.parquet"))
    assert _read(near, web.url("/d/plain"), format="parquet") == [(0, "x0"), (1, "x1")]


BAD = {  # name -> content, what is said of it
    "empty.csv": (b"", r"empty\.csv is empty \(0 bytes\)"),
    "empty.parquet": (b"", r"empty\.parquet is empty \(0 bytes\)"),
    "junk.parquet": (b"\x00 not it" * 50, "is not a Parquet file, or it was cut off"),
    "cut.json": (b'[{"a": 1}, {"a"', "is not valid JSON"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_broken_file_is_told_in_one_sentence(near, web, name):
    web.files[f"/d/{name}"], said = BAD[name]
    with pytest.raises(ConnectError, match=said) as refusal:
        _read(near, web.url(f"/d/{name}"))
    assert "\n" not in refusal.value.message
    assert near.execute("SELECT count(*) FROM duckdb_secrets()").fetchone() == (0,)


@pytest.mark.parametrize(
    ("status", "said"),
    [(401, "right token"), (403, "may not be read"), (404, "nothing at"), (410, "gone for good"),
     (429, "too often"), (500, "answers 500")],
)  # fmt: skip
def test_each_refusal_of_a_server_is_told(near, web, status, said):
    web.answers["/d/refused.csv"] = status
    with pytest.raises(ConnectError, match=said):
        _read(near, web.url("/d/refused.csv"))


def test_a_redirect_is_followed_where_that_is_allowed_and_never_with_the_token(near, web):
    with web_server() as other:
        other.files["/x.csv"] = CSV
        web.leads["/d/moved.csv"] = other.url("/x.csv?sig=1")
        with pytest.raises(ConnectError, match=f"leads on to 127.0.0.1:{other.port}, which this"):
            _read(near, web.url("/d/moved.csv"), token="abc")
        found = _read(
            near, web.url("/d/moved.csv"), token="abc", leads_to=f"127.0.0.1:{other.port}"
        )
        assert found == [(0, "x0"), (1, "x1")]
        assert {given for _, _, given in other.asked} == {""}
        assert web.asked[-1][2] == "Bearer abc"
    web.leads["/d/round.csv"] = "/d/round.csv"
    with pytest.raises(ConnectError, match="never to a file"):
        _read(near, web.url("/d/round.csv"))


def test_a_token_goes_to_its_own_addresses_only(near, web):
    options = HttpOptions(addresses=web.url("/d/a.csv"), token="abc")
    Http().attach(near, options, "a")
    near.execute(f"FROM read_parquet('{web.url('/d/a.parquet')}')").fetchall()
    assert web.asked[-1][1:] == ("/d/a.parquet", "")
    near.execute("FROM files.main.a").fetchall()
    assert web.asked[-1][1:] == ("/d/a.csv", "Bearer abc")


def test_a_certificate_that_nobody_vouches_for_is_refused_unless_told_otherwise(near, tmp_path):
    with web_server(tls=tmp_path) as web:
        web.files["/a.csv"] = CSV
        with pytest.raises(ConnectError, match=r"cannot prove that it is 127\.0\.0\.1") as refusal:
            _read(near, web.url("/a.csv"))
        assert "certificate" in refusal.value.hint
        assert _read(near, web.url("/a.csv"), check_certificate=False) == [(0, "x0"), (1, "x1")]


def test_certificates_are_checked_behind_the_wall(here, tmp_path):
    with web_server(tls=tmp_path) as web:
        web.files |= {"/a.csv": CSV, "/b.csv": CSV}
        options = {"addresses": web.url("/a.csv"), "check_certificate": False}
        here.connections.add("trusted", "http", options)
        assert rows(here, "SELECT count(*) FROM trusted") == [(2,)]
        # Where the machine's certificates could not be read, it would say so instead.
        with pytest.raises(ConnectError, match="this machine does not trust its certificate"):
            rows(here, f"FROM read_csv('{web.url('/b.csv')}')")


def test_sql_may_name_addresses_of_hosts_that_are_granted_and_no_others(here, web):
    here.connections.add("one", "http", {"addresses": web.url("/d/a.csv")})
    assert rows(here, f"SELECT count(*) FROM read_parquet('{web.url('/d/a.parquet')}')") == [(2,)]
    web.answers["/d/secret.csv"] = 403
    said = {
        web.url("/d/no.csv"): (ConnectError, r"nothing at .*/d/no\.csv \(404\)"),
        web.url("/d/secret.csv"): (ConnectError, "needs a token, or does not accept"),
        "https://example.org/a.csv": (Forbidden, r"host example\.org:443 is not among"),
        "http://127.0.0.1:1/a.csv": (Forbidden, "host 127.0.0.1:1 is not among"),
        web.url("/d/a.csv").replace("http", "https"): (ConnectError, "does not speak TLS"),
    }
    for url, (kind, message) in said.items():
        with pytest.raises(kind, match=message):
            rows(here, f"FROM read_csv('{url}')")
    assert rows(here, "SELECT count(*) FROM one") == [(2,)]


def test_a_file_that_changes_is_seen_and_one_that_goes_is_told(here, web):
    web.files["/d/live.csv"] = b"n\n1\n"
    here.connections.add("live", "http", {"addresses": web.url("/d/live.csv")})
    assert rows(here, "FROM live") == [(1,)]
    web.files["/d/live.csv"] = b"n\n2\n3\n"
    assert rows(here, "FROM live") == [(2,), (3,)]
    web.files["/d/live.csv"] = b"n\n" + b"\n".join(b"%d" % n for n in range(300_000))
    assert rows(here, "SELECT count(*) FROM live") == [(300_000,)]
    del web.files["/d/live.csv"]
    with pytest.raises(ConnectError, match=r"nothing at .*/d/live\.csv"):
        rows(here, "FROM live")
    assert rows(here, "SELECT 1") == [(1,)]


def test_only_what_a_query_needs_is_fetched(near, web, tmp_path):
    wide = tmp_path / "wide.parquet"
    near.execute(
        "COPY (SELECT i AS a, hash(i) AS b, hash(i + 1) AS c, hash(i + 2) AS d "
        f"FROM range(200_000) r(i)) TO '{wide}'"
    )
    web.files["/d/wide.parquet"] = wide.read_bytes()
    web.given = 0
    Http().attach(near, HttpOptions(addresses=web.url("/d/wide.parquet")), "wide")
    assert near.execute("SELECT sum(a) FROM files.main.wide").fetchone() == (19_999_900_000,)
    assert web.given < os.path.getsize(wide) / 2
