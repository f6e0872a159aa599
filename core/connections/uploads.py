"""Keep what people upload: whole or not at all, under a name that is free."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from core.errors import ConnectError, LimitExceeded

Progress = Callable[[int], None]


def keep(folder: Path, name: str, source: BinaryIO, limit: int, progress: Progress | None) -> Path:
    """Copy a file of at most `limit` bytes into a folder, and return where it lies.

    `progress` is told the bytes so far. Raises LimitExceeded, or ConnectError for a disk that
    takes no more.
    """
    target = _free_name(folder, name)
    part = target.with_name(target.name + ".part")
    try:
        with part.open("xb") as file:
            _copy(source, file, limit, progress)
        part.rename(target)
    except OSError as error:
        raise ConnectError(
            f"{name} could not be stored: {error.strerror}.",
            hint="Free some space on the disk that holds MILLPOND_HOME.",
        ) from error
    finally:
        part.unlink(missing_ok=True)
    return target


def _free_name(folder: Path, name: str) -> Path:
    plain = re.sub(r"[\x00-\x1f/\\]", "_", Path(name).name).lstrip(".")[-120:] or "file"
    target, count = folder / plain, 1
    while target.exists():
        count += 1
        target = folder / f"{count}-{plain}"
    return target


def _copy(source: BinaryIO, target: BinaryIO, limit: int, progress: Progress | None) -> None:
    done = 0
    while chunk := source.read(2**20):
        done += len(chunk)
        if done > limit:
            raise LimitExceeded(
                f"The file is larger than {limit / 1e9:g} GB, which an upload may be.",
                hint="Put it into a folder that this workspace may read, or raise "
                "MILLPOND_UPLOAD_LIMIT.",
                setting="MILLPOND_UPLOAD_LIMIT",
            )
        target.write(chunk)
        if progress is not None:
            progress(done)
