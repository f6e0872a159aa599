"""An object store for the tests: a process of its own, with real signatures, on 127.0.0.1."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from tests.connectors.web import ITEMS


@dataclass
class ObjectStore:
    """Buckets data and other; `keys` by user: reader (of data), stranger (nothing), admin."""

    process: subprocess.Popen[str]
    port: int
    keys: dict[str, tuple[str, str]]

    @property
    def options(self) -> dict[str, Any]:
        """What a connection to its items needs."""
        return self.of("reader") | {"prefix": "items"}

    @property
    def secret(self) -> str:
        return self.keys["reader"][1]

    def of(self, user: str) -> dict[str, Any]:
        """What a connection as a user needs."""
        key, secret = self.keys[user]
        where = {"endpoint": f"127.0.0.1:{self.port}", "bucket": "data", "tls": False}
        return where | {"key_id": key, "secret_key": secret}

    def filled(self, option: Any) -> Any:
        """Put its own keys into an option of a case."""
        if option == "{stranger}":
            return self.keys["stranger"][0]
        return self.keys["stranger"][1] if option == "{stranger's secret}" else option

    def put(self, files: dict[str, bytes], bucket: str = "data") -> None:
        told = {key: base64.b64encode(data).decode() for key, data in files.items()}
        self.ask("put", files=told, bucket=bucket)

    def start(self) -> None:
        self.ask("start")

    def stop(self) -> None:
        self.ask("stop")

    def ask(self, do: str, **more: Any) -> Any:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps({"do": do, **more}) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())


@contextmanager
def object_store() -> Iterator[ObjectStore]:
    """Run an object store with data/items/items.csv in it."""
    command = [sys.executable, "-m", "tests.connectors.moto_store"]
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stdout is not None
        told = json.loads(process.stdout.readline())
        store = ObjectStore(process, told["port"], told["keys"])
        store.put({"items/items.csv": ITEMS})
        try:
            yield store
        finally:
            process.kill()
