"""Certificates of authorities, as a person pastes them into a form."""

from __future__ import annotations

import re
import ssl

_CERTIFICATE = re.compile(
    r"-----BEGIN CERTIFICATE-----([\sA-Za-z0-9+/=]+)-----END CERTIFICATE-----"
)


def certificates(text: str) -> str:
    """Return the certificates in a text as PEM has them; "" for none given.

    Raises ValueError for a text that holds none, or none that can be read.
    """
    if not text.strip():
        return ""
    found = _CERTIFICATE.findall(text)  # line breaks may be lost on the way through a form
    if not found:
        raise ValueError("holds no certificate: it begins with -----BEGIN CERTIFICATE-----")
    pem = "".join(_pem("".join(each.split())) for each in found)
    try:
        ssl.create_default_context(cadata=pem)
    except ssl.SSLError as error:
        raise ValueError("is no certificate that can be read") from error
    return pem


def _pem(body: str) -> str:
    """Write a certificate as PEM has it: lines of 64 characters between two marks."""
    lines = "\n".join(body[at : at + 64] for at in range(0, len(body), 64))
    return f"-----BEGIN CERTIFICATE-----\n{lines}\n-----END CERTIFICATE-----\n"
