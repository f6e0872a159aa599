"""Addresses of the web: how they are written, and what of them is shown."""

from __future__ import annotations

from urllib.parse import quote, urlsplit

PORTS = {"http": 80, "https": 443}
# What is left as it is: percent signs are quotes already, and `*` and `[` mean patterns to DuckDB.
_PATH_SIGNS = "/%:@!$&'()+,;=~-._"


def normal(address: str) -> str:
    """Write an address as DuckDB needs it. Raises ValueError for what is none."""
    address = address.strip()
    if any(ord(sign) < 32 or ord(sign) == 127 for sign in address):
        raise ValueError("an address holds a control character")
    parts = urlsplit(address)
    if parts.scheme not in PORTS or not parts.hostname:
        raise ValueError(f"{address!r} is no address that begins with https:// or http://")
    if parts.username is not None or parts.password is not None:
        raise ValueError("leave user and password out of the address: it can be read by SQL")
    host = (
        parts.hostname.encode("idna").decode() if not parts.hostname.isascii() else parts.hostname
    )
    host = f"[{host}]" if ":" in host else host
    port = f":{parts.port}" if parts.port and parts.port != PORTS[parts.scheme] else ""
    path = quote(parts.path or "/", safe=_PATH_SIGNS)
    query = f"?{quote(parts.query, safe=_PATH_SIGNS + '?')}" if parts.query else ""
    return f"{parts.scheme}://{host}{port}{path}{query}"


def host_of(url: str) -> str:
    """Return the host of an address as `name:port`."""
    parts = urlsplit(url)
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    return f"{host}:{parts.port or PORTS.get(parts.scheme, 0)}"


def shown(url: str) -> str:
    """Return an address for people: without its query, which may hold a key."""
    return url.partition("?")[0]
