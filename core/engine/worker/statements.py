"""Cut a text into statements and bind their parameters, with DuckDB's own tokenizer and parser."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import duckdb

from core.errors import InvalidInput, LimitExceeded


@dataclass(frozen=True)
class Text:
    """One statement's text, and the line (from 0) at which it begins in the whole."""

    sql: str
    line: int
    column: int


def split(sql: str, limit: int) -> list[Text]:
    """Cut at the semicolons that end statements; empty ones are left out.

    Raises LimitExceeded for more than `limit` statements, InvalidInput where there is none.
    """
    if "\0" in sql:
        raise InvalidInput("The SQL holds a NUL character, which no statement can.")
    sql = sql.removeprefix("\ufeff")
    found = [text for text in _pieces(sql) if _says_something(text.sql)]
    if not found:
        raise InvalidInput("There is no statement to run.", hint="Write one, such as SELECT 1.")
    if len(found) > limit:
        raise LimitExceeded(
            f"The text holds {len(found):,} statements; one run may hold {limit:,}.",
            hint="Run it in parts, or raise MILLPOND_STATEMENT_LIMIT.",
            setting="MILLPOND_STATEMENT_LIMIT",
        )
    return found


def _pieces(sql: str) -> list[Text]:
    if ";" not in sql:
        return [Text(sql, 0, 0)]
    encoded = sql.encode("utf-8", "surrogatepass")
    ends = [at for at, _ in duckdb.tokenize(sql) if encoded[at : at + 1] == b";"]
    pieces, start, line, column = [], 0, 0, 0
    for end in (*ends, len(encoded)):
        text = encoded[start:end].decode("utf-8", "surrogatepass")
        pieces.append(Text(text, line, column))
        line += text.count("\n")
        last = text.rpartition("\n")[2]
        column = len(last) + 1 + (0 if "\n" in text else column)
        start = end + 1
    return pieces


def _says_something(sql: str) -> bool:
    stripped = sql.strip()
    if not stripped:
        return False
    # Only a text that begins like a comment needs the tokenizer to see that it is nothing else.
    return stripped[:2] not in ("--", "/*") or bool(duckdb.tokenize(stripped))


def parts(cursor: duckdb.DuckDBPyConnection, sql: str) -> list[duckdb.Statement]:
    """Return what DuckDB makes of one statement: of a PIVOT several, the last one is meant.

    It puts them into a transaction of their own, which would collide with one that is open.
    """
    found = cursor.extract_statements(sql)
    if len(found) > 1:
        found = [each for each in found if each.type != duckdb.StatementType.TRANSACTION]
    return found


def bind(statement: duckdb.Statement, params: dict[str, Any]) -> dict[str, Any] | None:
    """Pick the values of the statement's own `$names`; raise InvalidInput for one not given.

    `$1` is a name like any other, and DuckDB calls the first `?` so too.
    """
    names: set[str] = set(statement.named_parameters)
    if not names:
        return None
    given = {name.lower(): value for name, value in params.items()}
    missing = sorted(name for name in names if name.lower() not in given)
    if missing:
        listed = ", ".join(f"${name}" for name in missing)
        raise InvalidInput(
            f"The query needs a value for {listed}.",
            hint=f"Values given: {', '.join(sorted(params)) or 'none'}.",
        )
    return {name: given[name.lower()] for name in names}
