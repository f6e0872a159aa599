"""The settings of a cell, `key: value` a line, as inputs, charts and metrics have them.

Not YAML, though a host colours it as such: a value is all that stands after the colon, so SQL needs
no quotes, and `no` is a text. It goes on in lines that are indented; of these `- item` is one of a
list.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from core.notebooks.cell import Problem

_FIELD = re.compile(r"(?P<key>[A-Za-z_][\w-]*)[ \t]*:(?:[ \t]+(?P<value>.*))?\Z")


@dataclass(frozen=True)
class Fields:
    """What was read: values by key in small letters, and lines that are none."""

    values: dict[str, str]
    lists: dict[str, tuple[str, ...]]
    problems: tuple[Problem, ...] = ()

    def get(self, key: str) -> str:
        """Return a value, "" where it is not given."""
        return self.values.get(key, "")

    def several(self, key: str) -> tuple[str, ...]:
        """Return a list: its lines, or what commas part."""
        if key in self.lists:
            return self.lists[key]
        return tuple(each.strip() for each in self.get(key).split(",") if each.strip())


def read_fields(body: str) -> Fields:
    """Read the settings of a cell. Never fails: what is wrong is in `problems`."""
    values: dict[str, list[str]] = {}
    problems: list[Problem] = []
    key = ""
    for number, line in enumerate(body.split("\n"), 1):
        if not line.strip() or (line.lstrip().startswith("#") and not (key and line[0].isspace())):
            continue
        if key and line[0].isspace():
            values[key].append(line.strip())
        elif (found := _FIELD.match(line.rstrip())) is None:
            problems.append(
                Problem(f"{line.strip()[:60]!r} is no setting.", "Write it as key: value.", number)
            )
        elif (key := found["key"].lower()) in values:
            problems.append(Problem(f"{key} is given twice.", "", number))
        else:
            values[key] = [found["value"].strip()] if found["value"] else []
    lists = {
        key: tuple(each[2:].strip() for each in lines)
        for key, lines in values.items()
        if lines and all(each.startswith("- ") for each in lines)
    }
    plain = {key: "\n".join(lines) for key, lines in values.items()}
    return Fields(plain, lists, tuple(problems))
