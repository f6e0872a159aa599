"""The commands and their options, and the exit code: 0, 1, 2 for misuse, 130 for Ctrl-C."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import click

from core.cli.outcome import INTERRUPTED, show_error, show_unexpected
from core.errors import MillpondError

FORMATS = ("table", "csv", "json", "parquet", "arrow")
DIAGRAMS = ("svg", "mermaid", "dbml", "html")

_home = click.option(
    "--home",
    type=click.Path(file_okay=False, path_type=Path),
    help="Data folder, instead of MILLPOND_HOME.",
)


def run(arguments: Sequence[str]) -> int:
    """Run one command, and return its exit code; errors are told on stderr, never as a traceback.

    `--debug` shows tracebacks of errors that nobody expected.
    """
    try:
        code = millpond.main([*arguments], prog_name="millpond", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo("Cancelled.", err=True)
        return INTERRUPTED
    except MillpondError as error:
        return show_error(error)
    except Exception as error:
        return show_unexpected(error, debug="--debug" in arguments)
    return int(code or 0)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(version("millpond"), prog_name="millpond")
@click.option("--debug", is_flag=True, help="Show the traceback of an error in Millpond itself.")
def millpond(debug: bool) -> None:
    """Query files, databases and services in one SQL."""
    logging.basicConfig(level=logging.DEBUG if debug else logging.ERROR)


@millpond.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port",
    default=8501,
    show_default=True,
    type=click.IntRange(1, 65_535),
    help="Port to listen on.",
)
@click.option("--browser/--no-browser", default=True, help="Open a browser, where there is one.")
@_home
def serve(host: str, port: int, browser: bool, home: Path | None) -> None:
    """Open the app and its API until Ctrl-C."""
    from core.cli.serve import serve

    _use(home)
    serve(host, port, browser=browser)


@millpond.command()
@click.argument("sql")
@click.option(
    "--format",
    "format_name",
    type=click.Choice(FORMATS),
    help="Form of the result; without it, what --out ends in, else a table.",
)
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    help="File to write the result to, instead of the standard output.",
)
@click.option(
    "--param",
    "assignments",
    multiple=True,
    metavar="NAME=VALUE",
    help="Value of $NAME: a number, true, false, null, else text. May be repeated.",
)
@click.option(
    "--rows",
    default=50,
    show_default=True,
    type=click.IntRange(1, 10_000),
    help="Rows that a table shows.",
)
@click.option(
    "--timeout",
    type=click.FloatRange(0, min_open=True),
    metavar="SECONDS",
    help="Time the query may take, instead of MILLPOND_QUERY_TIMEOUT.",
)
@click.option(
    "--on",
    default="",
    metavar="CONNECTION",
    help="Connection whose own engine runs it, in its own dialect.",
)
@_home
def query(
    sql: str,
    format_name: str | None,
    out: Path | None,
    assignments: tuple[str, ...],
    rows: int,
    timeout: float | None,
    on: str,
    home: Path | None,
) -> None:
    """Run SQL and print its result; `-` reads the SQL from the standard input."""
    from core.cli.parameters import parse_assignments
    from core.cli.query import Target, run_query

    target = Target.choose(format_name, out, rows)
    params = parse_assignments(assignments)
    _use(home)
    run_query(_sql(sql), params, target, timeout=timeout, on=on)


@millpond.command()
@click.argument("source", default="", metavar="[SOURCE[.SCHEMA]]")
@click.option("--table", default="", help="Draw what is around one table, instead of all.")
@click.option(
    "--hops",
    default=1,
    show_default=True,
    type=click.IntRange(0, 5),
    help="Relations that another table may be away from it.",
)
@click.option(
    "--format",
    "format_name",
    type=click.Choice(DIAGRAMS),
    help="Form of the diagram; without it, what --out ends in, else svg.",
)
@click.option("--inferred", is_flag=True, help="Also draw relations that only the values show.")
@click.option("--keys", is_flag=True, help="Show the columns that are keys, and no others.")
@click.option(
    "--tables",
    "shown",
    default=60,
    show_default=True,
    type=click.IntRange(1, 5_000),
    help="Tables at most; the best connected are drawn.",
)
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    help="File to write, instead of the standard output.",
)
@_home
def erd(source: str, format_name: str | None, home: Path | None, **asked: Any) -> None:
    """Draw the tables of a source and how they are related; `html` documents all of them."""
    from core.cli.erd import Ask, draw

    _use(home)
    keys_only = asked.pop("keys")
    draw(Ask(place=source, format=format_name or "", keys_only=keys_only, **asked))


@millpond.command()
@click.argument("left")
@click.argument("right")
@click.option(
    "--format",
    "format_name",
    default="text",
    show_default=True,
    type=click.Choice(("text", "sql", "json")),
    help="A line for each table, the statements that turn left into right, or all of it.",
)
@click.option(
    "--dialect",
    type=click.Choice(("duckdb", "postgres")),
    help="Of the statements; without it, what the left's source speaks.",
)
@_home
def compare(left: str, right: str, format_name: str, dialect: Any, home: Path | None) -> int:
    """Tell how two schemas differ; 0 if they do not, 1 if they do, 2 if that cannot be told.

    Each is catalog.schema, or a snapshot as snapshot:ID or snapshot:NAME.
    """
    from core.cli.compare import compare

    _use(home)
    return compare(left, right, format_name, dialect)


@millpond.command()
@click.argument("notebooks", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print JSON: cells, ways, problems.")
@click.option(
    "--no-sources", is_flag=True, help="Take any name for a table; the workspace is not opened."
)
@_home
def check(notebooks: tuple[Path, ...], as_json: bool, no_sources: bool, home: Path | None) -> int:
    """Tell what will not work in notebooks, without running them; 0 if nothing is wrong."""
    from core.cli.check import check_files

    _use(home)
    return check_files(notebooks, as_json=as_json, sources=not no_sources)


@millpond.command("run")
@click.argument("notebook", type=click.Path(path_type=Path))
@click.option("--param", "params", multiple=True, help="Value for an input, as NAME=VALUE.")
@click.option("--cell", default="", help="Run this cell and what it follows, and no other.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON: how each cell ended.")
@_home
def run_command(
    notebook: Path, params: tuple[str, ...], cell: str, as_json: bool, home: Path | None
) -> int:
    """Run a notebook's cells in order; 0 if all did well, 1 if one failed or could not run."""
    from core.cli.parameters import parse_assignments
    from core.cli.run import Ask, run_notebook

    _use(home)
    return run_notebook(notebook, Ask(parse_assignments(params), cell, as_json))


@millpond.command()
@_home
def worker(home: Path | None) -> None:
    """Run jobs without the app, until Ctrl-C or SIGTERM."""
    from core.cli.worker import work

    _use(home)
    work()


@millpond.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")
@_home
def doctor(as_json: bool, home: Path | None) -> int:
    """Tell what works here, what is missing, and how to get it; 0 if Millpond is usable."""
    from core.cli.doctor import examine, print_json, print_text

    _use(home)
    checks = examine()
    (print_json if as_json else print_text)(checks)
    return int(any(check.state == "failed" for check in checks))


@millpond.group()
def admin() -> None:
    """Look after an installation."""


@admin.command("rotate-key")
@_home
def rotate_key(home: Path | None) -> None:
    """Seal all secrets by a new master key, while the app goes on."""
    from core.cli.admin import rotate_key

    _use(home)
    rotate_key()


@admin.command("secrets")
@_home
def show_secrets(home: Path | None) -> None:
    """Tell what is sealed, by which master key, and what is lost."""
    from core.cli.admin import show_secrets

    _use(home)
    show_secrets()


def _use(home: Path | None) -> None:
    """Set the data folder before anything reads the settings."""
    if home is not None:
        os.environ["MILLPOND_HOME"] = str(home.expanduser().absolute())


def _sql(argument: str) -> str:
    if argument != "-":
        return argument
    text = sys.stdin.buffer.read()
    try:
        return text.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise click.UsageError("The standard input is not UTF-8 text.") from error
