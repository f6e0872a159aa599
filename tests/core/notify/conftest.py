"""An authority for the servers' certificates, and a network that may go to this machine."""

from __future__ import annotations

import pytest

from core.network import Network
from tests.core.notify.servers import Authority


@pytest.fixture
def authority(tmp_path, monkeypatch) -> Authority:
    """Make an authority that this process trusts while the test runs."""
    authority = Authority.make(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
    return authority


@pytest.fixture
def network() -> Network:
    return Network("127.0.0.1, localhost")
