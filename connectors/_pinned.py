"""CSV files read as they were found, and guarded against having become others.

Sniffing weather.csv (2.3 MB) takes 42 ms, and a plain view would do it again for every query;
pinned, opening it takes 0.5 ms. But a pinned reader goes by position: if columns were swapped
later, it would read them under wrong names without a word. So each query also compares the
file's first line with the one that was seen (0.5 ms) and refuses when it differs.
"""

from __future__ import annotations

import hashlib
import json
import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from connectors._dialect import CsvReading, Found, arguments, guesses
from connectors._paths import pattern
from connectors._sql import call
from core.connector import literal, quoted
from core.errors import ConnectError

if TYPE_CHECKING:
    import duckdb


def remembered(
    con: duckdb.DuckDBPyConnection, path: str, options: CsvReading, cache: Path | None
) -> Found:
    """Return `look`, kept in the cache for as long as neither file nor options change."""
    if cache is None:
        return look(con, path, options)
    own = options.model_dump_json(include=set(CsvReading.model_fields))
    status = os.stat(path)
    stamp = f"{status.st_mtime_ns} {status.st_size} {own}"
    file = cache / f"csv-{hashlib.sha256(path.encode('utf-8', 'replace')).hexdigest()[:24]}.json"
    with suppress(OSError, ValueError, TypeError, KeyError):
        kept = json.loads(file.read_bytes())
        if kept["stamp"] == stamp:
            return Found.model_validate(kept["found"])
    found = look(con, path, options)
    with suppress(OSError):  # without it the next look is only slower
        unfinished = file.with_suffix(f".{os.getpid()}.part")
        unfinished.write_text(json.dumps({"stamp": stamp, "found": found.model_dump()}))
        unfinished.replace(file)
    return found


def look(con: duckdb.DuckDBPyConnection, path: str, options: CsvReading) -> Found:
    """Look at a file's first rows. Raises DuckDB's errors, and ConnectError if it has no column."""
    # Bad rows are counted later, line by line; here they would only hide everything else.
    given = arguments(options) | guesses(options) | {"ignore_errors": True}
    given.pop("hive_partitioning")  # sniff_csv does not know it
    row = con.execute(call("sniff_csv", pattern(path), given)).fetchone()
    if row is None or not row[7]:
        raise ConnectError(f"{path} has no columns.")
    found = Found(
        delimiter=_sniffed_text(row[0]),
        quote=options.quote,
        escape=options.escape or options.quote,
        comment=_sniffed_text(row[4]),
        skip=row[5],
        header=row[6],
        columns={column["name"]: column["type"] for column in row[7]},
        date_format=row[8] or "",
        timestamp_format=row[9] or "",
    )
    exact = _without_loss(con, path, options, found)
    line = _first_line(con, path, options, found)
    return found.model_copy(update={"columns": exact, "first_line": line})


def pinned(path: str, options: CsvReading, found: Found, **more: object) -> str:
    """Return the SELECT that reads a file as it was found, without looking at it again."""
    given = arguments(options) | _shape(found) | {"header": found.header, "columns": found.columns}
    if found.date_format:
        given["dateformat"] = found.date_format
    if found.timestamp_format:
        given["timestampformat"] = found.timestamp_format
    return call("read_csv", pattern(path), given | {"auto_detect": False} | more)


def guarded(path: str, options: CsvReading, found: Found) -> str:
    """Return `pinned` that refuses once the file's first line is another."""
    if not found.header:
        return pinned(path, options, found)
    changed = f"The columns of {path} have changed; check its connection again."
    return (
        f"SELECT columns.* FROM ({pinned(path, options, found)}) AS columns, (SELECT CASE WHEN "
        f"coalesce(any_value(line), '') = {literal(found.first_line)} THEN true "
        f"ELSE error({literal(changed)}) END AS same "
        f"FROM ({_first_lines(path, options, found)} LIMIT 1)) AS guard WHERE guard.same"
    )


def _first_line(
    con: duckdb.DuckDBPyConnection, path: str, options: CsvReading, found: Found
) -> str:
    row = con.execute(f"{_first_lines(path, options, found)} LIMIT 1").fetchone()
    return str(row[0] or "") if row else ""


def _shape(found: Found) -> dict[str, object]:
    return {
        "delim": found.delimiter,
        "quote": found.quote,
        "escape": found.escape,
        "comment": found.comment,
        "skip": found.skip,
    }


def _first_lines(path: str, options: CsvReading, found: Found) -> str:
    given = {
        "auto_detect": False,
        "header": False,
        "columns": {"line": "VARCHAR"},
        "delim": "\x01",  # in no text file: the line stays whole
        "quote": "",
        "escape": "",
        "comment": found.comment,
        "skip": found.skip,
        "encoding": options.encoding,
        "ignore_errors": True,
        "max_line_size": options.longest_line,
        "buffer_size": 2 * options.longest_line,
        "parallel": False,
        "hive_partitioning": False,
    }
    return call("read_csv", pattern(path), given)


def _without_loss(
    con: duckdb.DuckDBPyConnection, path: str, options: CsvReading, found: Found
) -> dict[str, str]:
    """Return the columns, with HUGEINT where whole numbers would lose digits as DOUBLE.

    DuckDB's sniffer knows no whole number beyond BIGINT: a 20-digit account number became 1.2e19.
    """
    doubles = [name for name, kind in found.columns.items() if kind == "DOUBLE"]
    if not doubles:
        return found.columns
    text = found.model_copy(update={"columns": dict.fromkeys(found.columns, "VARCHAR")})
    checks = ", ".join(
        f"bool_and(regexp_full_match(trim({quoted(name)}), '[+-]?[0-9]{{1,38}}'))"
        for name in doubles
    )
    select = pinned(path, options, text, ignore_errors=True)
    row = con.execute(f"SELECT {checks} FROM ({select} LIMIT {options.sample_rows})").fetchone()
    whole = {name for name, is_whole in zip(doubles, row or (), strict=True) if is_whole}
    return {k: "HUGEINT" if k in whole else v for k, v in found.columns.items()}


def _sniffed_text(text: str | None) -> str:
    return "" if text in (None, "(empty)") else str(text)
