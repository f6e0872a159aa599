"""The text of a notebook, read into cells and written back: Markdown, read as CommonMark does.

A fenced block is a cell where its first line names a kind and a name, or a kind that is known:
` ```sql delays `. All other blocks are a part of the prose around them, so code that is shown and
not run stands in a fence of tildes, or of another language. Nothing is ever lost: each cell keeps
its text, and what is of no known kind stays as it is.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace

from core.notebooks.models import MARKDOWN, Cell, Notebook

_LINE = re.compile(r"[^\n]*\n|[^\n]+")
_FENCE = re.compile(r" {0,3}(?P<marks>`{3,}|~{3,})[ \t]*(?P<info>[^\n]*?)[ \t\r]*\n?\Z")
_KIND = re.compile(r"[a-z][a-z0-9_-]*\Z")
NAME = re.compile(r"[^\W\d]\w*\Z")
"""What a cell may be called: what SQL and Python both take without quotes."""
_FLAG = re.compile(r"[a-z][a-z0-9_-]*(?:=\S*)?\Z")
FLAGS = ("disabled", "hidden", "collapsed", "materialize")
"""Words about a cell, and so no cell's name."""
_RULE = re.compile(r"---[ \t\r]*\n?\Z")
_END = re.compile(r"(?:---|\.\.\.)[ \t\r]*\n?\Z")


@dataclass
class _Block:
    """Lines that belong together: prose, or a fence from its first to its last line."""

    lines: list[str]
    line: int
    fence: re.Match[str] | None = None
    closed: bool = False


def parse(text: str, kinds: Collection[str]) -> Notebook:
    """Read a notebook; `kinds` are those a fence may name alone. Never fails."""
    lines = _LINE.findall(text)
    front = _front(lines)
    cells = _cells(_blocks(lines[front:], front + 1), kinds)
    return Notebook("".join(lines[:front]), tuple(cells))


def cell_text(kind: str, name: str, body: str, flags: Mapping[str, str] | None = None) -> str:
    """Write a cell, with an empty line after it. Its fence is longer than any in its body."""
    if kind == MARKDOWN:
        return f"{body.strip()}\n\n"
    ticks = max(
        (len(found) for found in re.findall(r"^ {0,3}(`{3,})", body, re.MULTILINE)), default=2
    )
    fence = "`" * max(3, ticks + 1)
    words = [
        kind,
        name,
        *(f"{key}={value}" if value else key for key, value in (flags or {}).items()),
    ]
    return f"{fence}{' '.join(filter(None, words))}\n{body.rstrip()}\n{fence}\n\n"


def _front(lines: list[str]) -> int:
    """Return how many lines are front matter and empty lines; a rule that none ends is prose."""
    end = 0
    if lines and _RULE.match(lines[0].removeprefix("\ufeff")):
        end = next((at for at, line in enumerate(lines[1:], 2) if _END.match(line)), 0)
    while end < len(lines) and not lines[end].strip():
        end += 1
    return end


def _blocks(lines: list[str], first: int) -> Iterator[_Block]:
    block = _Block([], first)
    for number, line in enumerate(lines, first):
        if block.fence is not None:
            block.lines.append(line)
            block.closed = closes(line, block.fence["marks"])
            if block.closed:
                yield block
                block = _Block([], number + 1)
        elif (fence := opens(line)) is not None:
            if block.lines:
                yield block
            block = _Block([line], number, fence)
        else:
            block.lines.append(line)
    if block.lines:
        yield block


def opens(line: str) -> re.Match[str] | None:
    """Return a line that begins a fence, with its `marks` and its `info`."""
    fence = _FENCE.match(line)
    # CommonMark: what follows backticks holds none, or a line of code would open a block.
    return None if fence is None or (fence["marks"][0] == "`" and "`" in fence["info"]) else fence


def closes(line: str, marks: str) -> bool:
    """Tell whether a line ends the fence that these marks began."""
    bare = line.strip(" \t\r\n")
    return len(bare) >= len(marks) and set(bare) == {marks[0]} and not line.startswith("    ")


def _cells(blocks: Iterator[_Block], kinds: Collection[str]) -> Iterator[Cell]:
    """Join what is no cell to one stretch of prose, and empty lines to what they follow."""
    prose: list[str] = []
    begun = 1
    waiting: Cell | None = None
    for block in blocks:
        named = _named(block, kinds)
        if named is None:
            if not prose:
                begun = block.line
            prose += block.lines
            continue
        yield from _prose(waiting, prose, begun)
        prose = []
        waiting = _fenced(block, *named)
    yield from _prose(waiting, prose, begun)


def _prose(before: Cell | None, lines: list[str], line: int) -> Iterator[Cell]:
    """Yield the cell before, with the empty lines that follow it, and prose if there is any."""
    blank = next((at for at, each in enumerate(lines) if each.strip()), len(lines))
    if before is not None:
        yield replace(before, raw=before.raw + "".join(lines[:blank]))
    if lines[blank:]:
        raw = "".join(lines[blank:])
        yield Cell(MARKDOWN, "", raw.strip(), raw, line + blank)


def _named(block: _Block, kinds: Collection[str]) -> tuple[str, str, dict[str, str]] | None:
    """Return kind, name and flags of a fence that is a cell."""
    if block.fence is None or block.fence["marks"][0] == "~":
        return None
    words = block.fence["info"].split()
    if not words or not _KIND.match(words[0]) or words[0] == MARKDOWN:
        return None
    kind, rest = words[0], words[1:]
    name = rest.pop(0) if rest and NAME.match(rest[0]) and rest[0] not in FLAGS else ""
    if not all(_FLAG.match(each) for each in rest) or (not name and kind not in kinds):
        return None
    return kind, name, dict(each.partition("=")[::2] for each in rest)


def _fenced(block: _Block, kind: str, name: str, flags: dict[str, str]) -> Cell:
    inner = block.lines[1:-1] if block.closed else block.lines[1:]
    body = "".join(inner).removesuffix("\n").removesuffix("\r")
    return Cell(kind, name, body, "".join(block.lines), block.line + 1, flags)
