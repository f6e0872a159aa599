"""A query's plan as a tree, read from what DuckDB's EXPLAIN says in JSON.

Reads `EXPLAIN (FORMAT json)` (estimates) and `EXPLAIN (ANALYZE, FORMAT json)` (rows and times), as
DuckDB 1.5 writes them. It runs nothing and draws nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from core.errors import InvalidInput

_NO_PLAN = "The engine gave no plan for this statement."
# The node that measures itself, above what was measured.
_WRAPPER = "EXPLAIN_ANALYZE"


@dataclass(frozen=True)
class PlanNode:
    """One operator of a plan, and what feeds it.

    `estimated` and `rows` count the rows that come out of it: as planned, and as measured.
    `seconds` is the time spent in it alone, summed over threads, and `share` its part of all
    operators' time, 0 to 1. What was not measured is None. The root is named `QUERY`: its
    `seconds` are wall-clock time.
    """

    name: str
    details: tuple[tuple[str, str], ...] = ()
    rows: int | None = None
    estimated: int | None = None
    seconds: float | None = None
    share: float | None = None
    children: tuple[PlanNode, ...] = ()

    def walk(self, depth: int = 0) -> Iterator[tuple[int, PlanNode]]:
        """Yield this node and all below it with their depth, parents first."""
        yield depth, self
        for child in self.children:
            yield from child.walk(depth + 1)


def plan(explain: str | list[Any] | dict[str, Any]) -> PlanNode:
    """Read the JSON of one EXPLAIN. Raises InvalidInput if there is no plan in it."""
    try:
        tree = json.loads(explain) if isinstance(explain, str) else explain
        if isinstance(tree, list):
            root: dict[str, Any] = {"children": tree}
        elif isinstance(tree, dict):
            root = tree
        else:
            root = {}
        operators = _operators(root)
        if not operators:
            raise InvalidInput(_NO_PLAN, hint="A PIVOT runs as several statements: explain each.")
        total = sum(_seconds(node) for top in operators for node in _below(top))
        return PlanNode(
            name="QUERY",
            details=_figures(root),
            seconds=root.get("latency"),
            children=tuple(_node(each, total) for each in operators),
        )
    except (ValueError, TypeError, AttributeError) as error:
        raise InvalidInput(_NO_PLAN, hint="It is not the JSON that EXPLAIN writes.") from error
    except RecursionError as error:
        raise InvalidInput("The plan is too deep to be drawn.") from error


def _operators(root: dict[str, Any]) -> list[dict[str, Any]]:
    operators: list[dict[str, Any]] = root.get("children") or []
    if len(operators) == 1 and _name(operators[0]) == _WRAPPER:
        return operators[0].get("children") or []
    return operators


def _below(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    stack = [node]
    while stack:
        yield (top := stack.pop())
        stack.extend(top.get("children") or [])


def _node(node: dict[str, Any], total: float) -> PlanNode:
    extra = dict(node.get("extra_info") or {})
    estimated = extra.pop("Estimated Cardinality", None)
    measured = "operator_timing" in node
    details = [(key, _text(value)) for key, value in extra.items()]
    if node.get("operator_rows_scanned"):
        details.append(("Rows scanned", str(node["operator_rows_scanned"])))
    return PlanNode(
        name=_name(node),
        details=tuple((key, text) for key, text in details if text),
        rows=node.get("operator_cardinality") if measured else None,
        estimated=int(estimated) if str(estimated).isdigit() else None,
        seconds=_seconds(node) if measured else None,
        share=_seconds(node) / total if measured and total else None,
        children=tuple(_node(child, total) for child in node.get("children") or []),
    )


def _name(node: dict[str, Any]) -> str:
    return str(node.get("operator_name") or node.get("name") or "").strip()


def _seconds(node: dict[str, Any]) -> float:
    return float(node.get("operator_timing") or 0.0)


def _text(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(_text(each) for each in value)
    if isinstance(value, dict):
        return ", ".join(f"{key}: {_text(each)}" for key, each in value.items())
    return str(value)


def _figures(root: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    """Whole-query figures that are not zero; sizes in bytes, times in seconds."""
    labels = {
        "cpu_time": "CPU time (s)",
        "cumulative_rows_scanned": "Rows scanned",
        "total_bytes_read": "Bytes read",
        "total_bytes_written": "Bytes written",
        "system_peak_buffer_memory": "Peak memory (bytes)",
        "system_peak_temp_dir_size": "Peak spill (bytes)",
        "blocked_thread_time": "Blocked (s)",
    }
    return tuple((label, str(root[key])) for key, label in labels.items() if root.get(key))
