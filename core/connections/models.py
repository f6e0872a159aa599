"""What is kept of a workspace's sources and of what they may reach. No secret is in here."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

Mode = Literal["read", "write"]


@dataclass(frozen=True)
class Connection:
    """A saved source: `options` are JSON values of the connector's `Options`, `sample` is ours."""

    id: str
    workspace: str
    alias: str
    connector: str
    options: dict[str, Any]
    sample: bool
    created_at: datetime
    created_by: str


@dataclass(frozen=True)
class FolderGrant:
    """A folder or file that SQL may reach, as an absolute path; "write" includes reading."""

    path: str
    mode: Mode
