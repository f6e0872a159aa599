"""A pytest plugin: no test secret may be seen in anything that the program says.

A test takes its secrets from `secret_value`. They begin with a mark, and what the program said
while the tests of this process ran is searched for the mark, and for the values of the test in
every form that the redactor knows: the whole log (debug as well), standard output and error of
this and other processes, the answers to httpx and to TestClient, and the pages that AppTest drew.
A test that lets one out fails, and is told where. What a test itself prints counts as well.
"""

from __future__ import annotations

import logging
import secrets
import sys
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from core import redaction

MARK = "tell-nobody-"

_made: list[str] = []
_heard: list[tuple[str, str]] = []


@pytest.fixture
def secret_value(caplog: pytest.LogCaptureFixture) -> Iterator[Callable[[], str]]:
    """Make secrets that nobody may be told; the log is captured from debug on."""
    caplog.set_level(logging.DEBUG)

    def make() -> str:
        # Its quote, slash and letter are written in another way by JSON, URLs, SQL and HTML.
        _made.append(f"{MARK}{secrets.token_hex(8)}'/é")
        return _made[-1]

    return make


def pytest_configure() -> None:
    """Listen to HTTP answers from now on."""
    httpx.Response.iter_bytes = _listening(httpx.Response.iter_bytes)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item: pytest.Item) -> Iterator[None]:
    """Listen to pages once there are any: importing them costs a second."""
    if "streamlit.testing.v1.app_test" in sys.modules:
        _listen_to_pages(sys.modules["streamlit.testing.v1.app_test"].AppTest)
    return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Search all that was said in a phase of a test; its teardown is the last."""
    report: Any = yield
    sections = ((name, text) for when, name, text in item._report_sections if when == report.when)
    said = [*_heard, *sections]
    told = sorted({where for where, text in said if _tells(text)})
    _heard.clear()
    if report.when == "teardown":
        _made.clear()
    if told and report.passed:
        report.outcome = "failed"
        report.longrepr = f"a secret was told in: {', '.join(told)}"
    return report


def _tells(text: str) -> bool:
    forms = {form for value in _made for form in redaction._forms(value)}
    return MARK in text or any(form in text for form in forms)


def _hear(where: str, text: str) -> None:
    if _tells(text):
        _heard.append((where, text))


def _listening(read: Callable[..., Iterator[bytes]]) -> Callable[..., Iterator[bytes]]:
    def iter_bytes(response: httpx.Response, *given: Any, **named: Any) -> Iterator[bytes]:
        asked = getattr(response, "_request", None)  # not yet, while a test makes one by hand
        where = f"the answer of {asked.method} {asked.url.path}" if asked else "an answer"
        _hear(where, str(response.headers))
        before = b""
        for chunk in read(response, *given, **named):
            _hear(where, (before + chunk).decode("utf-8", "replace"))
            before = (before + chunk)[-200:]
            yield chunk

    return iter_bytes


def _listen_to_pages(kind: Any) -> None:
    if hasattr(kind, "unheard_run"):
        return
    kind.unheard_run = kind._run

    def run(app: Any, *given: Any, **named: Any) -> Any:
        drawn = kind.unheard_run(app, *given, **named)
        _hear("the page", _drawn(app._tree))
        return drawn

    kind._run = run


def _drawn(node: Any) -> str:
    """Return all that a tree of elements holds, as the browser is told it."""
    inner = "".join(_drawn(child) for child in getattr(node, "children", {}).values())
    return f"{getattr(node, 'proto', '')} {inner}"
