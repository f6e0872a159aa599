"""A notebook as values: front matter, and cells that keep the text they were read from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

MARKDOWN = "markdown"
"""The kind of what stands outside of all fences."""


@dataclass(frozen=True)
class Cell:
    """One cell: its kind, its name ("" for none) and its body, which begins in `line` (from 1).

    `flags` are the further words of its first line: `hidden` gives {"hidden": ""}, `on=shop` gives
    {"on": "shop"}. `raw` is its whole text, with fences and the empty lines that follow it.
    """

    kind: str
    name: str
    body: str
    raw: str = field(repr=False)
    line: int = 1
    flags: Mapping[str, str] = field(default_factory=dict)

    @property
    def disabled(self) -> bool:
        """Whether it does not run, and what needs it waits."""
        return "disabled" in self.flags


@dataclass(frozen=True)
class Notebook:
    """Front matter as it stands (with its rules), and the cells in the order of the page."""

    front: str = ""
    cells: tuple[Cell, ...] = ()

    @property
    def text(self) -> str:
        """The whole text: of a notebook that was read and not changed, byte for byte the same."""
        return self.front + "".join(cell.raw for cell in self.cells)

    @property
    def title(self) -> str:
        """What its front matter calls it, else its first heading, else ""."""
        return self.facts.get("title", "") or next(self._headings(), "")

    @property
    def facts(self) -> dict[str, str]:
        """The front matter's own lines of `key: value`; what is nested in it is left out."""
        found: dict[str, str] = {}
        for line in self.front.splitlines()[1:]:
            key, colon, value = line.partition(":")
            if colon and key.strip() and not key[0].isspace():
                found[key.strip()] = _unquoted(value.strip())
        return found

    def _headings(self) -> Iterator[str]:
        for cell in self.cells:
            for line in cell.body.splitlines() if cell.kind == MARKDOWN else ():
                if line.startswith("#"):
                    yield line.lstrip("#").strip()

    def with_cells(self, cells: tuple[Cell, ...]) -> Notebook:
        """Return it with other cells."""
        return replace(self, cells=cells)


def _unquoted(value: str) -> str:
    if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'":
        return value[1:-1]
    return value
