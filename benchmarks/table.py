"""Make docs/benchmarks.md of results.json: `uv run python -m benchmarks.table`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from benchmarks.figures import RESULTS, Figure, shown

PAGE = Path(__file__).resolve().parent.parent / "docs" / "benchmarks.md"

_INTRODUCTION = """\
# How fast it is

Made by `uv run python -m benchmarks.table` from `benchmarks/results.json`, which the commands
below write. A goal that is missed is shown as missed. Figures in `x` are multiples of a floor
that is measured in the same run: Millpond and the floor take turns, and the median of the
rounds' ratios is taken. The floor is DuckDB inside the measuring process, with the same number
of threads and the same extensions, or the least Streamlit app that answers SQL
(`benchmarks/bare.py`).

The inputs are made once, in the system's temporary folder: a Parquet file of 10,000,000 rows x
5 columns, and TPC-H's tables at scale 1 as Parquet files. In the browser, time counts from the
key press to the frame that shows the new result's header; Chromium runs headless on the same
cores as the server. Run the commands on a machine that does nothing else. marimo is started as a
peer by `uv run --group peers python -m benchmarks.start --peers`.

The figures kept now are from a virtual machine whose two cores are not always all its own: what
takes DuckDB 250 us in one run takes it 340 us in the next. Ratios bear that better than times do.
A figure within a tenth of its goal is not settled by this table.
"""

_COLUMNS = "| figure | value | goal | met | how it was taken |\n|---|---|---|---|---|\n"


def main() -> None:
    """Write the page."""
    PAGE.write_text(page(json.loads(RESULTS.read_text(encoding="utf-8"))), encoding="utf-8")
    print(f"{PAGE} is written.")


def page(kept: dict[str, Any]) -> str:
    """Return the page as Markdown."""
    return "\n".join([_INTRODUCTION, *(_section(*each) for each in sorted(kept.items()))])


def _section(command: str, parts: dict[str, Any]) -> str:
    rows = "".join(_row(Figure(**figure)) for part in parts.values() for figure in part["figures"])
    runs = {_machine(part) for part in parts.values()}
    return f"## `{command}`\n\n{_COLUMNS}{rows}\nMeasured {'; '.join(sorted(runs))}.\n"


def _row(figure: Figure) -> str:
    goal = "" if figure.limit is None else f"at most {shown(figure.limit, figure.unit)}"
    met = {True: "yes", False: "**no**", None: ""}[figure.met]
    return (
        f"| {figure.name} | {shown(figure.value, figure.unit)} | {goal} | {met} | {figure.how} |\n"
    )


def _machine(part: dict[str, Any]) -> str:
    facts = dict(part["machine"])
    machine = f"{facts.pop('cores')} cores, {facts.pop('memory')}, {facts.pop('system')}"
    versions = ", ".join(f"{name} {version}" for name, version in facts.items())
    return f"on {part['measured']}: {machine}, {versions}"


if __name__ == "__main__":
    main()
