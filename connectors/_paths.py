"""Paths of files: what a person may type, whether it can be opened, how DuckDB must be told.

Every check gives one sentence. A path is never a pattern here: `[` and `*` in a real file name
are quoted, because DuckDB would otherwise read another file, or several.
"""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path

from pydantic import Field, field_validator

from core.connector import Options
from core.errors import ConnectError, Forbidden

_LONGEST = 4096


class PathOptions(Options):
    """The options of a connector that reads one file."""

    path: str = Field(title="File", description="Full path of the file.")

    @field_validator("path")
    @classmethod
    def _absolute(cls, path: str) -> str:
        return absolute(path)


def absolute(path: str) -> str:
    """Return a path that can be one, without what people paste around it; raises ValueError."""
    path = path.strip()
    if len(path) > 1 and path[0] == path[-1] == '"':
        path = path[1:-1]
    if not path:
        raise ValueError("the path is empty")
    if "\0" in path:
        raise ValueError("the path holds a NUL character")
    if len(path) > _LONGEST:
        raise ValueError(f"the path is longer than {_LONGEST} characters")
    if not os.path.isabs(path):
        raise ValueError(f"{path!r} is not a full path; begin at the root of the disk")
    return os.path.normpath(path)


def pattern(path: str) -> str:
    """Quote what DuckDB would take for a pattern: `a[1].csv` becomes `a[[]1].csv`."""
    return re.sub(r"([*?\[])", r"[\1]", path)


def read_head(path: str, size: int = 64) -> bytes:
    """Return the first bytes of a file that must be there, be a file and not be empty.

    Raises ConnectError, or Forbidden with the path where reading is not allowed.
    """
    try:
        mode = os.stat(path).st_mode
        if stat.S_ISDIR(mode):
            raise ConnectError(
                f"{path} is a folder, not a file.", hint="To read many files as one, use a folder."
            )
        if not stat.S_ISREG(mode):  # a pipe would be waited for, a device has no end
            raise ConnectError(f"{path} is not an ordinary file.")
        with Path(path).open("rb") as file:
            head = file.read(size)
    except OSError as error:
        raise unreadable(path, error) from error
    if not head:
        raise ConnectError(f"{path} is empty (0 bytes).", hint="Was it written to the end?")
    return head


def unreadable(path: str, error: OSError) -> ConnectError | Forbidden:
    """Say in one sentence why the system did not open a path."""
    if isinstance(error, PermissionError):
        return Forbidden(
            f"{path} may not be read.",
            hint="Allow its folder, or change the permissions of the file.",
            path=path,
        )
    if isinstance(error, (FileNotFoundError, NotADirectoryError)):
        return ConnectError(
            f"There is no file {path}.", hint="Was it moved, renamed or deleted meanwhile?"
        )
    return ConnectError(f"{path} cannot be opened: {(error.strerror or str(error)).lower()}.")
