"""Each benchmark runs, with sizes that take no time: what it measures is not judged here."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import rounds
from benchmarks.figures import Figure, Report, shown
from benchmarks.rounds import Pair, alternate_timed, percentile
from benchmarks.table import page

ROOT = Path(__file__).resolve().parents[2]


def measured(tmp_path, name, *given):
    """Run a benchmark, and return its parts by name."""
    results = tmp_path / "results.json"
    command = [sys.executable, "-m", f"benchmarks.{name}", "--results", str(results), *given]
    hurried = os.environ | {"BENCHMARK_PATIENCE": "0"}  # they wait for idle cores otherwise
    subprocess.run(command, cwd=ROOT, check=True, timeout=280, env=hurried)
    kept = json.loads(results.read_text(encoding="utf-8"))
    assert page(kept).count("| at most ") >= len(kept)
    return kept[f"uv run python -m benchmarks.{name}"]


@pytest.mark.soak
@pytest.mark.timeout(300)
def test_the_engine_is_measured(tmp_path):
    sizes = ["--scale", "0.01", "--rows", "50000", "--rounds", "1", "--small", "3"]
    parts = measured(tmp_path, "engine", *sizes, "--starts", "1")
    assert [*parts] == ["answers", "tpch", "rows", "exports", "profiles"]
    assert all(figure["value"] >= 0 for part in parts.values() for figure in part["figures"])


def test_sealing_is_measured(tmp_path):
    [figures] = measured(tmp_path, "secrets", "--rows", "300", "--rounds", "1").values()
    assert [each["limit"] for each in figures["figures"]] == [1000, 1000, None]


def test_the_search_is_measured(tmp_path):
    [figures] = measured(tmp_path, "search", "--tables", "20", "--rounds", "1").values()
    assert [each["limit"] for each in figures["figures"]] == [50] * 5 + [None]


@pytest.mark.browser
@pytest.mark.timeout(300)
def test_the_browser_is_measured(tmp_path):
    # So many rows that 15 s take no nest deeper than the engine parses.
    sizes = ["--rows", "500000", "--rounds", "1", "--sessions", "2", "--seconds", "15"]
    parts = measured(tmp_path, "browser", *sizes)
    assert [*parts] == ["aggregate", "rows", "crowd", "long", "memory"]


@pytest.mark.browser
@pytest.mark.timeout(300)
def test_the_start_is_measured(tmp_path):
    assert [*measured(tmp_path, "start", "--rounds", "1", "--only", "home page")] == ["home page"]


def test_ours_and_the_floor_take_turns_and_warm_rounds_are_left_out(monkeypatch):
    monkeypatch.setattr(rounds, "PATIENCE", 0.0)
    order = []

    def takes(name, value):
        order.append(name)
        return value

    pair = alternate_timed(lambda: takes("ours", 3.0), lambda: takes("floor", 2.0), 2, warm=1)
    assert order == ["ours", "floor", "floor", "ours", "ours", "floor"]
    assert (pair.ours, pair.floor) == ([3.0, 3.0], [2.0, 2.0])


def test_a_ratio_is_the_median_of_the_rounds_ratios():
    assert Pair(ours=[1.0, 20.0, 6.0], floor=[1.0, 10.0, 2.0]).ratio == 2.0


@pytest.mark.parametrize(("values", "expected"), [([5.0], 5.0), ([0.0, 10.0], 9.5)])
def test_a_percentile_lies_between_the_values(values, expected):
    assert percentile(values, 95) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("value", "unit", "expected"),
    [
        (1.234, "x", "x1.23"),
        (0.456, "ms", "0.46 ms"),
        (12.34, "ms", "12.3 ms"),
        (1234, "MB", "1,234 MB"),
    ],
)
def test_a_value_has_the_digits_that_mean_something(value, unit, expected):
    assert shown(value, unit) == expected


def test_a_goal_that_is_missed_is_shown_as_missed(tmp_path):
    report = Report("uv run it", tmp_path / "results.json")
    report.add(
        "part", [Figure("slow thing", 3.0, "x", 2.0, "once"), Figure("other", 1.0, "x", 2.0, "")]
    )
    text = page(json.loads((tmp_path / "results.json").read_text()))
    assert "| slow thing | x3.00 | at most x2.00 | **no** | once |" in text
    assert "| other | x1.00 | at most x2.00 | yes |" in text


def test_a_part_measured_again_replaces_its_figures_and_keeps_the_others(tmp_path):
    path = tmp_path / "results.json"
    Report("uv run it", path).add("first", [Figure("a", 1.0, "x", None, "")])
    Report("uv run it", path).add("second", [Figure("b", 2.0, "x", None, "")])
    Report("uv run it", path).add("first", [Figure("c", 3.0, "x", None, "")])
    names = [
        each["name"]
        for part in json.loads(path.read_text())["uv run it"].values()
        for each in part["figures"]
    ]
    assert names == ["c", "b"]
