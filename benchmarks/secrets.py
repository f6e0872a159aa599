"""Measure sealing into a store: `uv run python -m benchmarks.secrets`."""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median

from benchmarks.figures import RESULTS, Figure, Report
from benchmarks.rounds import seconds, spoken, wait_for_quiet
from core.secret import Secret
from core.secrets.service import Secrets
from core.settings import Settings
from core.store.store import Store

Timed = tuple[float, float]
"""Seconds that passed, and those of the processor."""


def main() -> None:
    """Measure, and keep the figures."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.secrets", description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--results", type=Path, default=RESULTS, help="file of the figures")
    given = parser.parse_args()
    report = Report("uv run python -m benchmarks.secrets", given.results)
    report.add("secrets", measure(given.rows, given.rounds))


def measure(rows: int, rounds: int) -> list[Figure]:
    """Seal and open that many rows in one transaction each, and seal all of them by a new key."""
    values = [Secret(f"password number {number}") for number in range(rows)]
    names = (f"{verb} {rows:,} secrets in SQLite" for verb in ("Seal", "Open", "Rotate the key of"))
    taken = zip(*(_round(values) for _ in range(rounds)), strict=True)
    return [_figure(name, each) for name, each in zip(names, taken, strict=True)]


def _round(values: list[Secret]) -> tuple[Timed, Timed, Timed]:
    """Seal, open and rotate in a store of its own."""
    with tempfile.TemporaryDirectory(prefix="millpond-") as home:
        settings = Settings(home=Path(home))
        store = Store.open(settings)
        secrets = Secrets.open(store, settings)
        secrets.get(_sealed(secrets, values[:1])[0])  # loads the library
        ids: list[str] = []
        seal = _timed(lambda: ids.extend(_sealed(secrets, values)))
        times = (seal, _timed(lambda: secrets.get_many(ids)), _timed(secrets.rotate))
        store.close()
    return times


def _sealed(secrets: Secrets, values: list[Secret]) -> list[str]:
    told = {"workspace": "local", "owner": "connection:1", "label": "password"}
    return secrets.put_many(values, **told)


def _timed(act: Callable[[], object]) -> Timed:
    wait_for_quiet()
    before = time.process_time()
    passed = seconds(act)
    return passed, time.process_time() - before


def _figure(name: str, taken: Sequence[Timed]) -> Figure:
    passed, used = (median(each) for each in zip(*taken, strict=True))
    limit = 1000 if name.startswith(("Seal", "Open")) else None
    how = f"one transaction, median of {len(taken)}; {spoken(used)} of processor time"
    how = how if limit else how.replace("one transaction", "200 rows a transaction")
    return Figure(name, passed * 1e3, "ms", limit, how)


if __name__ == "__main__":
    main()
