"""Choose the form of an answer from an Accept header (RFC 9110, 12.5.1)."""

from __future__ import annotations

from starlette.exceptions import HTTPException

JSON, NDJSON, CSV = "application/json", "application/x-ndjson", "text/csv"
ARROW, PARQUET = "application/vnd.apache.arrow.stream", "application/vnd.apache.parquet"

CHOICES = (JSON, NDJSON, CSV, ARROW, PARQUET)


def choose(accept: str) -> str:
    """Return the choice that is wanted most; the first for no wish. Raises 406 for none of them.

    Of choices that are wanted alike, the one whose wish stands first is taken.
    """
    if not accept.strip():
        return CHOICES[0]
    wishes = sorted((_wish(part) for part in accept.split(",")), key=lambda wish: -wish[1])
    refused = {media for media, quality in wishes if quality <= 0}
    for media, quality in wishes:
        fits = [each for each in CHOICES if _fits(each, media) and each not in refused]
        if quality > 0 and fits:
            return fits[0]
    raise HTTPException(406, f"None of {accept[:200]!r} can be given; choose {', '.join(CHOICES)}.")


def _wish(part: str) -> tuple[str, float]:
    media, *parameters = (each.strip().lower() for each in part.split(";"))
    named = dict(each.split("=", 1) for each in parameters if "=" in each)
    try:
        return media, float(named.get("q", 1))
    except ValueError:
        return media, 0


def _fits(choice: str, media: str) -> bool:
    kind, _, rest = media.partition("/")
    return media in (choice, "*/*") or (rest == "*" and choice.startswith(kind + "/"))
