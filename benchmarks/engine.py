"""Measure the engine: `uv run python -m benchmarks.engine [--only tpch,answers,profiles]`."""

from __future__ import annotations

import argparse
from pathlib import Path

from benchmarks import answers, exports, profiles, rows, tpch
from benchmarks.figures import RESULTS, Report

PARTS = ("answers", "tpch", "rows", "exports", "profiles")


def main() -> None:
    """Run the parts asked for, and keep their figures."""
    given = _arguments()
    report = Report("uv run python -m benchmarks.engine", given.results)
    parts = {
        "answers": lambda: answers.measure(given.small, given.starts),
        "tpch": lambda: tpch.measure(given.scale, given.rounds),
        "rows": lambda: rows.measure(given.rows, given.rounds),
        "exports": lambda: exports.measure(given.rows // 2, given.rounds),
        "profiles": lambda: profiles.measure(given.rows, given.rounds),
    }
    for name in given.only:
        report.add(name, parts[name]())


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.engine", description=__doc__)
    parser.add_argument("--only", type=_parts, default=PARTS, help=", ".join(PARTS))
    parser.add_argument("--scale", type=float, default=1, help="TPC-H's scale factor")
    parser.add_argument("--rows", type=int, default=10_000_000, help="of the large result")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--small", type=int, default=1000, help="how often SELECT 1 is run")
    parser.add_argument("--starts", type=int, default=7, help="new and killed workers")
    parser.add_argument("--results", type=Path, default=RESULTS, help="file of the figures")
    return parser.parse_args()


def _parts(text: str) -> tuple[str, ...]:
    parts = tuple(text.split(","))
    if unknown := set(parts) - set(PARTS):
        raise argparse.ArgumentTypeError(f"there is no {', '.join(unknown)}")
    return parts


if __name__ == "__main__":
    main()
