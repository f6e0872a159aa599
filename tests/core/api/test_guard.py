"""The wall of local mode, against what a page elsewhere or another machine may send."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx
import pytest

from core.api.guard import LocalOnly

OPEN = (b"access-control-allow-origin", b"*")


async def _app(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.accept"})
    elif scope["type"] == "http":
        await send({"type": "http.response.start", "status": 200, "headers": [OPEN]})
        await send({"type": "http.response.body", "body": b"in"})
    else:
        await send({"type": "lifespan.startup.complete"})


def _ask(
    *headers: tuple[str, str],
    path: str = "/api/v1/health",
    kind: str = "http",
    client: tuple[str, int] | None = ("127.0.0.1", 5),
    scheme: str = "",
    method: str = "GET",
) -> list[dict[str, Any]]:
    sent: list[dict[str, Any]] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> dict[str, Any]:
        return {"type": f"{kind}.connect"}

    scope = {
        "type": kind,
        "path": path,
        "method": method,
        "client": client,
        "scheme": scheme or ("ws" if kind == "websocket" else "http"),
        "headers": [(name.lower().encode(), value.encode("latin-1")) for name, value in headers],
    }
    asyncio.run(LocalOnly(_app)(scope, receive, send))
    return sent


LOCAL = ("Host", "localhost:8501")

HOSTILE_NAMES = [
    [],  # HTTP/1.0 names none
    [("Host", "")],
    [("Host", "evil.example")],  # DNS rebinding: the name leads to 127.0.0.1
    [("Host", "localhost.evil.example")],
    [("Host", "evil.example:8501")],
    [("Host", "localhost@evil.example")],
    [("Host", "127.0.0.1.nip.io")],
    [("Host", "2130706433")],  # 127.0.0.1 as one number
    [("Host", "0.0.0.0:8501")],
    [("Host", "[::]:8501")],
    [("Host", "::1")],
    [("Host", "localhost:85:01")],
    [("Host", "localhost:")],
    [("Host", "localhost:8501\n")],
    [("Host", "localhost\u00b2")],
    [LOCAL, ("Host", "evil.example")],
    [("Host", "evil.example"), ("X-Forwarded-Host", "localhost:8501")],
]
HOSTILE_ORIGINS = [
    [LOCAL, ("Origin", "null")],  # a sandboxed frame, a file
    [LOCAL, ("Origin", "")],
    [LOCAL, ("Origin", "http://evil.example")],
    [LOCAL, ("Origin", "http://localhost:3000")],  # another program on this machine
    [LOCAL, ("Origin", "http://localhost")],
    [LOCAL, ("Origin", "https://localhost:8501")],  # served by who knows whom
    [LOCAL, ("Origin", "http://127.0.0.1:8501")],
    [LOCAL, ("Origin", "http://localhost:8501.evil.example")],
    [LOCAL, ("Origin", "http://evil.example@localhost:8501")],
    [LOCAL, ("Origin", "http://localhost:8501/")],
    [LOCAL, ("Origin", "chrome-extension://localhost:8501")],
    [LOCAL, ("Origin", "http://localhost:8501"), ("Origin", "http://evil.example")],
]


@pytest.mark.parametrize("headers", HOSTILE_NAMES + HOSTILE_ORIGINS)
@pytest.mark.parametrize("path", ["/", "/api/v1/health", "/_stcore/health"])
def test_a_hostile_request_gets_a_problem_and_nothing_else(
    headers: list[tuple[str, str]], path: str
) -> None:
    start, body = _ask(*headers, path=path)
    assert start["status"] == 403
    assert (b"content-type", b"application/problem+json") in start["headers"]
    assert json.loads(body["body"])["type"] == "urn:millpond:forbidden"


@pytest.mark.parametrize("headers", HOSTILE_NAMES + HOSTILE_ORIGINS)
def test_a_hostile_websocket_is_closed_before_it_is_accepted(
    headers: list[tuple[str, str]],
) -> None:
    (answer,) = _ask(*headers, path="/_stcore/stream", kind="websocket")
    assert (answer["type"], answer["code"]) == ("websocket.close", 1008)


@pytest.mark.parametrize(
    ("headers", "scheme"),
    [
        ([LOCAL], "http"),  # a program, or an address typed by hand
        ([("Host", "LocalHost:8501")], "http"),
        ([("Host", "127.0.0.1")], "http"),
        ([("Host", "[::1]:8501")], "http"),
        ([LOCAL, ("Origin", "http://localhost:8501")], "http"),
        ([("Host", "localhost"), ("Origin", "http://localhost:80")], "http"),
        ([("Host", "localhost:443"), ("Origin", "https://localhost")], "https"),
        ([LOCAL, ("Origin", "http://localhost:8501"), ("Sec-Fetch-Site", "same-origin")], "http"),
        ([LOCAL, ("Sec-Fetch-Site", "none")], "http"),
    ],
)
def test_its_own_pages_and_programs_of_this_machine_get_in(
    headers: list[tuple[str, str]], scheme: str
) -> None:
    assert _ask(*headers, scheme=scheme)[0]["status"] == 200


@pytest.mark.parametrize("scheme", ["ws", "wss"])
def test_a_websocket_of_an_own_page_is_accepted(scheme: str) -> None:
    origin = ("Origin", f"{scheme.replace('ws', 'http')}://localhost:8501")
    (answer,) = _ask(LOCAL, origin, kind="websocket", scheme=scheme)
    assert answer["type"] == "websocket.accept"


@pytest.mark.parametrize(
    ("client", "status"),
    [
        (("127.0.0.1", 5), 200),
        (("127.8.9.1", 5), 200),
        (("::1", 5), 200),
        (("::ffff:127.0.0.1", 5), 200),
        (("::ffff:10.0.0.1", 5), 403),
        (("10.0.0.1", 5), 403),
        (("192.168.1.20", 5), 403),
        (("fe80::1", 5), 403),
        (("somewhere", 5), 403),
        (None, 403),
    ],
)
def test_only_this_machine_is_answered(client: tuple[str, int] | None, status: int) -> None:
    assert _ask(LOCAL, client=client)[0]["status"] == status


@pytest.mark.parametrize(
    ("path", "site", "dest", "status"),
    [
        ("/query", "cross-site", "document", 200),  # a link in a mail opens a page
        ("/query", "cross-site", "iframe", 403),  # nobody may be tricked into clicking in it
        ("/query", "same-site", "iframe", 403),
        ("/query", "same-origin", "iframe", 200),
        ("/api/v1/health", "cross-site", "image", 403),
        ("/api/v1/health", "cross-site", "document", 403),
        ("/api/v1/health", "same-site", "script", 403),  # another port of this machine
        ("/api", "cross-site", "document", 403),
        ("/apiary", "cross-site", "document", 200),
    ],
)
def test_what_browsers_tell_of_other_sites_is_heeded(
    path: str, site: str, dest: str, status: int
) -> None:
    headers = [LOCAL, ("Sec-Fetch-Site", site), ("Sec-Fetch-Dest", dest)]
    assert _ask(*headers, path=path)[0]["status"] == status


WAY_OUT = "/api/v1/unsubscribe"
FROM_ELSEWHERE = [
    # A link in webmail, then the form of the page that it opens.
    [LOCAL, ("Sec-Fetch-Site", "cross-site"), ("Sec-Fetch-Dest", "document")],
    [LOCAL, ("Origin", "null"), ("Sec-Fetch-Site", "cross-site")],
    # Through a proxy, under the name that people know.
    [("Host", "data.example.org"), ("Origin", "https://data.example.org")],
    [("Host", "data.example.org"), ("X-Forwarded-Proto", "https")],
]


@pytest.mark.parametrize("client", [("127.0.0.1", 5), ("203.0.113.9", 5)])
@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("headers", FROM_ELSEWHERE)
def test_the_way_out_of_a_list_is_open_to_whoever_has_its_link(
    headers: list[tuple[str, str]], method: str, client: tuple[str, int]
) -> None:
    # A provider's server: uvicorn puts what a proxy says of it in place of the proxy.
    answer = _ask(*headers, path=WAY_OUT, method=method, client=client)
    assert answer[0]["status"] == 200
    assert answer[0]["headers"] == [(b"x-frame-options", b"SAMEORIGIN")]


@pytest.mark.parametrize(
    ("path", "method", "kind"),
    [
        (WAY_OUT, "OPTIONS", "http"),  # no preflight: no page elsewhere may read the answer
        (WAY_OUT, "DELETE", "http"),
        (WAY_OUT, "GET", "websocket"),
        (f"{WAY_OUT}/", "GET", "http"),
        (f"{WAY_OUT}/../jobs", "GET", "http"),
        (f"/{WAY_OUT}", "GET", "http"),
        (f"{WAY_OUT}d", "GET", "http"),
        (WAY_OUT.upper(), "GET", "http"),
        ("/api/v1", "GET", "http"),
        ("/api/v1/jobs", "POST", "http"),
        ("/", "GET", "http"),
    ],
)
@pytest.mark.parametrize("headers", FROM_ELSEWHERE[1:3])
def test_nothing_else_is_opened_by_it(
    headers: list[tuple[str, str]], path: str, method: str, kind: str
) -> None:
    (answer, *_) = _ask(*headers, path=path, method=method, kind=kind)
    assert answer.get("status", 403) == 403
    assert answer["type"] in ("http.response.start", "websocket.close")


def test_no_answer_opens_itself_to_other_origins_or_frames() -> None:
    headers = _ask(LOCAL)[0]["headers"]
    assert headers == [(b"x-frame-options", b"SAMEORIGIN")]


def test_the_lifespan_passes() -> None:
    assert _ask(kind="lifespan")[0]["type"] == "lifespan.startup.complete"


def test_a_real_server_refuses_another_name_and_a_preflight(http: httpx.Client) -> None:
    assert http.get("/api/v1/health").status_code == 200
    assert http.get("/api/v1/health", headers={"Host": "evil.example"}).status_code == 403
    preflight = {
        "Origin": "http://evil.example",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "content-type",
    }
    answer = http.options("/api/v1/query", headers=preflight)
    assert answer.status_code == 403
    assert not [name for name in answer.headers if name.startswith("access-control")]
