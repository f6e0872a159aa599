"""Fixtures that more than one folder of tests needs: engines with real workers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from core.engine.engine import LEAN, Attachment, Engine
from core.engine.reach import Reach
from core.engine.session import Session
from core.settings import Settings
from core.workers.supervisor import Supervisor

MakeEngine = Callable[..., Engine]


def open_engine(
    home: Path,
    supervisor: Supervisor,
    *,
    workspace: str = "local",
    read: tuple[str, ...] = (),
    attachments: Callable[[], list[Attachment]] = list,
    **settings: Any,
) -> Engine:
    """Open an engine whose start folder, home/start, may be read and listed."""
    start = home / "start"
    start.mkdir(parents=True, exist_ok=True)
    chosen: dict[str, Any] = {"memory_limit": 500_000_000, "threads": 2, "cancel_grace": 0.5}
    return Engine(
        supervisor,
        Settings(home=home, start_folder=start, **(chosen | settings)),
        home / "workspaces" / workspace,
        reach=lambda: Reach(read=(str(start), *read), listed=(str(start),)),
        attachments=attachments,
    )


@pytest.fixture(scope="module")
def supervisor() -> Iterator[Supervisor]:
    """The module's supervisor: its warm spare makes the second engine's start short."""
    supervisor = Supervisor(idle_stop=900, packages=(LEAN,))
    yield supervisor
    supervisor.close()


@pytest.fixture(scope="module")
def engine(supervisor: Supervisor, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """One engine for all tests of a module: for those that leave no state behind."""
    engine = open_engine(tmp_path_factory.mktemp("home"), supervisor)
    yield engine
    engine.close()


@pytest.fixture
def session(engine: Engine, request: pytest.FixtureRequest) -> Iterator[Session]:
    """A session of the module's engine, of this test's own."""
    session = Session(engine, request.node.name)
    yield session
    session.close()


@pytest.fixture
def make_engine(supervisor: Supervisor, tmp_path: Path) -> Iterator[MakeEngine]:
    """Open engines of this test's own, with settings of their own."""
    engines: list[Engine] = []

    def make(**chosen: Any) -> Engine:
        home = chosen.pop("home", tmp_path / "home")
        engines.append(open_engine(home, supervisor, **chosen))
        return engines[-1]

    yield make
    for engine in engines:
        engine.close()
