"""A statement as a parser wants it: without comments and parameters."""

from __future__ import annotations

from core.engine.lexer import Token


def plain(sql: str, tokens: list[Token]) -> str:
    """Write a statement without comments, and with `_` for each parameter.

    sqlglot takes `[$i:$j]` for a dollar quote and `?::int` for an operator; a name fits anywhere.
    """
    pieces: list[str] = []
    end = tokens[0].start
    for token in tokens:
        if token.start > end:
            pieces.append(" ")
        pieces.append(" _ " if token.kind == "parameter" else token.text)
        end = token.start + len(token.text)
    return "".join(pieces)
