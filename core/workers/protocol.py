"""Frames over a socket pair: a JSON head and an optional binary body, no pickle.

Layout: 4 bytes length of the head, 8 bytes length of the body, both big-endian, then the two. Both
lengths are bounded, so that a hijacked worker cannot make the web process allocate without end.
"""

from __future__ import annotations

import json
import os
import select
import socket
import struct
import threading
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from core import errors

_LENGTHS = struct.Struct("!IQ")
_AS_TEXT = json.JSONEncoder(separators=(",", ":")).encode  # json.dumps() would make it each time
HEAD_LIMIT = 16 * 2**20
BODY_LIMIT = 512 * 2**20


class Closed(Exception):
    """The other side is gone."""


@dataclass(frozen=True)
class Frame:
    """One message: `head` holds JSON values, `body` bytes (mostly an Arrow IPC stream)."""

    head: dict[str, Any]
    body: bytes = b""


class Channel:
    """Send from any thread, receive from one."""

    def __init__(self, read_fd: int, write_fd: int) -> None:
        self._reader = os.fdopen(read_fd, "rb", buffering=1 << 16)
        self._write_fd = write_fd
        self._lock = threading.Lock()
        self._closing = threading.Lock()
        self._closed = False

    def send(self, head: dict[str, Any], body: Any = b"") -> None:
        """Send one frame; `body` is bytes or anything with the buffer protocol.

        Raises LimitExceeded for one that the other side would refuse, and Closed.
        """
        text = _AS_TEXT(head).encode()
        view = memoryview(body).cast("B") if len(body) else memoryview(b"")
        if len(text) > HEAD_LIMIT or len(view) > BODY_LIMIT:
            size = max(len(text), len(view)) / 1e6
            raise errors.LimitExceeded(
                f"What should pass between the app and its engine is too large: {size:,.0f} MB.",
                hint="Ask for fewer rows or shorter values, or export to a file.",
            )
        with self._lock:
            if self._closed:
                raise Closed("the channel was closed here")
            self._write([memoryview(_LENGTHS.pack(len(text), len(view)) + text), view])

    def send_soon(self, head: dict[str, Any]) -> bool:
        """Send a small frame if that needs no waiting, else return False.

        The other side may be stopped, with a frame half sent to it.
        """
        text = _AS_TEXT(head).encode()
        if not self._lock.acquire(timeout=0.01):
            return False
        try:
            writable = select.poll()  # not select(): it takes descriptors below 1024 only
            if self._closed:
                return False
            writable.register(self._write_fd, select.POLLOUT)
            if not writable.poll(0):
                return False
            self._write([memoryview(_LENGTHS.pack(len(text), 0) + text)])
            return True
        finally:
            self._lock.release()

    def _write(self, views: list[memoryview]) -> None:
        """Write all, in one go where it fits: each piece would wake the other side."""
        try:
            while views:
                written = os.writev(self._write_fd, views)
                while views and written >= len(views[0]):
                    written -= len(views.pop(0))
                if views:
                    views[0] = views[0][written:]
        except OSError as error:
            raise Closed(str(error)) from error

    def receive(self) -> Frame:
        """Wait for the next frame; raise Closed at the end of the stream."""
        head_size, body_size = _LENGTHS.unpack(self._read(_LENGTHS.size))
        if head_size > HEAD_LIMIT or body_size > BODY_LIMIT:
            raise Closed("the other side sent an oversized frame")
        try:
            head = json.loads(self._read(head_size).decode())
        except (ValueError, RecursionError) as error:
            raise Closed("the other side sent a broken frame") from error
        if not isinstance(head, dict):
            raise Closed("the other side sent a frame without a head")
        return Frame(head, self._read(body_size) if body_size else b"")

    def _read(self, size: int) -> bytes:
        try:
            chunk = self._reader.read(size)
        except (OSError, ValueError) as error:
            raise Closed(str(error)) from error
        if len(chunk) < size:
            raise Closed("end of stream")
        return chunk

    def close(self) -> None:
        """Stop sending; the other side then sees the end of the stream."""
        with self._closing:
            if self._closed:
                return
            # Without the sending lock: it wakes a sender whose other side no longer reads.
            with suppress(OSError), socket.socket(fileno=os.dup(self._write_fd)) as ours:
                ours.shutdown(socket.SHUT_WR)
            with self._lock:
                self._closed = True
                os.close(self._write_fd)

    def release(self) -> None:
        """Give back the descriptors; only for the receiving thread, when it has ended."""
        self.close()
        self._reader.close()


def error_to_json(error: errors.MillpondError) -> dict[str, Any]:
    """Describe an error so that `error_from_json` can raise the same one elsewhere."""
    described = {"kind": type(error).__name__, "message": error.message, "hint": error.hint}
    return described | {"details": error.details()}


def error_from_json(described: dict[str, Any]) -> errors.MillpondError:
    """Rebuild an error that crossed the channel; an unknown kind becomes a MillpondError."""
    kind = getattr(errors, str(described.get("kind")), errors.MillpondError)
    if not (isinstance(kind, type) and issubclass(kind, errors.MillpondError)):
        kind = errors.MillpondError
    message, hint = str(described.get("message")), str(described.get("hint", ""))
    try:
        error: errors.MillpondError = kind(message, hint=hint, **described.get("details", {}))
    except TypeError:
        error = errors.MillpondError(message, hint=hint)
    return error
