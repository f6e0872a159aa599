"""A first question to whoever answers at an address of the web.

DuckDB reads what lies there; its errors often hide the reason, and it follows redirects without
saying where to. So a test asks once itself, for the first bytes only, and tells each step apart.
"""

from __future__ import annotations

import http.client
import re
import ssl
from collections.abc import Collection
from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit

from connectors._addresses import PORTS, host_of, shown
from connectors._ports import opened
from core.errors import ConnectError

_REDIRECTS = (301, 302, 303, 307, 308)
_MOST_REDIRECTS = 10

_STATUSES = {
    401: ("{url} is not given without the right token (401).", "Enter the token again."),
    403: ("{url} may not be read with this token, or without one (403).", "Ask who owns it."),
    404: ("There is nothing at {url} (404).", "Was it moved, renamed or deleted meanwhile?"),
    410: ("What was at {url} is gone for good (410).", ""),
    416: ("{url} is empty (0 bytes).", "Was it written to the end?"),
    429: ("{host} was asked too often (429).", "Try again later."),
}


@dataclass(frozen=True)
class Answer:
    """What a server said of a file: its size in bytes where it tells, and who it is.

    `url` is where it lies after redirects. With `ranges` parts of it can be fetched alone.
    """

    url: str
    size: int | None
    ranges: bool
    server: str
    changed: str


def ask(
    url: str, *, token: str = "", verify: bool = True, seconds: float, reachable: Collection[str]
) -> Answer:
    """Ask for the first bytes of a file, redirects followed to `reachable` hosts.

    Raises ConnectError that says which step failed: the name, the port, TLS, the token, the file.
    """
    at = url
    for _ in range(_MOST_REDIRECTS):
        own = host_of(at) == host_of(url)
        response = _response(at, token if own else "", verify, seconds)
        if response.status not in _REDIRECTS:
            return _answer(at, response)
        at = urljoin(at, response.getheader("Location", ""))
        if urlsplit(at).scheme not in PORTS or host_of(at) not in reachable:
            raise ConnectError(
                f"{shown(url)} leads on to {host_of(at)}, which this connection does not reach.",
                hint="Add that host to those that it may lead on to.",
            )
    raise ConnectError(f"{shown(url)} leads on and on, and never to a file.")


def greet(url: str, verify: bool, seconds: float) -> str:
    """Ask for anything, and return who the server says it is; any answer will do.

    Raises ConnectError that tells apart: no such name, refused, TLS, no answer.
    """
    return _response(url, "", verify, seconds).getheader("Server", "")


def _response(url: str, token: str, verify: bool, seconds: float) -> http.client.HTTPResponse:
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or PORTS[parts.scheme]
    asked = http.client.HTTPConnection(host, port, timeout=seconds)
    asked.sock = opened(host, port, seconds)
    try:
        if parts.scheme == "https":
            asked.sock = _context(verify).wrap_socket(asked.sock, server_hostname=host)
        headers = {"Range": "bytes=0-0", "Accept-Encoding": "identity"}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        asked.request(
            "GET", f"{parts.path or '/'}{'?' * bool(parts.query)}{parts.query}", headers=headers
        )
        return asked.getresponse()
    except ssl.SSLCertVerificationError as error:
        raise ConnectError(
            f"{host} cannot prove that it is {host}: {error.verify_message}.",
            hint="Add its authority to this machine's certificates, or switch off the check.",
        ) from error
    except ssl.SSLError as error:
        raise ConnectError(
            f"{host} does not speak TLS on port {port}.",
            hint="Does the address begin with http://?",
        ) from error
    except TimeoutError as error:
        raise ConnectError(
            f"{host} does not answer: nothing came within {seconds} s.",
            hint="What listens there may be no web server.",
        ) from error
    except (http.client.HTTPException, OSError) as error:
        raise ConnectError(
            f"{host} broke the connection off.",
            hint="It may be restarting, want https://, or be no web server.",
        ) from error
    finally:
        asked.close()


def _context(verify: bool) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _answer(url: str, response: http.client.HTTPResponse) -> Answer:
    status = response.status
    if status in _STATUSES:
        said, hint = _STATUSES[status]
        raise ConnectError(said.format(url=shown(url), host=host_of(url)), hint=hint)
    if status >= 400:
        raise ConnectError(
            f"{host_of(url)} answers {status} {response.reason} for {shown(url)}.",
            hint="It is at fault itself: try again later." if status >= 500 else "",
        )
    ranges = status == 206
    told = response.getheader("Content-Range" if ranges else "Content-Length", "")
    size = re.search(r"(\d+)$", told)
    if size and int(size[1]) == 0:
        raise ConnectError(f"{shown(url)} is empty (0 bytes).", hint="Was it written to the end?")
    return Answer(
        url,
        int(size[1]) if size else None,
        ranges,
        response.getheader("Server", ""),
        response.getheader("Last-Modified", ""),
    )
