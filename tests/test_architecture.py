"""The house rules as tests: who may import whom, where third parties live, sizes, and rosters.

Where a test here and the code disagree, one of them is wrong; every exception below has its reason.
"""

from __future__ import annotations

import ast
import statistics
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from core.channel import Channel
from core.connector import Connector
from core.plugins import discover
from core.visual import Visual

ROOT = Path(__file__).resolve().parent.parent

# Each slice may import what stands before it; what stands together may not know each other.
SLICES = (
    ("redaction",),  # errors take secrets out of what they say
    ("errors", "secret"),
    ("settings", "plugins", "network"),
    ("structure",),
    ("connector",),  # the engine worker runs connectors, so their contract stands below it
    ("workers",),
    ("engine",),
    ("store", "access", "visual", "job", "channel", "reader"),
    ("jobs",),
    ("secrets",),
    ("catalog", "connections", "queries", "visuals", "notify"),
    ("notebooks",),
    ("workbench",),
    ("api", "cli"),
)

# What pages may know of core besides the workbench: values that they draw, and errors.
VALUES = (
    "core.catalog.drafts",
    "core.catalog.alters",
    "core.catalog.differences",
    "core.catalog.erd",
    "core.catalog.measuring",  # Measuring
    "core.catalog.drift",
    "core.catalog.exact",  # ExactPass: its progress
    "core.catalog.models",
    "core.catalog.note",
    "core.catalog.personal",
    "core.catalog.related",  # Scope
    "core.catalog.relations",
    "core.catalog.search",  # Hit
    "core.catalog.table_profile",
    "core.catalog.table_snapshots",  # TableSnapshot
    "core.catalog.usage",  # Use
    "core.catalog.values",  # Seeking
    "core.catalog.places",
    "core.catalog.snapshots",
    "core.channel",
    "core.connections.models",
    "core.connections.service",  # Source
    "core.connector",  # Options and Report: the form is made from the model
    "core.engine.lexer",  # the parameters of a text
    "core.engine.plan",
    "core.engine.pushdown",
    "core.engine.profile",
    "core.engine.results",
    "core.engine.session",  # FORMATS
    "core.errors",
    "core.job",  # Progress
    "core.jobs.models",
    "core.jobs.schedule",
    "core.notify.models",
    "core.notify.service",  # ChannelStatus
    "core.plugins",  # finds the kinds of chart
    "core.queries.models",
    "core.queries.runs",  # Entry
    "core.queries.typed",  # what is in a parameter's field
    "core.structure",
    "core.visual",
    "core.visuals",
)

HOMES = {
    "streamlit",
    "duckdb",
    "sqlalchemy",
    "cryptography",
    "fastapi",
    "starlette",
    "plotly",
    "cronsim",
}

# They take 0.1 s to 0.7 s each to import, and the first page of the app does without them.
SLOW = {"alembic", "numpy", "pandas", "polars", "pyarrow", "sqlglot"}
SLOW |= {"sqlalchemy.dialects.postgresql"}

# More than five public functions and classes, and why that is right.
CROWDED = {
    "core/errors.py": "the tree of errors is one thing",
    "core/connector.py": "the contract with its values, and the two ways to quote",
    "core/notify/records.py": "a class for each table, and how a message is written in one",
    "core/workbench.py": "the one place where everything is wired together",
    "pages/_helpers.py": "the words that all pages share",
}


@cache
def sources(*folders: str) -> tuple[Path, ...]:
    """Return the Python files of the program, or of some of its folders."""
    chosen = folders or ("core", "connectors", "pages", "sample_data")
    found = [file for folder in chosen for file in sorted((ROOT / folder).rglob("*.py"))]
    found = [file for file in found if "node_modules" not in file.parts]
    return (*found, *(() if folders else (ROOT / "app.py",)))


@cache
def tree(file: Path) -> ast.Module:
    return ast.parse(file.read_text(encoding="utf-8"))


def shown(file: Path) -> str:
    return file.relative_to(ROOT).as_posix()


def imports(file: Path) -> set[str]:
    """Return the full names that a file imports, wherever in it; `from a import b` gives a.b."""
    names: set[str] = set()
    for node in ast.walk(tree(file)):
        if isinstance(node, ast.Import):
            names |= {each.name for each in node.names}
        elif isinstance(node, ast.ImportFrom):
            names |= {f"{node.module}.{each.name}" for each in node.names}
    return names


def imported_from(file: Path, package: str) -> set[str]:
    return {name for name in imports(file) if name.split(".")[0] == package}


def starts_with(name: str, modules: tuple[str, ...]) -> bool:
    return any(name == module or name.startswith(f"{module}.") for module in modules)


def slice_of(file: Path) -> str:
    part = file.relative_to(ROOT / "core").parts[0]
    return part.removesuffix(".py")


RANK = {name: rank for rank, names in enumerate(SLICES) for name in names}


def test_every_slice_of_core_has_its_place_in_the_order():
    found = {slice_of(file) for file in sources("core")} - {"__init__"}
    assert found == set(RANK)


@pytest.mark.parametrize("name", RANK)
def test_a_slice_imports_only_what_stands_before_it(name):
    later = {
        f"{shown(file)} imports {imported}"
        for file in sources("core")
        if slice_of(file) == name
        for imported in imported_from(file, "core")
        if (other := imported.split(".")[1]) != name and RANK[other] >= RANK[name]
    }
    assert not later


def test_core_knows_no_connector_and_no_page():
    allowed = {
        # The workspace's first start attaches the sample data, which is told in that folder.
        ("core/workbench.py", "sample_data"),
    }
    found = {
        (shown(file), name)
        for file in sources("core")
        for package in ("connectors", "pages", "app", "streamlit", "sample_data")
        for name in imported_from(file, package)
    }
    assert found == allowed


def test_connectors_know_the_contract_their_drivers_and_nothing_else_of_the_program():
    allowed = ("core.connector", "core.errors", "core.secret", "core.structure")
    found = {
        f"{shown(file)} imports {name}"
        for file in sources("connectors")
        for package in ("core", "pages", "app", "streamlit")
        for name in imported_from(file, package)
        if not starts_with(name, allowed)
    }
    assert not found


def test_a_connector_does_not_know_another():
    found = {
        f"{shown(file)} imports {name}"
        for file in sources("connectors")
        for name in imported_from(file, "connectors")
        if not name.split(".")[1].startswith("_")
    }
    assert not found


def test_pages_know_the_workbench_and_values():
    found = {
        f"{shown(file)} imports {name}"
        for file in sources("pages")
        for name in imported_from(file, "core") | imported_from(file, "connectors")
        if not starts_with(name, ("core.workbench", *VALUES))
    }
    assert not found


def test_a_page_does_not_know_another():
    found = {
        f"{shown(file)} imports {name}"
        for file in sources("pages")
        for name in imported_from(file, "pages")
        if not name.split(".")[1].startswith("_") and file.name != "_shell.py"  # the navigation
    }
    assert not found


def modules_after(statement: str) -> set[str]:
    """Return what is imported after a statement in a new process: a graph proves no deferral."""
    script = f"import sys; {statement}; print(sorted(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return set(ast.literal_eval(done.stdout))


def test_opening_the_workbench_loads_no_engine_no_ui_and_no_charts():
    assert modules_after("import core.workbench") & HOMES == {"sqlalchemy"}


def test_the_app_answers_before_it_imports_what_takes_long():
    loaded = modules_after("import app") - modules_after("import streamlit")
    assert not loaded & (HOMES | SLOW | {"pydantic", "core.workbench"})


def test_opening_the_workbench_reads_no_rows_no_sql_and_no_migrations():
    assert not modules_after("import core.workbench") & SLOW


@cache
def ruff() -> dict:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["ruff"]["lint"]


def test_each_third_party_has_a_home_that_ruff_guards():
    banned = ruff()["flake8-tidy-imports"]["banned-api"]
    assert set(banned) == HOMES
    assert all("home" in each["msg"] for each in banned.values())
    assert "TID" in ruff()["select"]


def test_each_exception_from_the_lint_rules_is_for_something_there_and_has_its_reason():
    lines = (ROOT / "pyproject.toml").read_text().splitlines()
    for pattern in ruff()["per-file-ignores"]:
        assert any(ROOT.glob(pattern)), f"nothing matches {pattern}"
        line = next(line for line in lines if line.startswith(f'"{pattern}" ='))
        assert "  # " in line, f"{pattern} has no reason"


def lengths(files: tuple[Path, ...]) -> dict[str, int]:
    counted = {shown(file): len(file.read_text(encoding="utf-8").splitlines()) for file in files}
    return {name: count for name, count in counted.items() if count > 1}


def test_files_are_small():
    found = lengths(sources())
    counts = sorted(found.values())
    assert statistics.median(counts) <= 120
    assert counts[int(len(counts) * 0.95)] <= 350
    assert not {name: count for name, count in found.items() if count > 500}
    tests = lengths(sources("tests"))
    assert not {name: count for name, count in tests.items() if count > 600}


def functions(file: Path) -> Iterator[tuple[str, int]]:
    """Yield each function of a file with its lines, its docstring not counted."""
    for node in ast.walk(tree(file)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            first = node.body[0]
            told = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
            documented = (first.end_lineno or 0) - first.lineno + 1 if told else 0
            length = (node.end_lineno or 0) - node.lineno + 1 - documented
            yield f"{shown(file)}: {node.name}", length


def test_functions_are_small():
    found = dict(each for file in sources() for each in functions(file))
    assert statistics.median(found.values()) <= 10
    assert not {name: count for name, count in found.items() if count > 60}


def public_names(file: Path) -> list[str]:
    """Return the functions and classes that a module offers to others.

    What a decorator such as `@router.get(...)` registers is found by its route, not by its name.
    """
    kinds = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
    return [
        node.name
        for node in tree(file).body
        if isinstance(node, kinds)
        and not node.name.startswith("_")
        and not any(registers(each) for each in node.decorator_list)
    ]


def registers(decorator: ast.expr) -> bool:
    return isinstance(decorator, ast.Call) and isinstance(decorator.func, ast.Attribute)


def test_a_module_offers_five_things_at_most():
    crowded = {shown(file) for file in sources() if len(public_names(file)) > 5}
    assert crowded == set(CROWDED)


def test_each_module_opens_by_saying_what_it_is():
    silent = {
        shown(file)
        for file in (*sources(), *sources("tests"))
        if tree(file).body and ast.get_docstring(tree(file)) is None
    }
    assert not silent


def test_no_module_has_a_name_that_says_nothing():
    empty = {"base", "common", "helper", "helpers", "impl", "manager", "misc", "util", "utils"}
    found = {shown(file) for file in sources() if file.stem.strip("_") in empty}
    assert found == {"pages/_helpers.py"}  # the name that the design gives it


def test_the_connectors():
    roster = discover("connectors", Connector)
    assert not roster.broken
    assert sorted(roster.found) == [
        "arrow",
        "csv",
        "duckdb",
        "ducklake",
        "excel",
        "folder",
        "http",
        "json",
        "mariadb",
        "mysql",
        "parquet",
        "postgres",
        "s3",
        "spark",
        "sqlalchemy",
        "sqlite",
        "supabase",
    ]


def test_the_visuals():
    roster = discover("core.visuals", Visual)
    assert not roster.broken
    assert sorted(roster.found) == [
        "area",
        "bar",
        "box",
        "heatmap",
        "histogram",
        "line",
        "pie",
        "scatter",
    ]


def test_the_channels():
    roster = discover("core.notify.channels", Channel)
    assert not roster.broken
    assert sorted(roster.found) == ["email", "slack", "webhook"]


def test_the_pages():
    files = (ROOT / "pages").glob("[a-z]*.py")
    assert sorted(file.stem for file in files) == [
        "connections",
        "history",
        "home",
        "jobs",
        "notifications",
        "query",
        "schema",
    ]
