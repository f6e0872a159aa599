"""What is told about sealed secrets and their keys. No secret is in here but the next key."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from core.secret import Secret

KeyState = Literal["active", "retiring", "retired"]
"""Active keys seal, retiring ones only open what is not sealed anew yet, retired ones neither."""


@dataclass(frozen=True)
class SealedSecret:
    """One sealed value: whose it is, what people call it, and the ids of keys that open it."""

    id: str
    workspace: str
    owner: str
    label: str
    keys: tuple[str, ...]
    updated_at: datetime


@dataclass(frozen=True)
class KeyUse:
    """A master key: whether it is found here, and how many secrets it opens."""

    id: str
    state: KeyState
    found: bool
    secrets: int
    created_at: datetime


@dataclass(frozen=True)
class Rotation:
    """What a rotation did: `newest` seals now, `kept` could not be retired yet, and why not.

    `unopened` are the secrets that no key here opens. With one key in the environment `next_key`
    is a new one to put in front of it; with several, `droppable` are no longer needed in there.
    """

    newest: str
    rewrapped: int
    retired: tuple[str, ...]
    kept: tuple[str, ...]
    unopened: tuple[SealedSecret, ...]
    next_key: Secret | None = None
    droppable: tuple[str, ...] = ()
