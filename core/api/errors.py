"""How the API answers errors: each as a problem, none with a traceback."""

from __future__ import annotations

import logging
import uuid
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core.api.problems import MEDIA_TYPE, problem
from core.errors import MillpondError

log = logging.getLogger(__name__)

_CODES = {400: "bad_request", 404: "not_found", 405: "method_not_allowed", 406: "not_acceptable"}
_CODES |= {413: "limit_exceeded", 415: "unsupported_media_type"}

ANSWER: dict[str, Any] = {
    "description": "What went wrong, and what to do.",
    "content": {
        MEDIA_TYPE: {
            "schema": {
                "type": "object",
                "title": "Problem",
                "required": ["type", "title", "status", "detail"],
                "properties": {
                    "type": {"type": "string", "examples": ["urn:millpond:query"]},
                    "title": {"type": "string"},
                    "status": {"type": "integer"},
                    "detail": {"type": "string"},
                    "hint": {"type": "string"},
                },
            }
        }
    },
}
"""How OpenAPI is told of it."""


def install(app: FastAPI) -> None:
    """Make the app answer its errors as problems."""
    app.add_exception_handler(MillpondError, _millpond)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(TimeoutError, _late)
    app.add_middleware(_Unexpected)


def _millpond(request: Request, error: Exception) -> Response:
    assert isinstance(error, MillpondError)
    more = error.details()
    return problem(error.status, error.code, error.message, hint=error.hint, **more)


def _late(request: Request, error: Exception) -> Response:
    detail = "The engine did not answer in time."
    return problem(503, "worker_lost", detail, hint="It may be busy; try again.")


def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    errors = [
        {"field": ".".join(str(part) for part in each["loc"][1:]), "message": each["msg"]}
        for each in error.errors()
    ]
    if any(each["type"] == "json_invalid" for each in error.errors()):
        reason = error.errors()[0].get("ctx", {}).get("error", "")
        position = error.errors()[0]["loc"][-1]
        detail = f"The body is not JSON: {reason}, at character {position}."
        return problem(400, "bad_request", detail)
    first = errors[0]
    where = first["field"] or "The body"
    return problem(422, "invalid_input", f"{where}: {first['message']}.", errors=errors)


def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    path, hint = request.url.path, ""
    headers = dict(error.headers or {})
    detail = str(error.detail)
    if error.status_code == 400:
        detail = "The body could not be read as JSON in UTF-8."
    elif error.status_code == 404:
        detail, hint = f"There is nothing at {path}.", "All paths are listed at /api/docs."
    elif error.status_code == 405:
        detail = f"{path} does not answer {request.method}."
        hint = f"It answers {headers['Allow']}." if "Allow" in headers else ""
    code = _CODES.get(error.status_code, "http")
    return problem(error.status_code, code, detail, hint=hint, headers=headers)


class _Unexpected:
    """Answers what nobody foresaw with an id, under which the log has the traceback."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = False

        async def watch(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self._app(scope, receive, watch)
        except Exception:
            error_id = uuid.uuid4().hex[:12]
            log.exception("error %s at %s", error_id, scope.get("path"))
            if started:  # only a connection that breaks tells that an answer is not whole
                raise
            detail = f"Something went wrong that should not; the log has it as {error_id}."
            await problem(500, "error", detail, id=error_id)(scope, receive, send)
