"""Guess the tables of a statement that the parser could not read, from the words before names.

A second choice, and flagged as one: it knows FROM, JOIN, INTO and their like, leaves out the names
of common table expressions, and can be wrong where SQL is unusual.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.engine.lexer import Token, fold, tokens
from core.engine.references import TableName

if TYPE_CHECKING:
    from core.engine.references import Found

_BEFORE_READ = {"from", "join", "using", "summarize", "describe", "pivot", "unpivot"}
_BEFORE_WRITE = {"into", "update", "table", "view"}
_NOT_A_NAME = {"if", "not", "exists", "select", "lateral", "only", "values", "set", "sample", "as"}
_MODIFIERS = {"if", "not", "exists", "or", "replace"}


def skim(sql: str, found: Found) -> None:
    """Add to `found` the likely tables, files and functions of one statement."""
    words = list(tokens(sql))
    ctes = _cte_names(words)
    for index, token in enumerate(words):
        if token.kind != "word":
            continue
        word = fold(token.text)
        if word in _BEFORE_READ and not _is_operator(words, index):
            into_writes = word == "from" and index > 0 and fold(words[index - 1].text) == "delete"
            _names(words, index + 1, found, writes=into_writes, ctes=ctes)
        elif word in _BEFORE_WRITE:
            after = index + 1
            while after < len(words) and fold(words[after].text) in _MODIFIERS:
                after += 1
            _names(words, after, found, writes=True, ctes=set())


def _is_operator(words: list[Token], index: int) -> bool:
    """Tell `is distinct from x` and `extract(year from x)` from a FROM clause."""
    before = [fold(token.text) for token in words[max(0, index - 3) : index]]
    return before[-1:] == ["distinct"] or before[:2] in (["extract", "("], ["trim", "("])


def _cte_names(words: list[Token]) -> set[str]:
    names = set()
    for index, token in enumerate(words):
        if fold(token.text) in ("with", "recursive") or token.text == ",":
            after = [fold(each.text) for each in words[index + 2 : index + 5]]
            if after[:2] == ["as", "("] or "materialized" in after:
                names.add(_unquoted(words[index + 1]))
    return {fold(name) for name in names}


def _names(words: list[Token], index: int, found: Found, *, writes: bool, ctes: set[str]) -> None:
    """Take the dotted name at `index`, and those after commas, if there are any."""
    while index < len(words):
        token = words[index]
        if token.kind == "string" and not writes:
            found.files.add(token.text[1:-1].replace("''", "'"))
            return
        parts = []
        while index < len(words) and words[index].kind in ("word", "quoted"):
            parts.append(_unquoted(words[index]))
            index += 1
            if index >= len(words) or words[index].text != ".":
                break
            index += 1
        if not parts or (len(parts) == 1 and fold(parts[0]) in _NOT_A_NAME):
            return
        follows = words[index].text if index < len(words) else ""
        if follows == "(" and not writes:
            found.functions.add(fold(parts[-1]))
            return
        if not (len(parts) == 1 and fold(parts[0]) in ctes):
            catalog, schema, name = ("", "", *parts)[-3:]
            (found.writes if writes else found.reads).add(TableName(catalog, schema, name))
        if writes or follows != ",":
            return
        index += 1


def _unquoted(token: Token) -> str:
    return token.text[1:-1].replace('""', '"') if token.kind == "quoted" else token.text
