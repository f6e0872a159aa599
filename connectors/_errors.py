"""What DuckDB says about a file, as one sentence with the file and, where known, the line.

DuckDB writes paragraphs: a reason, the line's text, five pieces of advice, all settings. The
reason stays, the advice that fits our options becomes the hint, the rest goes. A cancelled or
memory-starved statement is no matter of the file and passes through untouched.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from core.errors import ConnectError, Forbidden, MillpondError

if TYPE_CHECKING:
    import duckdb

_KIND = re.compile(r"^(?:[A-Z][A-Za-z-]* )*Error: ")

_LINE = re.compile(r"CSV Error on Line: (\d+)|in line (\d+)")

# Pattern in DuckDB's text -> our sentence and hint; the first that fits wins.
_REASONS: tuple[tuple[str, str, str], ...] = (
    (
        r"Expected Number of Columns: (\d+) Found: (\d+)",
        "it has {1} columns where {0} are expected",
        "Set the delimiter or the quote, or leave bad rows out.",
    ),
    (
        r"converting column (\"[^\n]*?\"). Could not convert string (\".*?\") to '([^\n']*)'",
        "column {0} holds {1}, which is not a {2}",
        "Name the text that means no value, read all as text, or leave bad rows out.",
    ),
    (
        r"nterminated quote|unquoted value|quote should be followed",
        "a quote is not closed, or stands inside a value",
        "Set the quote and the escape character, or leave bad rows out.",
    ),
    (
        r"(?i)not utf-8 encoded|invalid unicode|invalid utf-?8",
        "it is not valid UTF-8",
        "Choose the encoding: Latin-1 for most older files, UTF-16 for some from Windows.",
    ),
    (
        r"Maximum line size of (\d+) bytes exceeded",
        "it is longer than {0} bytes",
        "Raise the longest line, if the line is meant to be that long.",
    ),
    (
        r"Error when sniffing file",
        "no delimiter, quote and header fit its first rows",
        "Set the delimiter, the quote and the rows to skip, or leave bad rows out.",
    ),
    (
        r"[Mm]agic bytes|too small to be a Parquet",
        "it is not a Parquet file, or it was cut off",
        "Was it copied or written to the end?",
    ),
    (
        r"Failed to open zip",
        "it is not an Excel workbook (.xlsx)",
        "Older .xls files must be saved as .xlsx first.",
    ),
    (
        r"Conflicting lock|Could not set lock",
        "another program has it open for writing",
        "Close it there, or connect to a copy.",
    ),
    (
        r"Malformed JSON .*?, at byte \d+ in [^:\n]+: ([^\n]*?)\.?\s*(?:\n|$)",
        "it is not valid JSON: {0}",
        "Was it written to the end? Several values need one line each.",
    ),
    (
        r"JSON transform error .*?: ([^\n]+)",
        "a value does not fit its column: {0}",
        "Look at more rows, or leave bad rows out.",
    ),
    (
        r"Failed to parse cell '(\w+)': ([^\n]+)",
        "cell {0} does not fit its column: {1}",
        "Read all as text, or let such cells be empty.",
    ),
    (r"No rows found in xlsx", "the sheet is empty", ""),
    (
        r"maximum_object_size",
        "one value is larger than the longest value allowed",
        "Raise the longest value.",
    ),
    (r"No files found that match", "there is no such file", "Was it moved, renamed or deleted?"),
)


@contextmanager
def reading(path: str) -> Iterator[None]:
    """Turn DuckDB's errors in the block into ConnectError about `path`."""
    import duckdb  # here, so that the web process, which only wants Options, need not load it

    try:
        yield
    except (duckdb.InterruptException, duckdb.OutOfMemoryException):
        raise
    except duckdb.Error as error:
        raise translated(error, path) from error


def translated(error: duckdb.Error, path: str) -> MillpondError:
    """Say what DuckDB said about a file, in one sentence and a hint."""
    text = str(error)
    # Of a folder, the file that is meant stands in the text, bare or in quotes.
    below = re.search(re.escape(path) + r"/[^\n]*?(?=['\"](?:[\s,;:.)]|$)|$)", text, re.MULTILINE)
    path = below[0] if below else path
    if "Permission denied" in text:
        return Forbidden(f"{path} may not be read.", hint="Allow its folder.", path=path)
    reason, hint = plain(text)
    line = _LINE.search(text)
    where = f"{path}, line {line[1] or line[2]}" if line else path
    return ConnectError(f"{where}: {reason}.", hint=hint)


def plain(text: str) -> tuple[str, str]:
    """Return reason and hint for a text of DuckDB's; unknown ones keep their first line."""
    for wanted, sentence, hint in _REASONS:
        if match := re.search(wanted, text, re.DOTALL):
            return sentence.format(*(shortened(group) for group in match.groups())), hint
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    first = _KIND.sub("", _KIND.sub("", lines[0])) if lines else "it cannot be read"
    return shortened(first.rstrip(". ")), ""


def shortened(text: str, length: int = 200) -> str:
    """Cut a text to a length, with a mark that it was cut."""
    text = text.replace("\0", "\N{SYMBOL FOR NULL}")
    return text if len(text) <= length else text[: length - 1] + "…"
