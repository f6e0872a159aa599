"""The API as app.py mounts it: assembled for its first request, or by `load` before that.

FastAPI and the resources take 0.6 s to import, and the first page does not need them.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from starlette.types import ASGIApp, Receive, Scope, Send

if TYPE_CHECKING:
    from core.workbench import Workbench


class Api:
    """An ASGI app that becomes the API; `workbench` is called for each request."""

    def __init__(self, workbench: Callable[[], Workbench]) -> None:
        self._workbench = workbench
        self._loading = threading.Lock()
        self._app: ASGIApp | None = None

    def load(self) -> ASGIApp:
        """Assemble it, unless it is."""
        with self._loading:
            if self._app is None:
                from core.api.app import build

                self._app = build(self._workbench)
            return self._app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        app = self._app if self._app is not None else await asyncio.to_thread(self.load)
        await app(scope, receive, send)
