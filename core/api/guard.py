"""The wall of local mode: answers only this machine, by its own name, to its own pages.

Local mode asks for no password, so nothing but the browser's rules would keep a web page elsewhere
from calling it. It stands before everything, the UI's websocket too. It is no authentication.

One address passes it: where mails' links to unsubscribe lead. Its token is all the right that it
asks for, and it comes from elsewhere by its nature: from webmail, from a mail provider's server,
through a proxy under the host of MILLPOND_PUBLIC_URL.
"""

from __future__ import annotations

import re
from collections import Counter
from ipaddress import IPv6Address, ip_address

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core.api.problems import problem

# Only these names: any other that resolves to 127.0.0.1 may be somebody else's (DNS rebinding).
_HOST = re.compile(r"(?P<name>localhost|127\.0\.0\.1|\[::1\])(?::(?P<port>[0-9]{1,5}))?", re.I)
_ORIGIN = re.compile(r"(?P<scheme>https?)://(?P<host>[^/?#@\s]+)")
_PORTS = {"http": 80, "https": 443}
_PAGE_SCHEME = {"ws": "http", "wss": "https"}
_OWN_SITES = ("same-origin", "none")
_FRAMES = ("iframe", "frame", "embed", "object")
_FOR_EVERYBODY = ("/api/v1/unsubscribe", ("GET", "POST"))


class LocalOnly:
    """ASGI middleware that refuses, with 403, whatever does not come from here."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it; a websocket is closed before it is accepted."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        refusal = "" if _is_for_everybody(scope) else _refusal(scope)
        if not refusal:
            await self._app(scope, receive, _hardened(send))
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008, "reason": refusal[:100]})
        else:
            hint = "Open it on this machine, as http://localhost and its port."
            await problem(403, "forbidden", refusal, hint=hint)(scope, receive, send)


def _is_for_everybody(scope: Scope) -> bool:
    # The path as routes compare it, whole: what is spelled in another way is not this address.
    path, methods = _FOR_EVERYBODY
    return scope["type"] == "http" and scope["path"] == path and scope["method"] in methods


def _refusal(scope: Scope) -> str:
    """Say why a request is refused; nothing if it is not."""
    client = scope.get("client")
    if not client or not _is_loopback(client[0]):
        return "This workbench answers only the machine that it runs on."
    headers = [(name.lower(), value.decode("latin-1")) for name, value in scope["headers"]]
    counted = Counter(name for name, _ in headers)
    if counted[b"host"] != 1 or counted[b"origin"] > 1:
        return "A request must name one Host, and at most one Origin."
    given = dict(headers)
    host = _HOST.fullmatch(given[b"host"])
    if host is None:
        return "This workbench answers only under the names localhost, 127.0.0.1 and [::1]."
    scheme = str(scope["scheme"])
    scheme = _PAGE_SCHEME.get(scheme, scheme)
    if b"origin" in given and _origin(given[b"origin"]) != (scheme, *_address(host, scheme)):
        return "Pages of other origins may not call this workbench."
    if _comes_from_elsewhere(scope, given):
        return "Pages of other sites may not call this workbench, nor frame it."
    return ""


def _is_loopback(host: str) -> bool:
    try:
        address = ip_address(host)
    except ValueError:
        return False
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return (mapped or address).is_loopback


def _origin(text: str) -> tuple[str, str, int] | None:
    """Read an Origin as scheme, name, port; `null` and everything odd is None."""
    match = _ORIGIN.fullmatch(text.lower())
    host = _HOST.fullmatch(match["host"]) if match else None
    return (match["scheme"], *_address(host, match["scheme"])) if match and host else None


def _address(host: re.Match[str], scheme: str) -> tuple[str, int]:
    return host["name"].lower(), int(host["port"] or _PORTS[scheme])


def _comes_from_elsewhere(scope: Scope, given: dict[bytes, str]) -> bool:
    """Read what browsers say of a request that carries no Origin: images, scripts, links, frames.

    A link from elsewhere may open a page of the UI, in the whole window, and no more than that.
    """
    if scope["type"] == "websocket" or given.get(b"sec-fetch-site", "none") in _OWN_SITES:
        return False
    path = scope["path"]
    is_api = path == "/api" or path.startswith("/api/")
    return is_api or given.get(b"sec-fetch-dest", "") in _FRAMES


def _hardened(send: Send) -> Send:
    """Take away what would open a response to other origins; let nobody else frame it."""

    async def harden(message: Message) -> None:
        if message["type"] == "http.response.start":
            own = [each for each in message.get("headers", ()) if not _opens(each[0])]
            message["headers"] = [*own, (b"x-frame-options", b"SAMEORIGIN")]
        await send(message)

    return harden


def _opens(header: bytes) -> bool:
    return header.lower().startswith((b"access-control-", b"x-frame-options"))
