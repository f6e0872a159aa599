"""Chromium, once per test process: Playwright's loop cannot be entered twice in a thread."""

from __future__ import annotations

import shutil

import pytest

HOW_TO_GET = "Chromium is missing: install it with `sudo apt-get install -y chromium`."
# Without a sandbox of its own it also runs as root; without /dev/shm in small containers.
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-dev-shm-usage"]


@pytest.fixture(scope="session")
def browser():
    """Start Chromium, headless. Fails, rather than skips, where there is none."""
    from playwright.sync_api import sync_playwright

    program = shutil.which("chromium") or shutil.which("google-chrome")
    if program is None:
        pytest.fail(HOW_TO_GET, pytrace=False)
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=program, args=ARGUMENTS)
        yield opened
        opened.close()
