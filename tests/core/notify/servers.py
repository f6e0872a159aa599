"""Servers that the tests talk to, and that misbehave when told to: SMTP, and posts."""

from __future__ import annotations

import base64
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


class Listener:
    """A server on a free port of this machine; each connection has a thread."""

    def __init__(self, tls: ssl.SSLContext | None = None, port: int = 0) -> None:
        self.tls = tls
        self.ending = threading.Event()
        self.connections = 0
        self._socket = socket.create_server(("127.0.0.1", port))
        self._socket.settimeout(0.05)
        self.port: int = self._socket.getsockname()[1]
        self._threads: list[threading.Thread] = []
        self._start(self._accept)

    def __enter__(self):
        return self

    def __exit__(self, *_: object) -> None:
        self.ending.set()
        for thread in self._threads:
            thread.join(10)
        self._socket.close()

    def serve(self, link: socket.socket) -> None:
        raise NotImplementedError

    def drip(self, link: socket.socket, text: bytes = b"2") -> None:
        """Send a byte now and then, for ever."""
        while not self.ending.wait(0.05):
            link.sendall(text)

    def _start(self, target, *args) -> None:
        thread = threading.Thread(target=target, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self.ending.is_set():
            with suppress(TimeoutError):
                link, _ = self._socket.accept()
                self.connections += 1
                self._start(self._talk, link)

    def _talk(self, link: socket.socket) -> None:
        link.settimeout(10)
        with suppress(OSError), link:  # whoever is there may go at any time
            self.serve(link)


@dataclass
class Mail:
    """A mail as the server got it."""

    sender: str
    recipient: str
    content: bytes
    encrypted: bool
    user: str

    @property
    def parsed(self) -> EmailMessage:
        return message_from_bytes(self.content, policy=policy.default)


class SmtpServer(Listener):
    """Takes mails, as `way` says: ok, silent, drip, flood, cut (after a mail's end), away (421)."""

    def __init__(self, tls: ssl.SSLContext | None = None, way: str = "ok", port: int = 0) -> None:
        self.way = way
        self.mails: list[Mail] = []
        self.refusals: dict[str, str] = {}
        self.data_refusals: dict[str, str] = {}
        self.password: str | None = None
        self.login = "PLAIN LOGIN"
        self.greeting_tls = False
        super().__init__(tls, port)

    def serve(self, link: socket.socket) -> None:
        if self.greeting_tls and self.tls:
            link = self.tls.wrap_socket(link, server_side=True)
        match self.way:
            case "silent":
                self.ending.wait()
            case "drip":
                self.drip(link)
            case "flood":
                while not self.ending.is_set():
                    link.sendall(b"250-more and more\r\n" * 1000)
            case "away":
                link.sendall(b"421 come back later\r\n")
            case _:
                with _Conversation(self, link) as talk:
                    talk.go()


class _Conversation:
    def __init__(self, server: SmtpServer, link: socket.socket) -> None:
        self.server, self.link = server, link
        self.file = link.makefile("rb")
        self.encrypted = server.greeting_tls
        self.user = self.sender = self.recipient = ""

    def __enter__(self):
        return self

    def __exit__(self, *_: object) -> None:
        self.file.close()
        if isinstance(self.link, ssl.SSLSocket):
            self.link.close()

    def say(self, text: str) -> None:
        self.link.sendall(text.encode() + b"\r\n")

    def go(self) -> None:
        self.say("220 test")
        while line := self.file.readline().decode().strip():
            verb, _, rest = line.partition(" ")
            if not getattr(self, f"on_{verb.lower()}", self.on_unknown)(rest):
                return

    def on_unknown(self, rest: str) -> bool:
        self.say("500 what?")
        return True

    def on_ehlo(self, rest: str) -> bool:
        offers = ["STARTTLS"] if self.server.tls and not self.encrypted else []
        offers += [f"AUTH {self.server.login}"] if self.server.password else []
        self.say("\r\n".join(["250-test", *(f"250-{each}" for each in offers), "250 HELP"]))
        return True

    def on_starttls(self, rest: str) -> bool:
        self.say("220 go")
        self.file.close()
        self.link = self.server.tls.wrap_socket(self.link, server_side=True)
        self.file = self.link.makefile("rb")
        self.encrypted = True
        return True

    def on_auth(self, rest: str) -> bool:
        if rest == "LOGIN":
            given = [self._asked(question) for question in ("VXNlcm5hbWU6", "UGFzc3dvcmQ6")]
        else:
            given = base64.b64decode(rest.split()[1]).decode().split("\0")[1:]
        self.user, password = given
        right = password == self.server.password
        # Some servers repeat what they were given.
        self.say("235 welcome" if right else f"535 wrong password {password}")
        return True

    def _asked(self, question: str) -> str:
        self.say(f"334 {question}")
        return base64.b64decode(self.file.readline()).decode()

    def on_mail(self, rest: str) -> bool:
        self.sender = rest.partition("<")[2].partition(">")[0]
        self.say("250 ok")
        return True

    def on_rcpt(self, rest: str) -> bool:
        self.recipient = rest.partition("<")[2].partition(">")[0]
        self.say(self.server.refusals.get(self.recipient, "250 ok"))
        return True

    def on_data(self, rest: str) -> bool:
        self.say("354 go on")
        lines: list[bytes] = []
        while (line := self.file.readline()) != b".\r\n":
            lines.append(line[1:] if line.startswith(b".") else line)
        if self.server.way == "cut":
            return False
        refusal = self.server.data_refusals.get(self.recipient)
        if refusal is None:
            mail = Mail(self.sender, self.recipient, b"".join(lines), self.encrypted, self.user)
            self.server.mails.append(mail)
        self.say(refusal or "250 taken")
        return True

    def on_rset(self, rest: str) -> bool:
        self.say("250 ok")
        return True

    def on_quit(self, rest: str) -> bool:
        self.say("221 bye")
        return False


@dataclass
class Post:
    """A request as the receiver got it; header names in lower case."""

    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Answer:
    """What the receiver says: a status line's rest, headers, and a body."""

    status: str = "200 OK"
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b"ok"

    def written(self) -> bytes:
        headers = {"Content-Length": str(len(self.body)), **self.headers}
        lines = [f"HTTP/1.1 {self.status}", *(f"{name}: {each}" for name, each in headers.items())]
        return "\r\n".join([*lines, "", ""]).encode() + self.body


class Receiver(Listener):
    """Takes posts, as `way` says: ok, silent, drip, flood, cut (in the middle), noise."""

    def __init__(self, tls: ssl.SSLContext | None = None, way: str = "ok") -> None:
        self.way = way
        self.answers: list[Answer] = []
        """What it says in turn; the last one from then on."""
        self.posts: list[Post] = []
        super().__init__(tls)

    def serve(self, link: socket.socket) -> None:
        if self.tls:
            link = self.tls.wrap_socket(link, server_side=True)
        with link:
            self.posts.append(_read_post(link))
            self._answer(link)

    def _answer(self, link: socket.socket) -> None:
        match self.way:
            case "silent":
                self.ending.wait()
            case "drip":
                link.sendall(b"HTTP/1.1 200 OK\r\nX: ")
                self.drip(link, b"x")
            case "flood":
                link.sendall(b"HTTP/1.1 200 OK\r\n")
                while not self.ending.is_set():
                    link.sendall(b"X-More: " + b"x" * 60_000 + b"\r\n")
            case "cut":
                link.sendall(b"HTTP/1.1 20")
            case "noise":
                link.sendall(b"SSH-2.0-OpenSSH\r\n\r\n")
            case _:
                turn = min(len(self.posts), len(self.answers)) - 1
                link.sendall((self.answers[turn] if self.answers else Answer()).written())


def _read_post(link: socket.socket) -> Post:
    with link.makefile("rb") as file:
        _, path, _ = file.readline().decode().split(" ")
        headers = {}
        while line := file.readline().decode().strip():
            name, _, value = line.partition(": ")
            headers[name.lower()] = value
        return Post(path, headers, file.read(int(headers["content-length"])))


@dataclass
class Authority:
    """A certificate authority of the tests' own, trusted through SSL_CERT_FILE."""

    folder: Path
    file: Path
    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    @classmethod
    def make(cls, folder: Path) -> Authority:
        key = ec.generate_private_key(ec.SECP256R1())
        name = _name("tests")
        builder = _builder(name, name, key.public_key()).add_extension(
            x509.BasicConstraints(ca=True, path_length=0), critical=True
        )
        certificate = builder.sign(key, hashes.SHA256())
        file = folder / "authority.pem"
        file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        return cls(folder, file, key, certificate)

    def server(self, host: str) -> ssl.SSLContext:
        """Return what a server of this name shows."""
        key = ec.generate_private_key(ec.SECP256R1())
        try:
            alternative: x509.GeneralName = x509.IPAddress(ip_address(host))
        except ValueError:
            alternative = x509.DNSName(host)
        certificate = (
            _builder(_name(host), self.certificate.subject, key.public_key())
            .add_extension(x509.SubjectAlternativeName([alternative]), critical=False)
            .sign(self.key, hashes.SHA256())
        )
        file = self.folder / "server.pem"
        secret = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM) + secret)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        return context


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _builder(subject: x509.Name, issuer: x509.Name, key) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return x509.CertificateBuilder(
        issuer,
        subject,
        key,
        x509.random_serial_number(),
        now - timedelta(days=1),
        now + timedelta(days=1),
    )


@contextmanager
def nobody() -> Iterator[int]:
    """Give a port at which nothing answers."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]
