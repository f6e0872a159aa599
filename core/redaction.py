"""Keep secrets out of what the program says: one redactor over error texts, logs and tracebacks.

It finds values, not patterns: each `Secret` that is made tells its value here. It is a net below
code that does not name secrets in the first place, not a licence to. Values of less than 4
characters are not looked for (they would be found in every word), short words in whole words only
("postgres" is a password, and no part of "postgresql"), and not what has been cut in two. Of a
secret web address the parts are looked for that can hold a key: servers repeat them alone.
"""

from __future__ import annotations

import html
import json
import logging
import re
import sys
import threading
import traceback
from base64 import b64encode
from collections.abc import Iterator, Mapping
from types import TracebackType
from typing import Any
from urllib.parse import parse_qsl, quote, quote_plus, unquote, urlsplit

MASK = "***"

_SHORTEST = 4
_SHORT_WORD = 10  # characters; from here on a value is no everyday word
_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]*://", re.I)
_LONG_PART = 16  # characters of a part of an address; from here on it is no everyday name
_KEPT = 2000  # values, the newest; some 10 forms of 100 bytes each
_STANDARD = frozenset(vars(logging.LogRecord("", 0, "", 0, "", (), None)))


class _Known:
    """The values to look for; their forms, by first characters, are made when next looked for."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._values: dict[str, None] = {}
        self._fresh: list[str] = []
        self._forms: dict[str, tuple[str, ...]] = {}

    def add(self, value: str) -> None:
        with self._lock:
            if value not in self._values:
                self._fresh.append(value)
            self._values.pop(value, None)
            self._values[value] = None  # now the newest
            if len(self._values) > 2 * _KEPT:
                self._fresh = [*self._values][-_KEPT:]
                self._values = dict.fromkeys(self._fresh)
                self._forms = {}

    def forms(self) -> dict[str, tuple[str, ...]]:
        """Return all forms of all values by their first four characters."""
        if self._fresh:
            with self._lock:
                forms = dict(self._forms)  # a copy: other threads may be reading the old
                for value in self._fresh:
                    for form in _forms(value):
                        start = form[:_SHORTEST]
                        forms[start] = (*forms.get(start, ()), form)
                self._forms, self._fresh = forms, []
        return self._forms


_known = _Known()


def know(value: str) -> None:
    """Look for this value from now on; only the newest 2,000 are sure to be remembered.

    Of an address its password counts as another one, and of a web address path, key-like segments
    and values of the query.
    """
    for each in (value, *_address_parts(value)):
        if len(each) >= _SHORTEST:
            _known.add(each)


def redact(text: str) -> str:
    """Return the text with `***` in place of each known secret, however it is written there.

    Found are the value as it is, and as it stands in a URL, JSON, repr, HTML, SQL or base64.
    About 20 us for 100 characters, whatever the number of values; nothing while none is known.
    """
    forms = _known.forms()
    if not forms:
        return text
    starts = {text[at : at + _SHORTEST] for at in range(len(text) - _SHORTEST + 1)}
    found = sorted(
        span
        for start in forms.keys() & starts
        for form in forms[start]
        for span in _spans(text, form)
    )
    return _masked(text, found) if found else text


class RedactingFilter(logging.Filter):
    """Redact a record as a whole: message, arguments, exception, stack, and extra fields."""

    def filter(self, record: logging.LogRecord) -> bool:
        _clean_message(record)
        _clean_exception(record)
        if record.stack_info:
            record.stack_info = redact(record.stack_info)
        for name in vars(record).keys() - _STANDARD:
            setattr(record, name, _clean(getattr(record, name)))
        return True


class _CleanRecords:
    """A factory of log records that are redacted before any handler can see them."""

    def __init__(self, make: Any) -> None:
        self._make = make
        self._filter = RedactingFilter()

    def __call__(self, *args: Any, **keywords: Any) -> logging.LogRecord:
        record: logging.LogRecord = self._make(*args, **keywords)
        self._filter.filter(record)
        return record


def install() -> None:
    """Stand over all logging of this process, and over tracebacks of what nobody caught.

    Every logger's records are made by one factory, so handlers that are added later are covered
    too. The `extra` fields of a record come after the factory: the root's handlers of now get a
    filter for those.
    """
    if not isinstance(logging.getLogRecordFactory(), _CleanRecords):
        logging.setLogRecordFactory(_CleanRecords(logging.getLogRecordFactory()))
    for handler in logging.getLogger().handlers:
        if not any(isinstance(each, RedactingFilter) for each in handler.filters):
            handler.addFilter(RedactingFilter())
    # Somebody else's hook, such as a test runner's, stays.
    if sys.excepthook is sys.__excepthook__:
        sys.excepthook = _tell_uncaught
    if threading.excepthook is threading.__excepthook__:
        threading.excepthook = _tell_uncaught_in_thread


def _address_parts(value: str) -> Iterator[str]:
    if not _ADDRESS.match(value):
        return
    try:
        parts = urlsplit(value)
    except ValueError:  # it only looks like one
        return
    if parts.password:
        yield unquote(parts.password)
    if parts.scheme not in ("http", "https"):
        return  # a database's name, or a file
    asked = f"{parts.path}?{parts.query}" if parts.query else parts.path
    yield from (each for each in (asked, parts.path) if len(each) >= _SHORT_WORD)
    values = [each for _, each in parse_qsl(parts.query)]
    for each in (*parts.path.split("/"), *re.split("[&=]", parts.query), *values, parts.fragment):
        yield from {part for part in (each, unquote(each)) if _is_key_like(part)}


def _is_key_like(part: str) -> bool:
    """Tell a key from a name: "services" and "v2" are everyday words, "a8f3k2p9" is none."""
    mixed = any(sign.isdigit() for sign in part) and any(sign.isalpha() for sign in part)
    return len(part) >= (2 * _SHORTEST if mixed else _LONG_PART)


def _forms(value: str) -> set[str]:
    """Return the ways in which a value may be written."""
    data = value.encode("utf-8", "surrogatepass")
    forms = {
        value,
        quote(data, safe=""),
        quote(data),
        quote_plus(data),
        json.dumps(value)[1:-1],
        json.dumps(value, ensure_ascii=False)[1:-1],
        repr(value)[1:-1],
        repr(data)[2:-1],
        html.escape(value),
        value.replace("'", "''"),
        value.replace("'", "\\'"),
        *_base64_forms(data),
        # A key of many lines is often shown indented, or line by line.
        *(line for line in value.splitlines() if len(line) >= 16),
    }
    return {form for form in forms if len(form) >= _SHORTEST}


def _base64_forms(data: bytes) -> Iterator[str]:
    """Yield what is seen of the value in base64, alone or in the midst of other bytes."""
    for before in range(3):
        text = b64encode(bytes(before) + data).decode("ascii")
        first, whole = -(-before * 8 // 6), (before + len(data)) * 8 // 6
        for form in (text[first:], text[first:].rstrip("="), text[first:whole]):
            yield form
            yield form.replace("+", "-").replace("/", "_")


def _spans(text: str, form: str) -> Iterator[tuple[int, int]]:
    whole_words = len(form) < _SHORT_WORD and form.isalnum()
    at = text.find(form)
    while at >= 0:
        end = at + len(form)
        if not (whole_words and (text[at - 1 : at].isalnum() or text[end : end + 1].isalnum())):
            yield at, end
        at = text.find(form, at + 1)


def _masked(text: str, spans: list[tuple[int, int]]) -> str:
    """Put the mask over sorted spans; those that overlap are one."""
    parts, end = [], 0
    for start, stop in spans:
        if start >= end:
            parts += [text[end:start], MASK]
        end = max(end, stop)
    return "".join([*parts, text[end:]])


def _clean(value: Any) -> Any:
    try:
        shown = str(value)
    except Exception:  # what cannot be printed tells nothing, and logging must not fail for it
        return value
    clean = redact(shown)
    return value if clean == shown else clean


def _clean_message(record: logging.LogRecord) -> None:
    try:
        message = record.getMessage()
    except Exception:  # arguments that do not fit: logging would print them as they are
        record.msg, record.args = redact(f"{record.msg} {record.args}"), None
        return
    clean = redact(message)
    if clean == message:
        return
    # In their places, because some formatters read the arguments, such as an access log's.
    if isinstance(record.args, Mapping):
        record.args = {name: _clean(value) for name, value in record.args.items()}
    else:
        record.args = tuple(_clean(each) for each in record.args or ())
    record.msg = _clean(record.msg)
    if record.getMessage() != redact(record.getMessage()):
        record.msg, record.args = clean, None


def _clean_exception(record: logging.LogRecord) -> None:
    if record.exc_text:
        record.exc_text = redact(record.exc_text)
    if not record.exc_info or record.exc_info[0] is None:
        return
    shown = "".join(traceback.format_exception(*record.exc_info)).rstrip("\n")
    clean = redact(shown)
    if clean != shown:
        record.exc_text, record.exc_info = clean, None


def _tell_uncaught(
    kind: type[BaseException], error: BaseException, where: TracebackType | None
) -> None:
    _tell("".join(traceback.format_exception(kind, error, where)))


def _tell_uncaught_in_thread(failed: threading.ExceptHookArgs) -> None:
    if failed.exc_type is SystemExit:
        return
    name = failed.thread.name if failed.thread else "?"
    shown = traceback.format_exception(failed.exc_type, failed.exc_value, failed.exc_traceback)
    _tell("".join([f"Exception in thread {name}:\n", *shown]))


def _tell(text: str) -> None:
    if sys.stderr is not None:
        sys.stderr.write(redact(text))
