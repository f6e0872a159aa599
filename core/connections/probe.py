"""Engines in which a connection is tried before it is kept: each for one call, behind a wall of
its own, so that a driver that hangs or crashes takes nothing of the workspace with it."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from core.connector import Grants
from core.engine.engine import Engine
from core.engine.reach import Reach
from core.settings import Settings
from core.workers.supervisor import Supervisor


@dataclass(frozen=True)
class Probe:
    """Opens such engines; with the spare worker that is at hand it takes 50 ms."""

    supervisor: Supervisor
    settings: Settings

    @contextmanager
    def engine(self, grants: Grants) -> Iterator[Engine]:
        """Open an engine that reaches what is granted and nothing else."""
        home = self.settings.home / "probes"
        home.mkdir(parents=True, exist_ok=True, mode=0o700)
        folder = Path(tempfile.mkdtemp(dir=home))
        own = self.settings.connectors
        read = grants.read if own is None else (*grants.read, str(own))
        reach = Reach(read, grants.write, (), grants.hosts, grants.extensions)
        engine = Engine(
            self.supervisor, self.settings, folder, reach=lambda: reach, attachments=list
        )
        try:
            yield engine
        finally:
            engine.close()
            shutil.rmtree(folder, ignore_errors=True)
