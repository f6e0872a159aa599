"""Sail, which speaks Spark Connect as Spark does and starts in a second: run for tests, on a port
of its own.
"""

from __future__ import annotations

import socket
import ssl
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread
from typing import Any

import psutil
import pytest

from tests.connectors.servers import STARTS_WITHIN, free_port, wait_for

HOW_TO_GET_SAIL = (
    "Spark's client and Sail are missing: run the tests by `uv run --group spark pytest -m spark`."
)
TOKEN = "t0k-9f_secret"
BUSY = "how many statements are under way"
"""What `execute` answers itself: Sail keeps no list of them, but they take its processor."""

_SERVE = (
    "import sys\n"
    "from pysail.spark import SparkConnectServer\n"
    "SparkConnectServer('127.0.0.1', int(sys.argv[1])).start(background=False)"
)


@dataclass
class SailServer:
    """A server that can be stopped and started again.

    Its catalog is each session's own, so what is set up is the first that each connection says.
    """

    folder: Path
    port: int
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)
    said: list[str] = field(default_factory=list)

    @property
    def options(self) -> dict[str, Any]:
        return {
            "host": "127.0.0.1",
            "port": self.port,
            "user": "keeper",
            "token": TOKEN,
            "prepare": ";\n".join(self.said),
        }

    def execute(self, *statements: str) -> list[tuple[Any, ...]]:
        if statements == (BUSY,):
            return [(int(psutil.Process(self.process.pid).cpu_percent(0.3) > 50),)]
        self.said.extend(statements)
        return []

    def start(self) -> None:
        log = self.folder / "log"
        with log.open("ab") as errors:
            self.process = subprocess.Popen(
                [sys.executable, "-c", _SERVE, str(self.port)],
                cwd=self.folder,
                stdout=errors,
                stderr=errors,
            )
        wait_for(self.port, self.process, log)

    def stop(self) -> None:
        """End it at once: nothing of it is kept."""
        if self.process is not None:
            self.process.kill()
            self.process.wait(STARTS_WITHIN)
            self.process = None


@contextmanager
def sail_server() -> Iterator[SailServer]:
    """Run a server. Fails where it is not installed."""
    try:
        import pysail  # noqa: F401
    except ImportError:
        pytest.fail(HOW_TO_GET_SAIL)
    with tempfile.TemporaryDirectory(prefix="sail-") as folder:
        server = SailServer(Path(folder), free_port())
        server.start()
        try:
            yield server
        finally:
            server.stop()


@contextmanager
def guarded_server() -> Iterator[int]:
    """Run a server that speaks gRPC and knows nothing, for who has the token; gives its port."""
    import grpc

    class Guard(grpc.ServerInterceptor):
        def intercept_service(self, continuation, call):
            if ("authorization", f"Bearer {TOKEN}") in call.invocation_metadata:
                return continuation(call)

            def refuse(_request, context):
                context.abort(grpc.StatusCode.UNAUTHENTICATED, "no")

            return grpc.unary_unary_rpc_method_handler(refuse)

    server = grpc.server(ThreadPoolExecutor(2), interceptors=[Guard()])
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield port
    finally:
        server.stop(None).wait()


@contextmanager
def tls_front(port: int, certificate: Path) -> Iterator[int]:
    """Take encrypted connections for a server that has none; gives the port."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    context.set_alpn_protocols(["h2"])

    def carry(source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                target.sendall(data)
        with suppress(OSError):
            target.shutdown(socket.SHUT_RDWR)

    def serve() -> None:
        with suppress(OSError):
            while True:
                plain, _ = listening.accept()
                Thread(target=meet, args=(plain,), daemon=True).start()

    def meet(plain: socket.socket) -> None:
        with (
            suppress(OSError),
            context.wrap_socket(plain, server_side=True) as client,
            socket.create_connection(("127.0.0.1", port)) as server,
        ):
            back = Thread(target=carry, args=(server, client), daemon=True)
            back.start()
            carry(client, server)
            back.join()

    with socket.create_server(("127.0.0.1", 0)) as listening:
        Thread(target=serve, daemon=True).start()
        yield int(listening.getsockname()[1])
        listening.shutdown(socket.SHUT_RDWR)
