"""Files made for one answer: streamed in pieces, and removed however the answer ends."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote

from anyio import CapacityLimiter, to_thread
from starlette.requests import Request
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

CHUNK = 256 * 1024


class PassingFile(StreamingResponse):
    """Streams a file, and removes it: at the end, and when the caller goes away."""

    def __init__(self, path: Path, *, media_type: str, headers: dict[str, str]) -> None:
        self._path = path
        length = {"Content-Length": str(path.stat().st_size)}
        super().__init__(_chunks(path), headers=headers | length, media_type=media_type)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._path.unlink(missing_ok=True)


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            yield chunk


def attachment(name: str, suffix: str) -> str:
    """Compose a Content-Disposition with a file name that is safe on every system (RFC 6266)."""
    # Separators, control and direction characters, and what Windows forbids, become spaces.
    shown = "".join(" " if unicodedata.category(each)[0] == "C" else each for each in name)
    words = re.sub(r'[\s<>:"/\\|?*%;]+', " ", shown).strip(" .")[:100].strip(" .")
    whole = (words or "result") + suffix
    plain = unicodedata.normalize("NFKD", whole).encode("ascii", "ignore").decode()
    plain = plain if plain != suffix else "result" + suffix
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(whole, safe='')}"


async def in_turn(request: Request, write: Callable[[], Path]) -> Path:
    """Make a file in a thread, a few at a time: minutes of export must not hold up the grid."""
    limiter: CapacityLimiter = request.app.state.exports
    return await to_thread.run_sync(write, limiter=limiter)
