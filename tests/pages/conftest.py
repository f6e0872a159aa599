"""A workbench for each test of a page, which the pages find as their own."""

from __future__ import annotations

import functools

import pytest
from streamlit.components.v2 import manifest_scanner

from core.workbench import close_shared, shared


@pytest.fixture(autouse=True, scope="session")
def _packages_looked_at_once():
    """Streamlit's test runner looks through all installed packages at each start: 0.4 s."""
    with pytest.MonkeyPatch.context() as patch:
        looked = functools.cache(manifest_scanner.scan_component_manifests)
        patch.setattr(manifest_scanner, "scan_component_manifests", looked)
        yield


@pytest.fixture
def settle(monkeypatch, tmp_path):
    """Return what opens a workbench of this test's own, with settings, for the pages to find."""
    close_shared()

    def settle(**settings: str):
        folder = tmp_path / "here"
        folder.mkdir(exist_ok=True)
        given = {"home": str(tmp_path / "home"), "start_folder": str(folder), "threads": "2"}
        for name, value in (given | settings).items():
            monkeypatch.setenv(f"MILLPOND_{name.upper()}", value)
        return shared().workspace()

    yield settle
    close_shared()


@pytest.fixture
def empty(settle):
    """Return a workspace without any source."""
    return settle(sample_data="false")
