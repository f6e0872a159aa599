"""A workbench for measuring: in a home of its own, with the inputs' folder granted."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.inputs import FOLDER
from core.settings import Settings
from core.workbench import Workbench


@contextmanager
def opened() -> Iterator[Workbench]:
    """Open one, and close it with all its workers."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="millpond-") as home:
        settings = Settings(home=Path(home), start_folder=FOLDER, sample_data=False)
        workbench = Workbench.open(settings)
        try:
            yield workbench
        finally:
            workbench.close()
