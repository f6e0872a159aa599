"""What works on this machine, what is missing, and how to get it: by trying, not by asking."""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import asdict, dataclass
from importlib.metadata import version
from typing import Literal

import click
import psutil

from core.cli.room import open_session, read_settings
from core.errors import MillpondError
from core.secrets.service import Secrets
from core.settings import Settings
from core.workbench import Workbench
from core.workers.wall import available

State = Literal["ok", "note", "missing", "failed"]
"""A note is worth knowing, what is missing limits something, what failed stops Millpond."""

# Program, what needs it, and where it comes from; the first name found counts.
_PROGRAMS = (
    (
        ("chromium", "chromium-browser", "google-chrome"),
        "the browser tests",
        "apt install chromium",
    ),
    (("pg_dump",), "dumps of PostgreSQL", "apt install postgresql-client"),
    (("mariadb-dump", "mysqldump"), "dumps of MySQL and MariaDB", "apt install mariadb-client"),
    (("java",), "the tests of Spark", "apt install openjdk-17-jre-headless"),
)
_VERSIONS = """
SELECT 'DuckDB' AS part, version() AS found
UNION ALL
SELECT 'extension ' || extension_name, coalesce(nullif(extension_version, ''), 'built in')
FROM duckdb_extensions() WHERE loaded AND install_mode <> 'STATICALLY_LINKED'
ORDER BY 1
"""


@dataclass(frozen=True)
class Check:
    """One thing looked at: what was found, and what to do where that is not well."""

    name: str
    state: State
    found: str
    advice: str = ""


def examine() -> list[Check]:
    """Look at everything once. Raises ConfigError where the settings cannot even be read."""
    settings = read_settings()
    return [
        *_versions(),
        *_machine(settings),
        _sandbox(),
        *_workbench(settings),
        *(_program(*program) for program in _PROGRAMS),
    ]


def print_text(checks: Iterable[Check]) -> None:
    """Print one line a check, and its advice below it."""
    marks = {"ok": "ok", "note": "note", "missing": "--", "failed": "FAIL"}
    for check in checks:
        click.echo(f"{marks[check.state]:>4}  {check.name:<26} {check.found}")
        if check.advice:
            click.echo(f"{'':6}{'':<26} {check.advice}")


def print_json(checks: Iterable[Check]) -> None:
    """Print `usable` and the checks as one JSON object."""
    listed = [asdict(check) for check in checks]
    usable = all(check["state"] != "failed" for check in listed)
    click.echo(json.dumps({"usable": usable, "checks": listed}, indent=2))


def _versions() -> list[Check]:
    packages = ("millpond", "streamlit", "polars", "pyarrow", "plotly")
    return [
        Check("Python", "ok", f"{platform.python_version()} on {platform.platform()}"),
        *(Check(package, "ok", version(package)) for package in packages),
    ]


def _machine(settings: Settings) -> list[Check]:
    memory = psutil.virtual_memory()
    there = settings.home
    while not there.exists():
        there = there.parent
    free = shutil.disk_usage(there).free
    spill = settings.temp_limit + settings.spool_total
    return [
        Check(
            "memory",
            "ok",
            f"{_size(memory.total)}, {_size(memory.available)} free; "
            f"an engine may use {_size(settings.memory_limit)}",
        ),
        Check("cores", "ok", f"{os.cpu_count()}; an engine may use {settings.threads}"),
        Check(
            "disk",
            "ok" if free > spill else "note",
            f"{_size(free)} free",
            ""
            if free > spill
            else f"Less than results and spilled queries may take together ({_size(spill)}): "
            "free some, or lower MILLPOND_TEMP_LIMIT and MILLPOND_SPOOL_TOTAL.",
        ),
    ]


def _sandbox() -> Check:
    isolation = available()
    advice = "" if isolation.complete else "Use Linux 5.13 or newer with Landlock switched on."
    return Check("sandbox", "ok" if isolation.complete else "note", isolation.sentence(), advice)


def _workbench(settings: Settings) -> list[Check]:
    """Open what the app opens: data folder, store, connectors, and an engine that answers."""
    home = f"{settings.home}"
    try:
        workbench = Workbench.open(settings, spares=False)
    except MillpondError as error:
        return [Check("data folder and store", "failed", f"{home}: {error.message}", error.hint)]
    try:
        kinds = workbench.kinds
        return [
            Check("data folder and store", "ok", home),
            _secrets(workbench.secrets),
            Check("connectors", "ok", ", ".join(sorted(kinds.found))),
            *(
                Check(f"connector {name}", "missing", reason, "It is left out; the others work.")
                for name, reason in sorted(kinds.broken.items())
            ),
            *_engine(workbench),
        ]
    finally:
        workbench.close()


def _secrets(secrets: Secrets) -> Check:
    """Say whether the master key is here, and how much it no longer opens."""
    sealed, lost = len(secrets.list()), secrets.lost()
    source = "MILLPOND_MASTER_KEY" if secrets.from_environment else str(secrets.key_file)
    if not secrets.ring.ids:
        advice = "Put it back; if it is lost, `millpond admin rotate-key` begins with a new one."
        return Check("secrets", "missing", f"no master key in {source}", advice)
    if lost:
        told = ", ".join(each.label for each in lost[:3]) + (", ..." if len(lost) > 3 else "")
        advice = "Put their key back, or enter them again; `millpond admin secrets` lists them."
        return Check("secrets", "missing", f"{len(lost)} of {sealed} are lost: {told}", advice)
    return Check("secrets", "ok", f"{sealed} sealed, master key in {source}")


def _engine(workbench: Workbench) -> list[Check]:
    try:
        with open_session(workbench) as session:
            run = session.run(_VERSIONS, timeout=60)
            assert run.result is not None
            rows = session.page(run, run.result).frame.rows()
    except MillpondError as error:
        return [Check("engine", "failed", error.message, error.hint)]
    checks = [Check(part, "ok", found) for part, found in rows]
    there = {part for part, _ in rows}
    return checks + [
        Check(f"extension {name}", "missing", "not loaded", "Run `uv sync` in the project folder.")
        for name in ("excel", "sqlite_scanner")
        if f"extension {name}" not in there
    ]


def _program(names: tuple[str, ...], use: str, source: str) -> Check:
    for name in names:
        if (path := shutil.which(name)) is not None:
            return Check(name, "ok", _asked(path))
    return Check(names[0], "missing", f"not found; {use} would need it", f"On Debian: {source}.")


def _asked(path: str) -> str:
    """Ask a program for its version; its path if it does not say."""
    with suppress(OSError, subprocess.TimeoutExpired):
        option = "-version" if path.endswith("java") else "--version"
        done = subprocess.run([path, option], capture_output=True, text=True, timeout=10)
        lines = (done.stdout + done.stderr).strip().splitlines()
        if done.returncode == 0 and lines:
            return lines[0]
    return path


def _size(count: int) -> str:
    return f"{count / 1e9:.1f} GB"
