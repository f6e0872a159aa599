"""/v1/unsubscribe: the way out that each mail names, for people's programs and for people.

The wall lets both in from anywhere (`guard`): nothing here may do more than the token says.
"""

from __future__ import annotations

from html import escape

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse

from core.api.caller import workbench

router = APIRouter(tags=["Notifications"])

_POLICY = "default-src 'none'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"


@router.post("/v1/unsubscribe", response_class=HTMLResponse)
def unsubscribe(token: str, request: Request) -> HTMLResponse:
    """Leave a recipient out from now on (RFC 8058). The address says who: no account is needed."""
    channel, recipient = workbench(request).post.unsubscribing.accept(token)
    return _page(f"<p>{escape(recipient)} gets no more mails of {escape(channel)}.</p>")


@router.get("/v1/unsubscribe", response_class=HTMLResponse)
def ask_to_unsubscribe(token: str) -> HTMLResponse:
    """Show a button: programs that follow every link of a mail must not unsubscribe anybody."""
    action = f"unsubscribe?token={escape(token)}"
    return _page(f'<form method="post" action="{action}"><button>Unsubscribe</button></form>')


def _page(body: str) -> HTMLResponse:
    return HTMLResponse(
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Millpond</title>'
        '<meta name="viewport" content="width=device-width"></head>'
        f"<body><h1>Millpond</h1>{body}</body></html>",
        # Not "no-referrer": the form would then send `Origin: null`, which proxies may refuse.
        headers={"Content-Security-Policy": _POLICY, "Referrer-Policy": "same-origin"},
    )
