"""What sqlglot is given to parse: no text that would keep it for seconds.

It tries each JOIN without ON both ways, twice as long for every one more, and goes over chains of
operators again and again. A text of 300 bytes could hold a core of the app for an hour.
"""

from __future__ import annotations

from core.engine.lexer import fold, tokens

TOKENS = 10_000
"""Most tokens of one text; half a second for a long list of columns."""

OPEN_JOINS = 10
"""Most JOINs that wait for their ON at once: 0.03 s, and 15 s for twice as many."""

SUBSCRIPTS = 30
"""Most `[1][1]...` in a text: 0.05 s, and minutes for 1,000."""

CHAINED = 300
"""Most of the operators that sqlglot goes over again for each one that follows."""

_CHAINS = ("::", "->", "**")
_WITHOUT_ON = ("cross", "natural", "positional")


def is_costly(sql: str) -> bool:
    """Tell whether sqlglot would take long to parse a text, about 1 µs for each of its bytes."""
    joins = subscripts = chained = 0
    before = ""
    for count, token in enumerate(tokens(sql), 1):
        word = fold(token.text) if token.kind == "word" else token.text
        if word == "join" and before not in _WITHOUT_ON:
            joins += 1
        elif word in ("on", "using"):
            joins = max(0, joins - 1)
        subscripts += before == "]" and word == "["
        chained += before + word in _CHAINS
        if count > TOKENS or joins > OPEN_JOINS or subscripts > SUBSCRIPTS or chained > CHAINED:
            return True
        before = word
    return False
