"""Turn what DuckDB and Arrow raise into the tree of core.errors, with line, column and hint."""

from __future__ import annotations

import errno
import os
import re
import unicodedata
from collections.abc import Iterable

import duckdb

from core.engine.reach import inside
from core.engine.worker.remote import unreached
from core.errors import (
    ConnectError,
    Forbidden,
    InvalidInput,
    LimitExceeded,
    MillpondError,
    QueryCancelled,
    QueryError,
    WorkerLost,
)

_EXCERPT = re.compile(r"\n\nLINE (\d+): (.*)\n( *)\^", re.DOTALL)
_KIND = re.compile(r"^((?:[A-Z]\w+ (?:of )?)+)(?:Error|Exception): ")
_QUOTED_PATH = re.compile(r"""["']((?:/|\.{1,2}/|~)[^"']*|[^"']*\.[A-Za-z0-9]+)["']""")

_CSV = re.compile(r"CSV Error on Line: (\d+)")
_CSV_LINE = re.compile(r"^Original Line: ?(.*)$", re.MULTILINE)
_CSV_FILE = re.compile(r"^\s*file ?= ?(.*)$", re.MULTILINE)
_OWN_TABLES = tuple(f'Did you mean "{start}' for start in ("pg_", "duckdb_", "sqlite_"))

# What DuckDB says, and what a person can act on: {0} is the first group.
_IN_OTHER_WORDS = (
    (
        r"memory exhausted at or near|Max expression depth limit",
        "The statement is nested too deeply.",
        "Write it in steps, as views or with WITH, or put long lists into a table.",
    ),
    (
        r"Unable to connect to Postgres at (?:\"[^\"]*\"): ([^\n]*)",
        "PostgreSQL cannot be reached: {0}.",
        "Look at its connection: Millpond tries again by itself.",
    ),
    (
        r"Failed to connect to MySQL database with parameters \"\": ([^\n]*?)\. (?:First a|A)tt",
        "MySQL cannot be reached: {0}.",
        "Look at its connection: Millpond tries again by itself.",
    ),
    (
        r"Failed to (?:run|prepare|execute|fetch result row for) (?:MySQL )?query \".*\": ([^\n]*)",
        "The server says: {0}.",
        "",
    ),
    (
        r"Failed to open zip",
        "The file is not an Excel workbook (.xlsx), or it was cut off.",
        "Older .xls files and password-protected ones must be saved as .xlsx first.",
    ),
    (
        r"Error when sniffing file (\"[^\n]*\")",
        "{0} does not look like CSV: no delimiter, quote and header fit its first rows.",
        "If it is, give read_csv its delimiter, quote and skip, or ignore_errors.",
    ),
)

_LONGEST = 2_000
_LONGEST_LINE = 200

_HINTS = {
    "memory": "Read fewer columns or rows, or raise MILLPOND_MEMORY_LIMIT.",
    "temp": "Make the query smaller, free disk space, or raise MILLPOND_TEMP_LIMIT.",
}


def translate(
    error: BaseException, sql: str, readable: Iterable[str] = (), hosts: Iterable[str] = ()
) -> MillpondError:
    """Return the error that a person should see instead of `error`.

    `readable` are the folders and files inside the wall; a path outside them is named as such
    even where DuckDB reports that nothing was found there. So are `hosts`, as `name:port`.
    """
    if isinstance(error, MillpondError):
        return error
    text = str(error)
    kind = _kind(error, text)
    if kind == "INTERRUPT" or isinstance(error, duckdb.InterruptException):
        return QueryCancelled("The query was cancelled.", sql=sql)
    if kind in ("FATAL", "INTERNAL"):
        return WorkerLost(
            "The engine met an error of its own and is started again.",
            hint=f"Its words were: {text[:_LONGEST]}",
        )
    for translated in (
        _limit(error, kind, text),
        unreached(kind, text, tuple(hosts)),
        _out_of_reach(kind, text, tuple(readable)),
    ):
        if translated is not None:
            return translated
    return _refused(error, text, sql)


def _kind(error: BaseException, text: str) -> str:
    """Return DuckDB's word for the kind of error, "system" for Python's own, "" for others.

    By the text, because Arrow raises what happens in the middle of a result as an OSError. What
    a user wrote is in the text too: only the kind tells whether words in it mean something.
    """
    if match := _KIND.match(text):
        return match[1].strip()
    return "system" if isinstance(error, OSError) else ""


def _limit(error: BaseException, kind: str, text: str) -> MillpondError | None:
    memory = isinstance(error, MemoryError | duckdb.OutOfMemoryException)
    memory = memory or kind == "Out of Memory"
    disk = kind in ("IO", "system", "Out of Memory")
    if disk and ("max_temp_directory_size" in text or "failed to offload" in text):
        return LimitExceeded(
            "The query needs more temporary disk space than it may use.",
            hint=_HINTS["temp"],
            setting="MILLPOND_TEMP_LIMIT",
        )
    if memory:
        return LimitExceeded(
            "The query needs more memory than it may use.",
            hint=_HINTS["memory"],
            setting="MILLPOND_MEMORY_LIMIT",
        )
    if getattr(error, "errno", None) in (errno.ENOSPC, errno.EDQUOT) or (
        disk and "No space left" in text
    ):
        return LimitExceeded(
            "The disk is full, so the result could not be kept.",
            hint="Free some space on the disk that holds MILLPOND_HOME, and run the query again.",
            setting="MILLPOND_HOME",
        )
    if getattr(error, "errno", None) == errno.EFBIG or (disk and "File too large" in text):
        return LimitExceeded(
            "A file grew beyond what one file may hold here.",
            hint="Raise MILLPOND_SPOOL_LIMIT or MILLPOND_TEMP_LIMIT.",
            setting="MILLPOND_SPOOL_LIMIT",
        )
    return None


def _out_of_reach(kind: str, text: str, readable: tuple[str, ...]) -> MillpondError | None:
    if " requires the extension " in text[:_LONGEST] and text.startswith("File "):
        kind = "Missing Extension"
    if text.startswith("Unable to open database"):
        kind = "IO"
    if kind not in ("IO", "Permission", "HTTP", "Missing Extension", "system"):
        return None
    if "Permission denied" in text or "No files found" in text or " open " in text:
        found = _QUOTED_PATH.search(text)
        path = os.path.abspath(os.path.expanduser(found[1])) if found else ""
        # The start folder's files are granted one by one: one that is not there is just missing.
        missing = "No files found" in text and not os.path.lexists(path)
        if missing and os.path.dirname(path) == os.getcwd():
            return None
        if path and not (inside(path, readable) and inside(os.path.realpath(path), readable)):
            return outside(path)
        if path and "Permission denied" in text:
            return Forbidden(
                f"{path} could not be opened: it was replaced after the engine started, its "
                "permissions forbid it, or it lies where SQL may only read.",
                hint="Run the query again; to write there, allow its folder for writing.",
                path=path,
            )
    if "duckdb_extension" in text or "DuckDB extensions are files" in text:
        return Forbidden(
            "Extensions cannot be loaded or installed from a query.",
            hint="The extensions that Millpond brings are loaded already.",
        )
    if "Operation not permitted" in text:
        return Forbidden("The sandbox of this workspace refused what the query tried to do.")
    return None


def locked() -> Forbidden:
    """Return the refusal of a change of settings."""
    return Forbidden(
        "Settings of the engine cannot be changed from a query.",
        hint="They are set by MILLPOND_ environment variables; see docs/settings.md.",
    )


def outside(path: str) -> Forbidden:
    """Return the refusal of a path beyond the wall."""
    return Forbidden(
        f"{path} lies outside the folders that this workspace may use.",
        hint="Allow its folder for this workspace, then run the query again.",
        path=path,
    )


def _refused(error: BaseException, text: str, sql: str) -> MillpondError:
    line, column = _position(text, sql)
    message, hint = _sentences(_EXCERPT.sub("", text))
    if "configuration has been locked" in message:
        return locked()
    if isinstance(error, duckdb.IOException) and not (line or "No files found" in message):
        return ConnectError(message, hint=hint)
    if not isinstance(error, duckdb.Error | OSError | ValueError):
        return InvalidInput(f"{type(error).__name__}: {message}", hint=hint)
    return QueryError(message, hint=hint, sql=sql, line=line, column=column)


def _sentences(text: str) -> tuple[str, str]:
    """Split DuckDB's text into its first line, the message, and the rest, the hint."""
    plain = _KIND.sub("", text.strip())
    if match := _CSV.match(plain):
        return _csv_sentences(match[1], plain)
    for said, sentence, hint in _IN_OTHER_WORDS:
        if match := re.match(said, plain):
            return sentence.format(*match.groups()), hint
    first, _, rest = plain.partition("\n")
    if rest.startswith(_OWN_TABLES) or ".pg_catalog." in rest:  # not a table that anybody meant
        rest = rest.partition("\n")[2]
    hint = " ".join(line.strip() for line in rest.splitlines() if line.strip())
    return _shortened(first.strip()), _shortened(hint)


def _csv_sentences(line: str, text: str) -> tuple[str, str]:
    """Say which line of which file cannot be read, and why; leave out the reader's settings."""
    original = _CSV_LINE.search(text)
    file = _CSV_FILE.search(text)
    paragraphs = text.split("\n\n")[0].splitlines()
    reason = paragraphs[-1].strip() if len(paragraphs) > 1 else "it does not fit"
    where = f"{file[1].strip()}, line {line}" if file else f"line {line}"
    hint = f"The line is: {_shortened(original[1].strip(), _LONGEST_LINE)}. " if original else ""
    hint += "Correct the file, or choose in its source's options to leave such rows out."
    return _shortened(f"{where}: {reason}"), _shortened(hint)


def _shortened(text: str, most: int = _LONGEST) -> str:
    """Cut a text that quotes a value of megabytes."""
    return text if len(text) <= most else f"{text[:most]} ..."


def _position(text: str, sql: str) -> tuple[int, int]:
    """Find line and column, from 1, by the excerpt under which DuckDB draws its caret."""
    match = _EXCERPT.search(text)
    if not match:
        return 0, 0
    line, excerpt = int(match[1]), match[2]
    caret = _characters(excerpt, len(match[3]) - len(f"LINE {line}: "))
    lines = sql.split("\n")
    if not 0 < line <= len(lines) or caret < 0:
        return line, 1
    shown = excerpt.removeprefix("...")
    cut = len(excerpt) - len(shown)
    start = lines[line - 1].find(shown.removesuffix("...")) if cut else 0
    return line, max(1, max(start, 0) + caret - cut + 1)


def _characters(text: str, width: int) -> int:
    """Count the characters of `text` that take `width` places: DuckDB draws, it does not count."""
    for at, character in enumerate(text):
        if width <= 0:
            return at
        wide = unicodedata.east_asian_width(character) in "WF"
        width -= 0 if unicodedata.combining(character) else 2 if wide else 1
    return len(text) + max(0, width)
