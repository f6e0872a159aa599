"""The SQL that tells what a text looks like: its shape, and whether it may be personal data.

Only forms are looked at, with their check digits where they have some. Nothing here knows whose
data it is: what looks like an e-mail address may be a robot's.
"""

from __future__ import annotations

_UPPER, _LOWER = "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz"
_LONGEST_SHAPE = 40
_LOOKED_AT = 500
"""Distinct values that are tried against the forms: trying 20,000 takes 0.2 s a column."""
_SHAPES = 5

# Digits from the right, every second one doubled, add up to a multiple of ten (Luhn, ISO/IEC
# 7812-1). Letters as 10 to 35 and the first four signs last leave 1 modulo 97 (ISO 13616-1).
_DIGITS = r"list_reverse(regexp_extract_all(t, '\d'))"
_LUHN = (
    f"list_sum(list_transform({_DIGITS}, lambda x, i: "
    "CASE WHEN i % 2 = 1 THEN CAST(x AS INTEGER) ELSE [0, 2, 4, 6, 8, 1, 3, 5, 7, 9]"
    "[CAST(x AS INTEGER) + 1] END)) % 10 = 0"
)
_BARE = "upper(replace(t, ' ', ''))"
_MOD_97 = (
    f"list_reduce(list_transform(string_split({_BARE}[5:] || {_BARE}[:4], ''), lambda x: "
    "ascii(x) - CASE WHEN x <= '9' THEN 48 ELSE 55 END), "
    "lambda a, b: (a * CASE WHEN b > 9 THEN 100 ELSE 10 END + b) % 97) = 1"
)
_BYTE = r"(25[0-5]|2[0-4]\d|1?\d?\d)"
_PHONES = (
    r"\+[1-9][\d ()./-]{6,18}\d",  # +44 20 7946 0958
    r"\(\d{2,5}\)[ /-]?\d{3,4}[ -]?\d{3,5}",  # (030) 1234567
    r"0\d{2,4}[ /-]\d{3,4}[ -]?\d{3,5}",  # 0170-1234567
    r"\d{3}[ .-]\d{3}[ .-]\d{4}",  # 555-123-4567
)

FORMS = {
    "e-mail address": r"regexp_full_match(t, '[\w.+%-]+@[\w-]+(\.[\w-]+)*\.[A-Za-z]{2,}')",
    # Without a plus, a bracket, a zero or a gap in front, a phone number looks like any number.
    "phone number": f"regexp_full_match(t, '{'|'.join(_PHONES)}')",
    "IBAN": r"CASE WHEN regexp_full_match(t, '[A-Za-z]{2}\d{2}( ?[A-Za-z\d]){11,30}') "
    f"THEN {_MOD_97} END",
    "card number": r"CASE WHEN regexp_full_match(t, '[2-6]\d{3}([ -]?\d){9,15}') "
    f"THEN {_LUHN} END",
    "IP address": rf"regexp_full_match(t, '({_BYTE}\.){{3}}{_BYTE}') OR "
    r"(contains(t, '::') OR length(t) - length(replace(t, ':', '')) = 7) "
    r"AND regexp_full_match(t, '[0-9A-Fa-f:]{4,39}')",
}
"""What a text may be, by name, and the SQL over `t` that tells."""


def forms_of(grouped: str) -> str:
    """Return a SELECT of how many values were tried, and how many have each form, as a list.

    `grouped` holds values `v` that stand `n` times each.
    """
    counts = ", ".join(f"count(*) FILTER ({sql})" for sql in FORMS.values())
    some = f"SELECT CAST(v AS VARCHAR) AS t FROM {grouped} WHERE v IS NOT NULL LIMIT {_LOOKED_AT}"
    return f"SELECT [count(*), {counts}] FROM ({some})"


def shapes_of(grouped: str) -> str:
    """Return a SELECT of the most frequent shapes of texts, with how many rows have each.

    In a shape A stands for a capital letter, a for a small one and 9 for a digit. In the second
    list a run of them is one: A+a+.
    """
    classes = f"'{_UPPER}{_LOWER}0123456789', '{'A' * 26}{'a' * 26}{'9' * 10}'"
    text = f"left(CAST(v AS VARCHAR), {_LONGEST_SHAPE})"
    shapes = (
        f"SELECT translate({text}, {classes}) AS item, sum(n) AS times "
        f"FROM {grouped} WHERE v IS NOT NULL GROUP BY 1"
    )
    run = "item"
    for sign in "Aa9":
        run = f"regexp_replace({run}, '{sign}+', '{sign}+', 'g')"
    runs = f"SELECT {run} AS item, sum(times) AS times FROM shapes GROUP BY 1"
    return (
        f"WITH shapes AS MATERIALIZED ({shapes}), runs AS ({runs}) "
        f"SELECT [(SELECT {_first('shapes')}), (SELECT {_first('runs')})]"
    )


def _first(relation: str) -> str:
    pair = "{'item': item, 'times': CAST(times AS BIGINT)}"
    return f"min_by({pair}, (-times, item), {_SHAPES}) FROM {relation}"
