"""Every error of the API in one shape: RFC 9457 problem+json.

`type` is `urn:millpond:` and the error's code, stable to test for; `detail` is the sentence to
show; `hint` and what the kind of error knows (line, column, setting, path, errors) are beside it.
"""

from __future__ import annotations

import json
from typing import Any

from starlette.responses import Response

from core.errors import MillpondError

MEDIA_TYPE = "application/problem+json"


def problem(
    status: int,
    code: str,
    detail: str,
    *,
    hint: str = "",
    headers: dict[str, str] | None = None,
    **more: Any,
) -> Response:
    """Make the response for an error; `more` are further members."""
    members = described(status, code, detail, hint, more)
    # json's default is ASCII: a detail may quote half a surrogate pair, which UTF-8 cannot hold.
    return Response(json.dumps(members, default=str), status, headers, media_type=MEDIA_TYPE)


def described(
    status: int, code: str, detail: str, hint: str = "", more: dict[str, Any] | None = None
) -> dict[str, Any]:
    """Describe an error as the members of a problem."""
    title = code.replace("_", " ").capitalize()
    members = {"type": f"urn:millpond:{code}", "title": title, "status": status, "detail": detail}
    return members | ({"hint": hint} if hint else {}) | (more or {})


def problem_of(error: MillpondError) -> dict[str, Any]:
    """Describe an error of the tree."""
    return described(error.status, error.code, error.message, error.hint, error.details())
