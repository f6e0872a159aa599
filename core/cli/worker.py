"""Run jobs without the app, in the foreground: for a machine or a container of their own."""

from __future__ import annotations

import signal
import threading
from types import FrameType

import click

from core.cli.room import read_settings
from core.workbench import Workbench


def work() -> None:
    """Run jobs until SIGTERM or Ctrl-C, then give those under way their grace.

    A second signal ends it at once: the runs are repeated elsewhere, as if it had been killed.
    """
    told = threading.Event()

    def stop(number: int, _frame: FrameType | None) -> None:
        signal.signal(number, signal.SIG_DFL)
        told.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    workbench = Workbench.open(read_settings())
    try:
        workbench.start_jobs()
        click.echo("Jobs run here now. Ctrl-C ends it.", err=True)
        while not told.wait(1):  # in steps: on Windows a wait without end hears no signal
            pass
    finally:
        workbench.close()
