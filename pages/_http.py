"""Static files of the pages: named by their hash, kept for ever, and loaded ahead of their use."""

from __future__ import annotations

import os
from collections.abc import Mapping

from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send


class Immutable(StaticFiles):
    """Serves a folder of hashed files."""

    def file_response(
        self,
        full_path: str | os.PathLike[str],
        stat_result: os.stat_result,
        scope: Scope,
        status_code: int = 200,
    ) -> Response:
        """Answer a file that never changes under its name."""
        response = super().file_response(full_path, stat_result, scope, status_code)
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
        return response


class Ahead:
    """ASGI middleware that lets a browser load a page's module beside Streamlit's own scripts.

    `modules` names a file of the assets for each path. Else the browser hears of it last: 0.1 s
    later on this machine, two trips later over a network.
    """

    def __init__(self, app: ASGIApp, modules: Mapping[str, str]) -> None:
        self._app = app
        # Relative to the page, which lies at the application's root, behind any proxy.
        self._links = {
            path: (b"link", f"<assets/{file}>; rel=modulepreload".encode())
            for path, file in modules.items()
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and add the link to the answer that is a page."""
        link = self._links.get(scope["path"]) if scope["type"] == "http" else None

        async def linked(message: Message) -> None:
            if link and message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), link]
            await send(message)

        await self._app(scope, receive, linked if link else send)
