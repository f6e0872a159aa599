"""The master keys: 32 bytes each, from `MILLPOND_MASTER_KEY` or the file `master.key` at home.

The file has a line for each key, its id and the key in base64, the newest first. It is replaced
as a whole, on the disk before anything relies on it, and refused if others may read it. Who
changes it holds the store's key lock (`records.lock_keys`).
"""

from __future__ import annotations

import binascii
import hashlib
import os
import secrets
import stat
from base64 import b64decode, b64encode
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from core.errors import ConfigError
from core.redaction import know
from core.settings import Settings

SIZE = 32  # bytes
_HOW_TO_MAKE = "A key is 32 random bytes in base64: `openssl rand -base64 32` makes one."


@dataclass(frozen=True)
class MasterKey:
    """A key and its id, the first 16 hexadecimal digits of the key's SHA-256."""

    id: str
    value: bytes = field(repr=False)

    @classmethod
    def new(cls) -> MasterKey:
        """Make a random key."""
        return cls.of(secrets.token_bytes(SIZE))

    @classmethod
    def of(cls, value: bytes) -> MasterKey:
        """Name a key of 32 bytes. The redactor knows it from then on."""
        key = cls(hashlib.sha256(b"millpond master key" + value).hexdigest()[:16], value)
        know(key.text())
        return key

    @classmethod
    def parse(cls, text: str) -> MasterKey:
        """Read a key in base64, of either alphabet. Raises ValueError."""
        value = b64decode(text.strip().replace("-", "+").replace("_", "/"), validate=True)
        if len(value) != SIZE:
            raise ValueError(f"it has {len(value)} bytes and not {SIZE}")
        return cls.of(value)

    def text(self) -> str:
        """Return the key in base64."""
        return b64encode(self.value).decode("ascii")


@dataclass(frozen=True)
class KeySource:
    """Where the keys of this process come from; `given` are those of the environment."""

    file: Path
    given: tuple[MasterKey, ...]

    @classmethod
    def of(cls, settings: Settings) -> KeySource:
        """Read the setting. Raises ConfigError."""
        given = settings.master_key.get_secret_value() if settings.master_key else ""
        return cls(settings.home / "master.key", tuple(_parse_given(given)))

    def read(self) -> list[MasterKey]:
        """Return all keys there are, the newest first; those of the environment come first.

        With keys in the environment a file still opens what it has sealed. Raises ConfigError.
        """
        return list(dict.fromkeys([*self.given, *read_file(self.file)]))


def read_file(path: Path) -> list[MasterKey]:
    """Return the keys of the file, none if there is no file. Raises ConfigError."""
    try:
        with path.open(encoding="ascii") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            lines = file.read().splitlines()
    except FileNotFoundError:
        return []
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not text"
        raise ConfigError(
            f"The key file {path} cannot be read: {reason}.",
            hint="Give the user that runs Millpond the right to read it, or put back a copy of it.",
        ) from error
    if mode & 0o077 and os.name != "nt":
        raise ConfigError(
            f"The key file {path} is open to other users of this machine (mode {mode:04o}).",
            hint=f"Run `chmod 600 {path}`. If others may have read it, run "
            "`millpond admin rotate-key` after that.",
        )
    return [_parse_line(path, number, line) for number, line in enumerate(lines, 1) if line]


def write_file(path: Path, keys: Iterable[MasterKey]) -> None:
    """Replace the file by one with these keys; it is on the disk when this returns.

    Raises ConfigError, and then the old file is still there.
    """
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    text = "".join(f"{key.id} {key.text()}\n" for key in keys)
    try:
        with open(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
        _sync_folder(path.parent)
    except OSError as error:
        raise ConfigError(
            f"The key file {path} cannot be written: {error.strerror}.",
            hint="Make room on its disk, or allow writing to its folder.",
        ) from error
    finally:
        part.unlink(missing_ok=True)


def _parse_given(text: str) -> Iterable[MasterKey]:
    for number, each in enumerate(filter(None, map(str.strip, text.split(","))), 1):
        try:
            yield MasterKey.parse(each)
        except (ValueError, binascii.Error) as error:
            raise ConfigError(
                f"Key {number} in MILLPOND_MASTER_KEY is not a key.", hint=_HOW_TO_MAKE
            ) from error


def _parse_line(path: Path, number: int, line: str) -> MasterKey:
    name, _, text = line.partition(" ")
    try:
        key = MasterKey.parse(text)
        if key.id != name:
            raise ValueError("the id is another key's")
    except (ValueError, binascii.Error) as error:
        raise ConfigError(
            f"Line {number} of the key file {path} is damaged: it is not an id and its key.",
            hint="Put back a copy of the file.",
        ) from error
    return key


def _sync_folder(folder: Path) -> None:
    if os.name == "nt":  # a folder cannot be opened there
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
