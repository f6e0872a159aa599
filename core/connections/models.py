"""What is kept of a workspace's sources and of what they may reach. No secret is in here."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

Mode = Literal["read", "write"]


@dataclass(frozen=True)
class Health:
    """How a source last was: when somebody looked, how long its answer took in s, and who it is.

    `problem` is why it could not be reached, with a hint; it is empty where it could.
    """

    checked_at: datetime
    seconds: float | None = None
    version: str = ""
    problem: str = ""
    hint: str = ""


@dataclass(frozen=True)
class Connection:
    """A saved source: `options` are JSON values of the connector's `Options` without its secrets.

    `sealed` are the ids of those by their fields. `sample` is ours. One that is not `enabled` is
    kept, and not attached.
    """

    id: str
    workspace: str
    alias: str
    connector: str
    options: dict[str, Any]
    sealed: dict[str, str]
    enabled: bool
    sample: bool
    health: Health | None
    created_at: datetime
    created_by: str
    updated_at: datetime
    updated_by: str


@dataclass(frozen=True)
class FolderGrant:
    """A folder or file that SQL may reach, as an absolute path; "write" includes reading."""

    path: str
    mode: Mode
