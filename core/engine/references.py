"""What a SQL text reads, writes, calls and asks for, found without running it.

For dependency graphs, completion and forms. It is not a guard: the wall around the worker is. Names
are as written; whether `a.b` means catalog or schema `a` only the engine knows. sqlglot reads the
text; what it cannot read is skimmed for names, and flagged.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from core.engine.lexer import fold, parameters, statements
from core.engine.plain import plain

Kind = Literal["read", "write", "other"]


@dataclass(frozen=True, eq=False)
class TableName:
    """A table as written in SQL: the parts that are not written are empty.

    Two spellings of one name are equal: DuckDB compares names without case, quoted or not.
    """

    catalog: str
    schema: str
    name: str

    @property
    def folded(self) -> tuple[str, str, str]:
        """The three parts in the form that DuckDB compares."""
        return fold(self.catalog), fold(self.schema), fold(self.name)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, TableName) and self.folded == other.folded

    def __hash__(self) -> int:
        return hash(self.folded)

    def __str__(self) -> str:
        return ".".join(part for part in (self.catalog, self.schema, self.name) if part)


@dataclass(frozen=True)
class References:
    """What a text of SQL refers to.

    `functions` are lower case and hold table functions too; `macros` are those it creates or
    drops. `files` are literal paths and patterns that it reads, `outputs` those that it writes.
    `dynamic`: it also reads what only running it can tell. `parsed` is false where a statement was
    only skimmed: its names are then likely, not certain. `kind` is the heaviest of its statements.
    """

    reads: frozenset[TableName] = frozenset()
    writes: frozenset[TableName] = frozenset()
    functions: frozenset[str] = frozenset()
    macros: frozenset[str] = frozenset()
    files: frozenset[str] = frozenset()
    outputs: frozenset[str] = frozenset()
    parameters: tuple[str, ...] = ()
    statements: int = 0
    kind: Kind = "other"
    dynamic: bool = False
    parsed: bool = True


@dataclass
class Found:
    """What the walk over one text has collected so far."""

    reads: set[TableName] = field(default_factory=set)
    writes: set[TableName] = field(default_factory=set)
    functions: set[str] = field(default_factory=set)
    macros: set[str] = field(default_factory=set)
    files: set[str] = field(default_factory=set)
    outputs: set[str] = field(default_factory=set)
    kinds: set[Kind] = field(default_factory=set)
    dynamic: bool = False
    parsed: bool = True


def references(sql: str) -> References:
    """Find what `sql` refers to; about 1 ms for a usual query. Never raises for bad SQL."""
    # Imported late: sqlglot takes 0.3 s to import, and the app starts without it.
    from core.engine.walk import walk_statement

    found = Found()
    texts = [plain(sql, tokens) for tokens in statements(sql)]
    for text in texts:
        walk_statement(text, found)
    return References(
        reads=frozenset(found.reads),
        writes=frozenset(found.writes),
        functions=frozenset(found.functions),
        macros=frozenset(found.macros),
        files=frozenset(found.files),
        outputs=frozenset(found.outputs),
        parameters=parameters(sql),
        statements=len(texts),
        kind=_heaviest(found.kinds),
        dynamic=found.dynamic,
        parsed=found.parsed,
    )


def statement_kind(sql: str) -> Kind:
    """Say whether `sql` reads, writes (rows, definitions or files), or does something else."""
    return references(sql).kind


def _heaviest(kinds: set[Kind]) -> Kind:
    if "write" in kinds:
        return "write"
    return "read" if kinds == {"read"} else "other"
