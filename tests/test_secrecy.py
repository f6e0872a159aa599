"""The search for test secrets finds each way in which one can get out."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

LEAKS = {
    "log": "logging.getLogger('x').debug('using %s', value)",
    "log of another form": "logging.getLogger('x').info(urllib.parse.quote(value))",
    "traceback": """
    try:
        raise ValueError(value)
    except ValueError:
        logging.getLogger('x').exception('failed')
""",
    "standard output": "print(base64.b64encode(b'user:' + value.encode()).decode())",
    "another process": "subprocess.run([sys.executable, '-c', f'raise SystemExit({value!r})'])",
    "answer": """
    answer = httpx.Response(200, json={'password': value})
    httpx.Client(transport=httpx.MockTransport(lambda _: answer)).get('http://x/api/v1/it')
""",
    "header": """
    answer = httpx.Response(200, headers={'x': urllib.parse.quote(value)})
    httpx.Client(transport=httpx.MockTransport(lambda _: answer)).get('http://x/api/v1/it')
""",
    "page": """
    def script(value):
        import streamlit
        with streamlit.expander('More'):
            streamlit.text_input('Password', value=value)
    AppTest.from_function(script, kwargs={'value': value}).run()
""",
    "setup": "pass  # the fixture below prints it",
}

TEST = """
import base64, logging, subprocess, sys, urllib.parse
import httpx, pytest
{more}

@pytest.fixture
def value(secret_value):
    made = secret_value()
    {before}
    return made

def test_it(value):
    {leak}

def test_another():
    pass
"""


def run(folder: Path, leak: str, name: str = "") -> str:
    """Run a file with two tests, the first of which may leak; return what pytest says."""
    more = "from streamlit.testing.v1 import AppTest" if "AppTest" in leak else ""
    before = "print(made)" if name == "setup" else "pass"
    (folder / "test_leak.py").write_text(TEST.format(more=more, before=before, leak=leak.strip()))
    command = [sys.executable, "-m", "pytest", "-p", "tests.secrecy", "--rootdir", str(folder)]
    done = subprocess.run(
        [*command, "-p", "no:cacheprovider", "-q", str(folder / "test_leak.py")],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=100,
    )
    return done.stdout + done.stderr


@pytest.mark.parametrize("name", LEAKS)
def test_a_secret_that_gets_out_fails_its_test_and_no_other(tmp_path, name):
    said = run(tmp_path, LEAKS[name], name)
    assert "a secret was told in: " in said
    assert ("1 passed, 1 error" if name == "setup" else "1 failed, 1 passed") in said


def test_a_secret_that_is_kept_fails_nothing(tmp_path):
    said = run(tmp_path, "logging.getLogger('x').error('using %s', '***')")
    assert "2 passed" in said
