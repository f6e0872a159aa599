"""Every error that a person may see, as one tree.

    MillpondError                   500
    |-- ConfigError                 500   a setting is wrong
    |-- NotFound                    404   no such thing, or not yours to see
    |-- Conflict                    409   the thing is already there, or has changed meanwhile
    |-- Forbidden                   403   the policy or the wall says no
    |-- InvalidInput                422   what was given cannot be used
    |-- LimitExceeded               413   a limit in Settings was reached
    |-- ConnectError                502   a source could not be reached or read
    |-- WorkerLost                  503   the process that did the work is gone
    |-- BackupError                 500   a backup or a restore failed
    |-- SecretError                 500   a secret cannot be opened
    `-- QueryError                  400   the engine refused a statement: sql, line, column
        `-- QueryCancelled          409   a person or a limit stopped it

A message is one sentence that a person can act on; a hint says what to do next. Neither holds a
secret: those in use are taken out of both here, whoever wrote them. A driver's exception is
translated once, at its edge, with ``raise ... from``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from core.redaction import redact


class MillpondError(Exception):
    """Say in one sentence what went wrong, and in a hint what to do."""

    code: ClassVar[str] = "error"
    status: ClassVar[int] = 500

    def __init__(self, message: str, *, hint: str = "") -> None:
        self.message = redact(message)
        self.hint = redact(hint)
        super().__init__(self.message)

    def details(self) -> dict[str, Any]:
        """Return what this kind of error knows beyond message and hint, as JSON values."""
        return {}


class ConfigError(MillpondError):
    """A setting is missing or wrong."""

    code = "config"


class NotFound(MillpondError):
    """There is no such thing, or the actor may not see it."""

    code = "not_found"
    status = 404


class Conflict(MillpondError):
    """The thing exists already, or was changed by somebody else."""

    code = "conflict"
    status = 409


class Forbidden(MillpondError):
    """Policy or the sandbox refused; `path` is the file that was out of reach, if it was one."""

    code = "forbidden"
    status = 403

    def __init__(self, message: str, *, hint: str = "", path: str = "") -> None:
        super().__init__(message, hint=hint)
        self.path = path

    def details(self) -> dict[str, Any]:
        return {"path": self.path} if self.path else {}


class InvalidInput(MillpondError):
    """What was given cannot be used as it is."""

    code = "invalid_input"
    status = 422


class LimitExceeded(MillpondError):
    """A limit was reached; `setting` is the name in Settings that raises it."""

    code = "limit_exceeded"
    status = 413

    def __init__(self, message: str, *, hint: str = "", setting: str = "") -> None:
        super().__init__(message, hint=hint)
        self.setting = setting

    def details(self) -> dict[str, Any]:
        return {"setting": self.setting} if self.setting else {}


class ConnectError(MillpondError):
    """A source could not be reached, opened or read."""

    code = "connect"
    status = 502


class WorkerLost(MillpondError):
    """The process that did the work stopped; the next call gets a new one."""

    code = "worker_lost"
    status = 503


class BackupError(MillpondError):
    """A backup or a restore failed."""

    code = "backup"


class SecretError(MillpondError):
    """What is sealed cannot be opened; `missing` are the ids of keys that could, if it is that."""

    code = "secret"

    def __init__(self, message: str, *, hint: str = "", missing: Sequence[str] = ()) -> None:
        super().__init__(message, hint=hint)
        self.missing = tuple(missing)

    def details(self) -> dict[str, Any]:
        return {"missing": list(self.missing)} if self.missing else {}


class QueryError(MillpondError):
    """The engine refused a statement. `line` and `column` count from 1 in `sql`, 0 if unknown."""

    code = "query"
    status = 400

    def __init__(
        self, message: str, *, hint: str = "", sql: str = "", line: int = 0, column: int = 0
    ) -> None:
        super().__init__(message, hint=hint)
        self.sql = sql
        self.line = line
        self.column = column

    def details(self) -> dict[str, Any]:
        return {"line": self.line, "column": self.column} if self.line else {}


class QueryCancelled(QueryError):
    """A person cancelled the statement, or its time was up."""

    code = "cancelled"
    status = 409
