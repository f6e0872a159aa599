"""Cut SQL text into tokens as DuckDB does, to find parameters and the ends of statements.

Not a parser: it knows strings, dollar quotes, nested comments, names and `$parameters`, and
nothing of grammar. It never fails: what is left open runs to the end of the text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

# DuckDB takes every byte above 0x7f as part of a name.
_START = r"[A-Za-z_\u0080-\U0010ffff]"
_PART = r"[A-Za-z0-9_\u0080-\U0010ffff]"

_TOKEN = re.compile(
    rf"""
      (?P<space>[\s\ufeff]+|--[^\n]*)
    | (?P<comment>/\*)
    | (?P<string>[eE]'[^'\\]*(?:(?:\\.|'')[^'\\]*)*'?
        | [xXbB]?'[^']*(?:''[^']*)*'?
        | \$(?P<tag>(?:{_START}{_PART}*)?)\$.*?(?:\$(?P=tag)\$|\Z))
    | (?P<quoted>"[^"]*(?:""[^"]*)*"?)
    | (?P<parameter>\$\s*(?:\d+|{_START}{_PART}*|"[^"]*(?:""[^"]*)*")|\?\d*)
    | (?P<number>\d[\d_]*(?:\.\d*)?(?:[eE][+-]?\d+)?)
    | (?P<word>{_START}(?:{_PART}|\$)*)
    | (?P<symbol>.)
    """,
    re.VERBOSE | re.DOTALL,
)
_COMMENT_EDGE = re.compile(r"/\*|\*/")


class Token(NamedTuple):
    """One token: `kind` is string, quoted, parameter, number, word or symbol."""

    kind: str
    text: str
    start: int


def tokens(sql: str) -> Iterator[Token]:
    """Yield the tokens of `sql` without spaces and comments."""
    position, end = 0, len(sql)
    while position < end:
        match = _TOKEN.match(sql, position)
        if match is None:  # cannot be: the last alternative takes any character
            return
        position = match.end()
        kind = match.lastgroup if match["tag"] is None else "string"
        if kind == "comment":
            position = _comment_end(sql, position)
        elif kind is not None and kind != "space":
            yield Token(kind, match[0], match.start())


def _comment_end(sql: str, position: int) -> int:
    depth = 1
    for edge in _COMMENT_EDGE.finditer(sql, position):
        depth += 1 if edge[0] == "/*" else -1
        if depth == 0:
            return edge.end()
    return len(sql)


def parameters(sql: str) -> tuple[str, ...]:
    """Name the parameters of `sql` in order of appearance, each once.

    `$name`, `$"a name"` and `$1` give their names; each `?` is one more than the highest number
    before it in its statement. DuckDB takes `$a` and `$A` for one parameter: the first spelling is
    returned.
    """
    if "$" not in sql and "?" not in sql:
        return ()
    found: dict[str, str] = {}
    highest = 0
    for token in tokens(sql):
        if token.kind == "symbol" and token.text == ";":
            highest = 0
        elif token.kind == "parameter":
            name = token.text[1:].strip()
            if number := _number(name, highest):
                highest, name = max(highest, number), str(number)
            elif name.startswith('"'):
                name = name[1:-1].replace('""', '"')
            found.setdefault(fold(name), name)
    return tuple(found.values())


def _number(name: str, highest: int) -> int:
    """Return which position a parameter stands for, 0 for one with a name."""
    if name.strip("0") == "":  # ? and $0 are the next one
        return highest + 1
    # DuckDB cannot count further, and Python would not read 5,000 digits.
    return int(name) if name.isdecimal() and len(name) < 10 else 0


def statements(sql: str) -> list[list[Token]]:
    """Cut `sql` at its semicolons; empty statements are left out."""
    cut: list[list[Token]] = [[]]
    for token in tokens(sql):
        if token.kind == "symbol" and token.text == ";":
            cut.append([])
        else:
            cut[-1].append(token)
    return [each for each in cut if each]


_FOLD = {upper: upper + 32 for upper in range(ord("A"), ord("Z") + 1)}


def fold(name: str) -> str:
    """Lower A to Z, as DuckDB compares names, quoted or not: É and é stay two letters."""
    return name.translate(_FOLD)
