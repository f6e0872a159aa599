"""Who acts, and what they may do. Local mode has one actor, the owner, and asks for no password."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from core.errors import Forbidden

Role = Literal["owner", "editor", "viewer"]

_RANK: dict[Role, int] = {"viewer": 0, "editor": 1, "owner": 2}


@dataclass(frozen=True)
class Actor:
    """A person or program that calls, and its role in the workspace that it calls."""

    name: str
    role: Role

    def may(self, role: Role) -> bool:
        """Tell whether the actor has at least this role: pages offer what it may do."""
        return _RANK[self.role] >= _RANK[role]

    def require(self, role: Role, what: str) -> None:
        """Raise Forbidden unless the actor has at least this role. `what` is a verb phrase."""
        if not self.may(role):
            raise Forbidden(
                f"{self.name} may not {what} here; that takes the role {role}.",
                hint="Ask an owner of this workspace.",
            )


LOCAL_OWNER = Actor("owner", "owner")
