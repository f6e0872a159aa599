"""A workspace for snapshots of tables: one for a module, and left empty by each test."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.settings import Settings
from core.workbench import Workbench, Workspace


@pytest.fixture(scope="module")
def workbench(tmp_path_factory) -> Iterator[Workbench]:
    folder = tmp_path_factory.mktemp("snapshots")
    (folder / "start").mkdir()
    settings = Settings(
        home=folder / "home", start_folder=folder / "start", sample_data=False, threads=2
    )
    workbench = Workbench.open(settings)
    yield workbench
    workbench.close()


@pytest.fixture
def here(workbench: Workbench) -> Iterator[Workspace]:
    here = workbench.workspace()
    yield here
    for each in here.snapshots.list():
        here.snapshots.drop(each.name)
    for source in here.connections.list():
        here.connections.remove(source.connection.alias)


@pytest.fixture
def folder(workbench: Workbench) -> Path:
    """A folder of this test's own that the workspace may read."""
    return Path(tempfile.mkdtemp(dir=workbench.settings.start_folder))
