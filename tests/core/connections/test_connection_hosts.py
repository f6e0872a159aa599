"""A source on the network: its host is open to the workspace's worker, and no other host is."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.errors import ConnectError
from core.settings import Settings
from core.workbench import Workbench
from core.workers.wall import available

DIAL = '''
"""A connector for these tests: it connects to `dialled`, and asks for `granted`."""

import socket

from core.connector import Connector, Grants, Options, Report
from core.errors import ConnectError


class DialOptions(Options):
    granted: int
    dialled: int


class Dial(Connector[DialOptions]):
    name = "dial"
    label = "Dial"
    icon = "call"
    help = "Connects to a port of this machine."
    remote = True
    Options = DialOptions

    def grants(self, options):
        return Grants(hosts=(f"localhost:{options.granted}",))

    def inspect(self, con, options, alias):
        self._dial(options)
        return Report(tables=(alias,))

    def attach(self, con, options, alias, *, cache=None):
        self._dial(options)

    def detach(self, con, alias):
        pass

    def _dial(self, options):
        try:
            socket.create_connection(("localhost", options.dialled), 5).close()
        except OSError as error:
            raise ConnectError(str(error)) from error
'''


@pytest.fixture
def workbench(tmp_path: Path) -> Iterator[Workbench]:
    for name in ("start", "own"):
        (tmp_path / name).mkdir()
    (tmp_path / "own" / "dial.py").write_text(DIAL)
    settings = Settings(
        home=tmp_path / "home",
        start_folder=tmp_path / "start",
        connectors=tmp_path / "own",
        sample_data=False,
        threads=2,
    )
    opened = Workbench.open(settings)
    yield opened
    opened.close()


@pytest.fixture
def servers() -> Iterator[list[socket.socket]]:
    found = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
    for each in found:
        each.settimeout(60)
    yield found
    for each in found:
        each.close()


@pytest.mark.skipif(not available().hosts, reason="needs Linux >= 5.6 that tells hosts apart")
def test_a_source_on_the_network_reaches_its_host_and_no_other(workbench, servers) -> None:
    sources = workbench.workspace().connections
    engine = sources._engine
    engine.start()  # its wall knows no host yet
    ports = [each.getsockname()[1] for each in servers]
    good, bad = ({"granted": ports[0], "dialled": each} for each in ports)
    for attempt in (sources.test, lambda *source: sources.add("b", *source)):
        with pytest.raises(ConnectError, match="Permission denied"):
            attempt("dial", bad)
    sources.add("a", "dial", good)
    for _ in ("tested", "attached"):
        servers[0].accept()[0].close()
    os.kill(engine.pid, signal.SIGKILL)
    engine.call("macros")
    servers[0].accept()[0].close()  # it was attached again, behind a new wall
    servers[1].setblocking(False)
    with pytest.raises(BlockingIOError):
        servers[1].accept()
