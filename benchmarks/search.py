"""Measure the schema's search: `uv run python -m benchmarks.search`.

Over 5,000 tables of 20 columns, a tenth of them with a comment, a tag and an owner. What a search
finds decides how long it takes, so one that finds nothing, one that finds little and two that find
every column are timed. `lower` and `in` over every name, at each search, are the floor.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from statistics import median

from benchmarks.figures import RESULTS, Figure, Report
from benchmarks.rounds import alternate, seconds, spoken
from core.catalog.models import Catalog, catalogs
from core.catalog.note import Note, Notes
from core.catalog.search import Index

GOAL_MS = 50
COLUMNS = 20
SHOWN = 100
"""Tables that the page lists, with the columns that were found."""
WORDS = {
    "nothing": "nowhere",
    "one table": "t_1234_orders",
    "a tag": "#pii",
    "every column": "c",
    "every column by two words": "c main_",
}


def main() -> None:
    """Time each search, and keep the figures."""
    given = _arguments()
    tree = _tree(given.tables)
    notes = _notes(tree)
    index = Index(tree, notes)
    names = [each.name for table in tree[0].tables for each in table.columns]
    figures = []
    for found, text in WORDS.items():
        pair = alternate(
            lambda text=text: [hit.columns for hit in index.find(text)[:SHOWN]],
            lambda text=text: [name for name in names if text in name.lower()],
            given.rounds,
        )
        figures.append(
            Figure(
                f"Search over {len(names):,} columns that finds {found}",
                median(pair.ours) * 1e3,
                "ms",
                GOAL_MS,
                f"{pair.how}, slowest {spoken(max(pair.ours))}",
            )
        )
    built = [seconds(lambda: Index(tree, notes)) for _ in range(given.rounds)]
    figures.append(
        Figure("Index for it, after a change", median(built) * 1e3, "ms", None, "median")
    )
    Report("uv run python -m benchmarks.search", given.results).add("search", figures)


def _tree(tables: int) -> list[Catalog]:
    return catalogs(
        {"catalog": "shop", "schema": "main", "table": f"t_{at}_orders", "kind": "table"}
        | {"rows": None, "column": f"Column_main_{column}", "type": "VARCHAR"}
        for at in range(tables)
        for column in range(COLUMNS)
    )


def _notes(tree: list[Catalog]) -> Notes:
    note = Note("as the till has it, in the time zone of the shop", ("pii",), "the data team")
    return {
        table.key: {"": note, **{column.name: note for column in table.columns}}
        for table in tree[0].tables[::10]
    }


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.search", description=__doc__)
    parser.add_argument("--tables", type=int, default=5000)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--results", type=Path, default=RESULTS, help="file of the figures")
    return parser.parse_args()


if __name__ == "__main__":
    main()
