"""A web server for the tests: files with ranges, tokens, redirects and bad days, TLS on request."""

from __future__ import annotations

import datetime as dt
import hashlib
import ipaddress
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote

SECRET = "t0ken-of-9~words"
ITEMS = 'id,name\n1,"ä\'"""\n2,\n'.encode()


@dataclass
class WebServer:
    """Serves `files` by their paths, unquoted; what is asked is kept in `asked`, as method,
    path and authorization, and the bytes that were given in `given`.

    `answers` are statuses to give in place of a file, `leads` where a path leads on to. With a
    `token`, nothing is given without it. `ranges` off: each answer is the whole file.
    """

    scheme: str = "http"
    port: int = 0
    files: dict[str, bytes] = field(default_factory=dict)
    answers: dict[str, int] = field(default_factory=dict)
    leads: dict[str, str] = field(default_factory=dict)
    token: str = ""
    ranges: bool = True
    heads: bool = True
    asked: list[tuple[str, str, str]] = field(default_factory=list)
    given: int = 0
    server: ThreadingHTTPServer | None = field(default=None, repr=False)
    context: ssl.SSLContext | None = field(default=None, repr=False)

    def url(self, path: str) -> str:
        return f"{self.scheme}://127.0.0.1:{self.port}{path}"

    @property
    def options(self) -> dict[str, str]:
        """What a connection to its items needs."""
        return {"addresses": self.url("/data/items.csv"), "token": self.token}

    @property
    def secret(self) -> str:
        return SECRET

    def filled(self, option: str) -> str:
        """Put its own address into an option of a case."""
        tls = f"https://127.0.0.1:{self.port}"
        return option.replace("{base}", self.url("")).replace("{tls}", tls)

    def start(self) -> None:
        """Listen, on the port of before if there was one."""
        handler = type("Handler", (_Handler,), {"web": self})
        self.server = _Quiet(("127.0.0.1", self.port), handler)
        self.port = self.server.server_address[1]
        if self.context is not None:
            self.server.socket = self.context.wrap_socket(
                self.server.socket, server_side=True, do_handshake_on_connect=False
            )
        threading.Thread(target=self.server.serve_forever, args=[0.05], daemon=True).start()

    def stop(self) -> None:
        """Close the port; what is connected is broken off."""
        if self.server is not None:
            self.server.shutdown()
            self.server.server_close()
            for each in self.server.open:
                each.close()
            self.server = None


class _Quiet(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    allow_reuse_address = True

    def __init__(self, *args: object) -> None:
        super().__init__(*args)
        self.open: list = []

    def process_request(self, request, client_address) -> None:
        self.open.append(request)
        super().process_request(request, client_address)

    def handle_error(self, request, client_address) -> None:
        pass  # a client that goes away, or does not trust the certificate


class _Handler(BaseHTTPRequestHandler):
    web: WebServer
    protocol_version = "HTTP/1.1"

    def do_HEAD(self) -> None:
        self._answer(body=False)

    def do_GET(self) -> None:
        self._answer(body=True)

    def log_message(self, *args: object) -> None:
        pass

    def _answer(self, *, body: bool) -> None:
        web, path = self.web, unquote(self.path.partition("?")[0])
        given = self.headers.get("Authorization", "")
        web.asked.append((self.command, self.path, given))
        if not body and not web.heads:
            self._plain(405)
        elif path in web.answers:
            self._plain(web.answers[path])
        elif path in web.leads:
            self._plain(302, {"Location": web.leads[path]})
        elif web.token and given != f"Bearer {web.token}":
            self._plain(401)
        elif path not in web.files:
            self._plain(404)
        else:
            self._file(web.files[path], body=body)

    def _plain(self, status: int, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {**(headers or {}), "Content-Length": "0"}.items():
            self.send_header(name, value)
        self.end_headers()

    def _file(self, data: bytes, *, body: bool) -> None:
        asked = self.headers.get("Range", "")
        whole = len(data)
        etag = hashlib.sha256(data).hexdigest()[:16]
        if asked and self.web.ranges:
            first, _, last = asked.removeprefix("bytes=").partition("-")
            start, end = int(first), min(int(last or whole), whole - 1)
            if start >= whole:
                self._plain(416)
                return
            data = data[start : end + 1]
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {start}-{end}/{whole}")
        else:
            self.send_response(200)
        if self.web.ranges:
            self.send_header("Accept-Ranges", "bytes")
        self.send_header("ETag", f'"{etag}"')
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if body:
            self.web.given += len(data)
            self.wfile.write(data)


@contextmanager
def web_server(*, tls: Path | None = None) -> Iterator[WebServer]:
    """Run a web server on a free port; `tls` is a folder for a certificate that nobody trusts."""
    web = WebServer(scheme="https" if tls else "http")
    if tls is not None:
        web.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        web.context.load_cert_chain(self_signed(tls))
    web.start()
    try:
        yield web
    finally:
        web.stop()


@contextmanager
def serving_files() -> Iterator[WebServer]:
    """Run a web server that gives /data/items.csv to who has the token."""
    with web_server() as web:
        web.token = SECRET
        web.files["/data/items.csv"] = ITEMS
        yield web


def self_signed(folder: Path) -> Path:
    """Write a certificate for 127.0.0.1, and its key, into one file."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = dt.datetime.now(dt.UTC)
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        .sign(key, hashes.SHA256())
    )
    file = folder / "certificate.pem"
    file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    return file
