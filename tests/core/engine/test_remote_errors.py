"""What DuckDB says of addresses, and what a person reads: texts as DuckDB 1.5.5 writes them."""

from __future__ import annotations

import pytest

from core.engine.worker.remote import unreached
from core.errors import ConnectError, Forbidden

HOSTS = ("data.example:443", "S3.eu-central-1.amazonaws.com:443")
URL = "https://data.example/a.csv"
CASES = [  # kind, text, what is said
    ("HTTP", f"HTTP Error: HTTP GET error on '{URL}' (HTTP 404 Not Found)", "nothing at .*a.csv"),
    ("HTTP", f"HTTP Error: HTTP GET error on '{URL}' (HTTP 0 Internal Server Error)", "a token"),
    ("HTTP", f"HTTP Error: Request returned HTTP 503 for HTTP HEAD to '{URL}'", r"fault.*\(503\)"),
    ("IO", f"IO Error: Could not connect to server error for HTTP HEAD to '{URL}'", "refuses conn"),
    ("IO", f"IO Error: Timeout was reached error for HTTP HEAD to '{URL}'", "does not answer"),
    ("IO", f"IO Error: SSL connect error error for HTTP HEAD to '{URL}'", "does not speak TLS"),
    ("HTTP", f'HTTP Error: ETag on reading file "{URL}" was initially "a"', "has changed while"),
    # AWS, as its documentation has it: nobody here has run it.
    (
        "HTTP",
        "HTTP Error: HTTP GET error reading 's3://b' in region 'eu-west-1' (HTTP 301 Moved)\n\n"
        "PermanentRedirect: The bucket you are attempting to access must be addressed otherwise.",
        "another region",
    ),
    (
        "HTTP",
        "HTTP Error: HTTP GET error reading 's3://b' in region 'x' (HTTP 400 Bad Request)\n\n"
        "AuthorizationHeaderMalformed: the region 'x' is wrong; expecting 'eu-west-1'",
        "The region is wrong",
    ),
    (
        "HTTP",
        "HTTP Error: HTTP GET error reading 's3://b' in region 'x' (HTTP 400 Bad Request)\n\n"
        "ExpiredToken: The provided token has expired.",
        "token has expired",
    ),
    (
        "IO",
        'IO Error: No files found that match the pattern "s3://b/no*.csv"',
        "no file that match",
    ),
]


@pytest.mark.parametrize(("kind", "text", "said"), CASES)
def test_an_answer_of_a_host_that_is_granted_is_told(kind, text, said):
    error = unreached(kind, text, HOSTS)
    assert isinstance(error, ConnectError)
    with pytest.raises(ConnectError, match=said):
        raise error


@pytest.mark.parametrize(
    ("text", "host"),
    [
        ("IO Error: Could not resolve hostname error for HTTP GET to 'https://b.s3.x.com/?l=2'",
         "b.s3.x.com:443"),
        ("IO Error: Could not connect to server error for HTTP HEAD to 'http://data.example/a'",
         "data.example:80"),
        ('File https://other.example/a.csv requires the extension httpfs to be loaded',
         "other.example"),
        ("HTTP Error: HTTP GET error on 'https://other.example/a' (HTTP 404 Not Found)",
         "other.example:443"),
    ],
)  # fmt: skip
def test_a_host_that_is_not_granted_is_named(text, host):
    kind = "HTTP" if text.startswith("HTTP") else "IO"
    with pytest.raises(Forbidden, match=host):
        raise unreached(kind, text, HOSTS) or AssertionError(text)


def test_a_key_in_an_address_is_not_repeated():
    text = "HTTP Error: HTTP GET error on 'https://data.example/a?sig=KEY' (HTTP 404 Not Found)"
    assert "KEY" not in str(unreached("HTTP", text, HOSTS))


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("IO", "IO Error: Cannot open file \"/x\"\n\nLINE 1: SELECT 'https://data.example/a'"),
        ("Catalog", "Catalog Error: Table with name https://data.example does not exist"),
        ("Conversion", "Conversion Error: Could not convert string 'https://x.example' to INT32"),
    ],
)
def test_what_only_quotes_an_address_is_no_matter_of_it(kind, text):
    assert unreached(kind, text, HOSTS) is None
