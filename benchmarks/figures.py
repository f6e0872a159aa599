"""Figures with their goals, and the file that keeps those of the last real run.

A figure that misses its goal is kept and shown like any other. Nothing here judges a build.
"""

from __future__ import annotations

import json
import os
import platform
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import psutil

RESULTS = Path(__file__).with_name("results.json")


@dataclass(frozen=True)
class Figure:
    """One measured value, in `unit`: `x` a multiple of the floor, `ms`, or `MB` (10^6 bytes).

    It meets its goal where `value <= limit`; None is no goal, but a figure for comparison. `how`
    tells what was taken: which medians, of how many rounds.
    """

    name: str
    value: float
    unit: str
    limit: float | None
    how: str

    @property
    def met(self) -> bool | None:
        """Tell whether the goal is met, None where there is none."""
        return None if self.limit is None else self.value <= self.limit


class Report:
    """The figures of one command, kept under its name together with the machine's facts."""

    def __init__(self, command: str, path: Path = RESULTS) -> None:
        self._command, self._path = command, path
        self._kept = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}

    def add(self, part: str, figures: list[Figure]) -> None:
        """Print a part's figures, and keep them in place of that part's earlier ones."""
        for figure in figures:
            print(line(figure), flush=True)
        kept = self._kept.setdefault(self._command, {})
        rows = [asdict(figure) for figure in figures]
        kept[part] = {"measured": f"{datetime.now(UTC):%Y-%m-%d}", "machine": machine()}
        kept[part]["figures"] = rows
        text = json.dumps(self._kept, indent=1, ensure_ascii=False)
        self._path.write_text(text + "\n", encoding="utf-8")


def machine() -> dict[str, str]:
    """Return what figures depend on: cores, memory, system, versions."""
    packages = ("duckdb", "pyarrow", "polars", "streamlit")
    return {
        "cores": str(os.cpu_count()),
        "memory": f"{psutil.virtual_memory().total / 2**30:.0f} GiB",
        "system": f"{platform.system()} {platform.release().split('-')[0]}",
        "Python": platform.python_version(),
        **{name: version(name) for name in packages},
    }


def line(figure: Figure) -> str:
    """Write a figure on one line."""
    verdict = {True: "met", False: "MISSED", None: "-"}[figure.met]
    goal = "" if figure.limit is None else f" (goal: at most {shown(figure.limit, figure.unit)})"
    return f"{verdict:7} {figure.name}: {shown(figure.value, figure.unit)}{goal}; {figure.how}"


def shown(value: float, unit: str) -> str:
    """Write a value with its unit, in as many digits as mean something."""
    if unit == "x":
        return f"x{value:.2f}"
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2
    return f"{value:,.{digits}f} {unit}"
