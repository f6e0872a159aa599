"""The docs name everything that is public, and nothing that is not there."""

from __future__ import annotations

import re
import textwrap
from functools import cache
from pathlib import Path

import click
import pytest

from core.api.app import build
from core.channel import Channel
from core.cli.commands import FORMATS, millpond
from core.connector import Connector
from core.notify.channels.webhook import signed
from core.plugins import discover
from core.settings import Settings, parse_size

ROOT = Path(__file__).resolve().parent.parent
PAPERS = [
    *sorted(ROOT.glob("*.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
    ROOT / "sample_data" / "README.md",
]


@cache
def text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def rows(markdown: str) -> dict[str, list[str]]:
    """Return the rows of all tables by their first cell, without its backticks."""
    found = {}
    for line in markdown.splitlines():
        if line.startswith("| `"):
            first, *rest = [cell.strip() for cell in line.strip("|").split(" | ")]
            found[first.strip(" |").strip("`")] = [cell.strip(" |") for cell in rest]
    return found


def section(markdown: str, heading: str) -> str:
    """Return what stands under a heading of the second level."""
    _, found, rest = markdown.partition(f"\n## {heading}\n")
    assert found, f"there is no heading {heading}"
    return rest.partition("\n## ")[0]


@pytest.mark.parametrize("name", Settings.model_fields)
def test_each_setting_is_told_with_its_default_and_its_description(name):
    field = Settings.model_fields[name]
    default, description = rows(text("docs/settings.md"))[f"MILLPOND_{name.upper()}"]
    assert description == field.description
    told = default.strip("`")
    if field.default_factory is not None:
        assert told
    elif field.default in ("", None):
        assert told == "none"
    elif isinstance(field.default, bool):
        assert told == str(field.default).lower()
    else:
        assert parse_size(told) == field.default


def test_no_setting_is_told_that_is_not_there():
    settings = {f"MILLPOND_{name.upper()}" for name in Settings.model_fields}
    told = {name for paper in PAPERS for name in re.findall(r"MILLPOND_\w+", paper.read_text())}
    assert told == settings


CONNECTORS = discover("connectors", Connector).found


def test_the_connectors_are_all_told():
    told = re.findall(r"^`(\w+)`: ", text("docs/connectors.md"), re.MULTILINE)
    assert sorted(told) == sorted(CONNECTORS)


@pytest.mark.parametrize("name", CONNECTORS)
def test_each_connector_is_told_with_its_files_and_its_options(name):
    kind = CONNECTORS[name]
    told = section(text("docs/connectors.md"), kind.label)
    assert f"`{name}`: {kind.help}" in told
    for suffix in kind.suffixes:
        assert f"`{suffix}`" in told
    options = {
        option: field.description
        for option, field in kind.Options.model_fields.items()
        if not (field.json_schema_extra or {}).get("hidden")
    }
    listed = rows(told)
    assert sorted(listed) == sorted(options)
    for option, description in options.items():
        assert listed[option][1].startswith(description)


def commands(group: click.Group, before: str = "") -> dict[str, click.Command]:
    """Return all commands by what is typed, those of groups too and no group itself."""
    found: dict[str, click.Command] = {}
    for name, command in group.commands.items():
        inner = isinstance(command, click.Group)
        found |= commands(command, f"{name} ") if inner else {before + name: command}
    return found


CHANNELS = discover("core.notify.channels", Channel).found


@pytest.mark.parametrize("name", CHANNELS)
def test_each_channel_is_told_with_its_options(name):
    kind = CHANNELS[name]
    told = section(text("docs/notifications.md"), kind.label)
    assert f"`{name}`: {kind.help}" in told
    listed = rows(told)
    options = kind.Options.model_fields
    assert {option: cells[1] for option, cells in listed.items()} == {
        option: field.description for option, field in options.items()
    }


def test_the_receivers_check_of_a_webhook_in_the_docs_works():
    told = section(text("docs/notifications.md"), "Webhook")
    source = textwrap.dedent(re.search(r"^    import base64.*?\n\n(?=\S)", told, re.M | re.S)[0])
    module: dict = {}
    exec(source, module)
    body, key = b'{"title": "Disk is full"}', "a key of enough characters"
    headers = signed("d1", body, key.encode())
    assert module["is_ours"](headers, body, key.encode())
    assert not module["is_ours"](headers, body + b" ", key.encode())
    assert not module["is_ours"](headers | {"Webhook-Id": "d2"}, body, key.encode())
    assert not module["is_ours"](headers | {"Webhook-Timestamp": "1"}, body, key.encode())


def test_each_command_is_told():
    told = re.findall(r"^## `millpond ([a-z -]+)`$", text("docs/commands.md"), re.MULTILINE)
    assert sorted(told) == sorted(commands(millpond))


@pytest.mark.parametrize("name", ["", *commands(millpond)])
def test_each_option_of_a_command_is_told(name):
    page = text("docs/commands.md")
    told = section(page, f"`millpond {name}`") if name else page.partition("\n## ")[0]
    command = commands(millpond)[name] if name else millpond
    listed = set(re.findall(r"`(--[a-z-]+)`", "\n".join(rows_of_options(told))))
    options = {
        word
        for option in command.params
        if isinstance(option, click.Option)
        for word in (*option.opts, *option.secondary_opts)
    }
    assert listed - {"--help"} == options


def rows_of_options(markdown: str) -> list[str]:
    return [line.split(" | ")[0] for line in markdown.splitlines() if line.startswith("| `-")]


def test_each_format_of_the_command_line_is_told():
    told = section(text("docs/commands.md"), "`millpond query`")
    assert all(f"`{name}`" in told for name in FORMATS)


def routes() -> dict[str, list[str]]:
    """Return the routes of the API, with the names of their query parameters."""
    described = build(lambda: None).openapi()["paths"]
    return {
        f"{method.upper()} /api{path}": [
            each["name"] for each in route.get("parameters", ()) if each["in"] == "query"
        ]
        for path, methods in described.items()
        for method, route in methods.items()
    }


def test_each_route_is_told_and_no_other():
    told = re.findall(r"^\| `([A-Z]+ /api/\S+)` \|", text("docs/api.md"), re.MULTILINE)
    assert sorted(told) == sorted(routes())


@pytest.mark.parametrize("route", routes())
def test_each_parameter_of_a_route_is_told(route):
    missing = [name for name in routes()[route] if f"`{name}`" not in text("docs/api.md")]
    assert not missing


def anchors(markdown: str) -> set[str]:
    """Return what the headings of a page are linked as."""
    headings = re.findall(r"^#+ (.+)$", markdown, re.MULTILINE)
    plain = (re.sub(r"[^\w\- ]", "", heading.lower()) for heading in headings)
    return {heading.replace(" ", "-") for heading in plain}


@pytest.mark.parametrize("paper", PAPERS, ids=lambda paper: paper.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(paper):
    for target in re.findall(r"\]\(([^)\s]+)\)", paper.read_text(encoding="utf-8")):
        if re.match(r"[a-z]+:", target):
            continue
        file, _, anchor = target.partition("#")
        found = (paper.parent / file).resolve() if file else paper
        assert found.exists(), f"{target} is not there"
        if anchor:
            assert anchor in anchors(found.read_text(encoding="utf-8")), f"no heading {target}"


def test_the_commands_of_the_readme_are_those_that_ci_runs():
    commands = re.findall(r"^    pip install uv && (.+)$", text("README.md"), re.MULTILINE)
    assert len(commands) == 2
    for command in commands:
        # Followed by nothing but long options, or README and CI would only begin alike.
        assert re.search(rf"{re.escape(command)}( --.*)?$", text(".ci/run"), re.MULTILINE)


def test_the_version_in_the_changelog_is_the_packages():
    version = re.search(r'^version = "(.+)"$', text("pyproject.toml"), re.MULTILINE)
    assert version
    assert re.search(rf"^## .*{re.escape(version[1])}", text("CHANGELOG.md"), re.MULTILINE)
