"""Which columns likely hold personal data, told by the forms of their values and by their names.

A guess to look into, with the share of the values that it rests on; never a finding. Of such a
column no value leaves: neither its ends nor its most frequent values.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from core.engine.profile import ColumnProfile

# One random number of 16 digits in ten passes Luhn's check, and four numbers with dots may be a
# version: those must be most of the values. Nothing has the form of an e-mail address by chance.
_LEAST = {"e-mail address": 0.05, "IBAN": 0.05}
_USUAL = 0.5
_FEWEST = 3
"""Different values that a column needs: one address among the settings is no list of people."""

_PERSON = r"(?:first|last|full|given|family|middle|maiden|sur|fore|nick|user|customer|person)"
_NAMES = {
    "a person's name": rf"{_PERSON}_?name|surname|forename",
    "e-mail address": r"e_?mail(?:_?addr(?:ess)?)?",
    "phone number": r"(?:tele)?phone(?:_?(?:no|number|nr))?|mobile(?:_?(?:no|number))?|fax",
    "date of birth": r"birth_?(?:day|date)|date_?of_?birth|dob",
    "address": r"street(?:_?(?:address|name))?|(?:home|postal|billing)_?address",
    "identity number": r"ssn|social_?security(?:_?number)?|passport(?:_?(?:no|number))?|tax_?id",
    "IBAN": r"iban",
    "card number": r"(?:credit_?)?card_?(?:no|number)",
    "IP address": r"(?:client_|remote_|user_)?ip(?:_?addr(?:ess)?)?",
}
_CAPITAL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


@dataclass(frozen=True)
class Likely:
    """What a column likely holds; `share` of the values tried has its form, None: only its name."""

    kind: str
    share: float | None

    @property
    def words(self) -> str:
        """Say it with what it rests on."""
        if self.share is None:
            return f"likely {self.kind}, by its name"
        return f"likely {self.kind}, by the form of {self.share:.0%} of the values"


def likely(profile: ColumnProfile) -> Likely | None:
    """Tell what personal data a column likely holds, or None."""
    filled = profile.rows - profile.nulls
    if profile.distinct >= _FEWEST:
        for kind, share in profile.forms:
            if share >= _LEAST.get(kind, _USUAL):
                return Likely(kind, share)
    if not filled or profile.family not in ("text", "integer", "date", "timestamp"):
        return None
    name = _CAPITAL.sub("_", profile.column.name).lower().replace(" ", "_").replace("-", "_")
    for kind, pattern in _NAMES.items():
        if re.fullmatch(rf"(?:\w+_)?(?:{pattern})", name) and _fits(kind, profile):
            return Likely(kind, None)
    return None


def masked(profile: ColumnProfile) -> ColumnProfile:
    """Return the profile without values, where they are likely personal."""
    if likely(profile) is None:
        return profile
    return replace(profile, minimum=None, maximum=None, top=(), quantiles=(), bins=(), mean=None)


def _fits(kind: str, profile: ColumnProfile) -> bool:
    """A day is no name and a number no e-mail address, whatever the column is called."""
    if kind == "date of birth":
        return profile.family in ("date", "timestamp", "text")
    if kind in ("phone number", "identity number", "card number"):
        return profile.family in ("text", "integer")
    return profile.family == "text"
