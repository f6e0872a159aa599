"""A real Spark for tests: a master, two workers and a Connect server, each a process of its own.

The package brings all of it but Java. It is kept out of the project's environment, where it would
lie over Spark's client.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.connectors.servers import free_port

VERSION = "4.2.0"
STARTS_WITHIN = 120

HOW_TO_GET_JAVA = (
    "Java is missing: install it with "
    "`sudo apt-get install -y --no-install-recommends openjdk-17-jre-headless`."
)


@dataclass(frozen=True)
class Cluster:
    """A Connect server with a cluster behind it, and the folder that all of it may read."""

    port: int
    folder: Path

    @property
    def options(self) -> dict[str, Any]:
        return {"host": "127.0.0.1", "port": self.port, "user": "keeper"}


@contextmanager
def spark_cluster() -> Iterator[Cluster]:
    """Run a cluster. Fails where Java is not installed."""
    if shutil.which("java") is None:
        pytest.fail(HOW_TO_GET_JAVA)
    home = _home()
    with tempfile.TemporaryDirectory(prefix="spark-") as made, ExitStack() as ending:
        folder = Path(made)
        (folder / "data").mkdir()

        def run(name: str, *command: str, until: str) -> None:
            process = _started(home, folder, name, command)
            ending.callback(_end, process)
            _wait(process, folder / f"{name}.log", until)

        host = ("--host", "127.0.0.1")
        master, connect = free_port(), free_port()
        at = f"spark://127.0.0.1:{master}"
        deploy = "org.apache.spark.deploy"
        run(
            "master",
            *("spark-class", f"{deploy}.master.Master", *host, "--port", str(master)),
            *("--webui-port", "0"),
            until="I have been elected leader",
        )
        for number in (1, 2):
            run(
                f"worker-{number}",
                *("spark-class", f"{deploy}.worker.Worker", *host, "--webui-port", "0"),
                *("--cores", "1", "--memory", "1g"),
                *("--work-dir", str(folder / f"work-{number}"), at),
                until="Successfully registered",
            )
        settings = {
            "spark.connect.grpc.binding.address": "127.0.0.1",
            "spark.connect.grpc.binding.port": connect,
            "spark.driver.host": "127.0.0.1",
            "spark.driver.bindAddress": "127.0.0.1",
            "spark.driver.memory": "1g",
            "spark.executor.cores": 1,
            "spark.executor.memory": "700m",
            "spark.sql.shuffle.partitions": 2,
            "spark.sql.warehouse.dir": folder / "warehouse",
            "spark.ui.enabled": "false",
        }
        run(
            "connect",
            *("spark-submit", "--class", "org.apache.spark.sql.connect.service.SparkConnectServer"),
            *("--name", "connect", "--master", at),
            *(part for each in settings.items() for part in ("--conf", f"{each[0]}={each[1]}")),
            "spark-internal",
            until="Spark Connect server started",
        )
        yield Cluster(connect, folder / "data")


def _home() -> Path:
    """Return where the package is, in an environment that is kept for it."""
    asked = "import os, pyspark; print(os.path.dirname(pyspark.__file__))"
    command = ["uv", "run", "--no-project", "--quiet", "--with", f"pyspark=={VERSION}"]
    done = subprocess.run(
        [*command, "python", "-c", asked], capture_output=True, text=True, check=False
    )
    if done.returncode:
        pytest.fail(f"The package pyspark {VERSION} is not to be had: {done.stderr.strip()}")
    return Path(done.stdout.strip())


def _started(
    home: Path, folder: Path, name: str, command: Sequence[str]
) -> subprocess.Popen[bytes]:
    program, *arguments = command
    given = {
        "SPARK_HOME": str(home),
        "SPARK_LOCAL_IP": "127.0.0.1",
        "SPARK_LOCAL_DIRS": str(folder),
        "SPARK_NO_DAEMONIZE": "1",
    }
    with (folder / f"{name}.log").open("wb") as log:
        return subprocess.Popen(
            [str(home / "bin" / program), *arguments],
            cwd=folder,
            env=os.environ | given,
            stdout=log,
            stderr=log,
        )


def _wait(process: subprocess.Popen[bytes], log: Path, until: str) -> None:
    deadline = time.monotonic() + STARTS_WITHIN
    while until not in (text := log.read_text(errors="replace")):
        if process.poll() is not None or time.monotonic() > deadline:
            raise AssertionError(text[-3000:])
        time.sleep(0.1)


def _end(process: subprocess.Popen[bytes]) -> None:
    parent = psutil.Process(process.pid)
    for each in [*parent.children(recursive=True), parent]:
        try:
            each.kill()
        except psutil.NoSuchProcess:
            continue
    process.wait()
