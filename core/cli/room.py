"""A session for one command: in the workspace itself, or beside it while the app has it open."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import click
from pydantic import ValidationError

from core.engine.engine import Engine
from core.engine.scratch import scratch
from core.engine.session import Session
from core.errors import ConfigError, Conflict, QueryError
from core.settings import Settings
from core.workbench import Workbench

_ELSEWHERE = (
    "The workspace is open elsewhere, most likely in the app: "
    "its own tables are not visible here meanwhile."
)


def read_settings() -> Settings:
    """Read the settings from the environment. Raises ConfigError that names the one in question."""
    try:
        return Settings()
    except ValidationError as error:
        first = error.errors()[0]
        name = f"MILLPOND_{first['loc'][0]}".upper()
        raise ConfigError(f"{name}: {first['msg']}.", hint="See docs/settings.md.") from error


@contextmanager
def open_session(workbench: Workbench) -> Iterator[Session]:
    """Open a session on the workspace, or on its sources alone where another process has it."""
    with open_engine(workbench) as engine:
        try:
            yield Session(engine, "command-line")
        except QueryError:
            for alias, problem in engine.broken.items():
                click.echo(f"The source {alias} could not be attached: {problem.message}", err=True)
            raise


@contextmanager
def open_engine(workbench: Workbench) -> Iterator[Engine]:
    """Start an engine for that; it ends with the block."""
    with ExitStack() as stack:
        engine = workbench.engine()
        stack.callback(engine.close)
        try:
            engine.start()
        except Conflict:
            click.echo(_ELSEWHERE, err=True)
            folder = stack.enter_context(scratch(workbench.settings.home / "scratch"))
            engine = workbench.engine(folder)
            stack.callback(engine.close)  # before its folder goes
            engine.start()
        yield engine
