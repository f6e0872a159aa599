"""What DuckDB says when it cannot read from a web server or an object store, in our own words.

It names the address that it asked for, never where that led on to, and hides some answers: of a
refusal with 401 or 403 it may only say 0. Whether the host was ours to ask is what decides.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from urllib.parse import SplitResult, urlsplit

from core.errors import ConnectError, Forbidden, MillpondError

_URL = re.compile(r"\b(?:https?|s3[an]?|gcs|gs|r2|hf|az|azure|abfss)://[^\s'\"]+")
_PORTS = {"http": 80, "https": 443}
_STATUS = re.compile(r"\(HTTP (\d+)|returned HTTP (\d+) |: (\d{3}) \(")
_CODE = re.compile(r"\n\n([A-Z]\w+): ([^\n]*)")
_KIND = re.compile(r"^[A-Z]\w+ Error: ")
_KINDS = ("IO", "HTTP", "Permission", "Missing Extension")

# What a store calls its refusal -> what a person can act on.
_CODES = {
    "SignatureDoesNotMatch": ("The secret key does not fit the key id.", "Enter both again."),
    "InvalidAccessKeyId": ("The store does not know the key id.", "Enter both keys again."),
    "ExpiredToken": ("The session token has expired.", "Enter new keys with a new token."),
    "InvalidToken": ("The session token is wrong.", "Enter new keys with a new token."),
    "RequestTimeTooSkewed": ("This machine's clock is wrong.", "Set it; stores allow 15 minutes."),
    "NoSuchBucket": ("There is no bucket of that name.", "Check the spelling and the endpoint."),
    "AccessDenied": (
        "The keys do not allow this, or there is no such bucket.",
        "Whoever owns the bucket must allow listing it and reading its objects.",
    ),
    "AuthorizationHeaderMalformed": ("The region is wrong.", "Enter the bucket's own region."),
    "PermanentRedirect": ("The bucket lies in another region.", "Enter its own region."),
}

_STATUSES = {
    0: (
        "{url} is not given: it needs a token, or does not accept the one it got.",
        "Look at the connection that reads it.",
    ),
    401: ("{url} is not given without the right token (401).", "Look at its connection."),
    403: (
        "{url} may not be read with these keys, or without any (403).",
        "Look at its connection.",
    ),
    301: ("{url} has moved.", "The bucket may lie in another region: enter its own."),
    400: ("{host} cannot do with what it was asked for {url} (400).", "Is the region right?"),
    404: ("There is nothing at {url} (404).", "Was it moved, renamed or deleted meanwhile?"),
    416: ("{url} has changed while it was read.", "Run the query again."),
    429: ("{host} was asked too often (429).", "Try again later."),
}

# What the HTTP client says of the way there.
_ON_THE_WAY = (
    (
        r"Could not resolve host",
        "There is no host named {name}, or it leads on to one that is not there.",
        "Check the spelling; inside a company it may need the VPN.",
    ),
    (
        r"Could not connect|Failed to connect",
        "{host} refuses connections, or leads on to a host that this workspace does not reach.",
        "Is it running? Test its connection: that says where it leads on to.",
    ),
    (
        r"SSL peer certificate|SSL certificate",
        "{name} cannot prove that it is {name}: this machine does not trust its certificate.",
        "Add its authority to this machine's certificates, or switch the check off for it.",
    ),
    (r"SSL connect", "{host} does not speak TLS there.", "Is it http:// or another port?"),
    (r"Timeout was reached", "{host} does not answer: nothing came in time.", "Try again later."),
    (r"maximum amount", "{url} leads on and on, and never to a file.", ""),
    (
        r"ETag on reading|more data than expected",
        "{url} has changed while it was read.",
        "Run the query again.",
    ),
)


def unreached(kind: str, text: str, hosts: Collection[str]) -> MillpondError | None:
    """Say why an address could not be read; None if the text is about none.

    `kind` is DuckDB's word for the error, `hosts` are those that may be reached, as `name:port`.
    """
    text = text.partition("\n\nLINE ")[0]  # below it is what a user wrote
    if text.startswith("File ") and " requires the extension " in text:
        kind = "Missing Extension"
    if kind not in _KINDS:
        return None
    if "Invalid query parameters found" in text:
        return ConnectError(
            "A file's name in the store holds a ?, with which DuckDB cannot read it.",
            hint="Rename it there, or choose a pattern that leaves it out.",
        )
    if (match := _URL.search(text)) is None:
        return None
    url = match[0].partition("?")[0]
    parts = urlsplit(url)
    if "No files found" in text:
        return ConnectError(f"There is no file that matches {url}.")
    if (code := _CODE.search(text)) and code[1] in _CODES:
        said, hint = _CODES[code[1]]
        return ConnectError(f"{url}: {said}", hint=hint)
    host = parts.netloc
    if parts.scheme in _PORTS:
        host = f"{_bare(parts)}:{parts.port or _PORTS[parts.scheme]}"
    granted = host.lower() in {each.lower() for each in hosts}
    if kind == "Missing Extension" or (parts.scheme in _PORTS and not granted):
        return _ungranted(host, granted)
    return _told(url, host, _bare(parts), text)


def _bare(parts: SplitResult) -> str:
    name = parts.hostname or ""
    return f"[{name}]" if ":" in name else name


def _ungranted(host: str, granted: bool) -> MillpondError:
    if granted:
        return Forbidden(
            f"{host} is known here, but not as a web server.",
            hint="Add a connection of the kind Web files for it.",
        )
    return Forbidden(
        f"The host {host} is not among those that this workspace may reach.",
        hint="Add a connection for it, or copy the file into a folder of this workspace.",
    )


def _told(url: str, host: str, name: str, text: str) -> ConnectError:
    known = {"url": url, "host": host, "name": name}
    for said, sentence, hint in _ON_THE_WAY:
        if re.search(said, text):
            return ConnectError(sentence.format(**known), hint=hint)
    match = _STATUS.search(text)
    status = int(next(each for each in match.groups() if each)) if match else -1
    if status in _STATUSES:
        sentence, hint = _STATUSES[status]
        return ConnectError(sentence.format(**known), hint=hint)
    if status >= 500:
        return ConnectError(f"{host} is at fault itself ({status}).", hint="Try again later.")
    first = text.partition("\n")[0]
    return ConnectError(f"{url} cannot be read: {_KIND.sub('', first).rstrip('. ')}.")
