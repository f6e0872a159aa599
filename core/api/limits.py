"""How large a request's body may be: enough for any SQL text that may run, and its values."""

from __future__ import annotations

from collections.abc import Callable

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core.api.problems import problem
from core.workbench import Workbench

_VALUES = 2**20


class BodyLimit:
    """ASGI middleware that refuses a body before it is read, or as soon as it grows too large."""

    def __init__(self, app: ASGIApp, workbench: Callable[[], Workbench]) -> None:
        self._app = app
        self._workbench = workbench

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on with its body counted."""
        if scope["type"] != "http" or scope["method"] in ("GET", "HEAD", "OPTIONS"):
            await self._app(scope, receive, send)
            return
        # JSON may write a character as six; a text of nothing but those is not SQL.
        opened = await run_in_threadpool(self._workbench)
        limit = 2 * opened.settings.sql_limit + _VALUES
        length = dict(scope["headers"]).get(b"content-length", b"0")
        if length.isdigit() and int(length) > limit:
            refused = problem(413, "limit_exceeded", _sentence(limit), setting="MILLPOND_SQL_LIMIT")
            await refused(scope, receive, send)
            return
        await self._app(scope, _counted(receive, limit), send)


def _counted(receive: Receive, limit: int) -> Receive:
    size = 0

    async def count() -> Message:
        nonlocal size
        message = await receive()
        size += len(message.get("body", b""))
        if size > limit:
            raise HTTPException(413, _sentence(limit))
        return message

    return count


def _sentence(limit: int) -> str:
    return f"The body is larger than {limit / 1e6:.1f} MB, which one may be."
