"""What differs between two schemas: a pure comparison of what is declared of their tables.

Tables, columns and indexes are matched by name: by the very same one first, then by one that
differs in capitals alone. Nothing is taken for renamed; `renames` says what might be. The order
of columns, the names of keys, the number of rows and the size are not compared.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import TypeVar

from core.catalog.differences import Comparison, Pair, Side, TableChange
from core.catalog.renames import renamed_columns, renamed_tables
from core.catalog.sqlheads import index_text, view_kind, view_text
from core.catalog.sqltext import canonical
from core.structure import Constraint, Index, Structure, StructuredColumn

T = TypeVar("T")


def compare(left: Side, right: Side) -> Comparison:
    """Tell what would have to be added, removed and changed to turn the left into the right."""
    rules = _Rules(left, right)
    pairs = _matched(left.structures, right.structures, lambda each: each.name)
    changes = [change for pair in pairs if (change := rules.table(pair))]
    removed = [each.left for each in changes if each.left and not each.right]
    added = [each.right for each in changes if each.right and not each.left]
    return Comparison(
        left,
        right,
        tuple(changes),
        same=len(pairs) - len(changes),
        renames=tuple(renamed_tables(removed, added)),
        reordered=tuple(
            pair.right.name for pair in pairs if pair.left and pair.right and _reordered(pair)
        ),
    )


def _matched(left: Iterable[T], right: Iterable[T], name: Callable[[T], str]) -> list[Pair[T]]:
    """Pair what has one name, in its order on the right; what is on the left only comes last."""
    olds = {name(each): each for each in left}
    news = {name(each): each for each in right}
    if [*olds] == [*news]:  # most tables: half the time
        return [Pair(old, new) for old, new in zip(olds.values(), news.values(), strict=True)]
    pairs: dict[str, Pair[T]] = {}
    free: dict[str, list[str]] = {}
    for each in olds:
        if each not in news:
            free.setdefault(each.lower(), []).append(each)
    for each, new in news.items():
        folded = free.get(each.lower(), [])
        other = each if each in olds else folded.pop() if len(folded) == 1 else None
        pairs[each] = Pair(None if other is None else olds.pop(other), new)
    return [*pairs.values(), *(Pair(old, None) for old in olds.values())]


def _reordered(pair: Pair[Structure]) -> bool:
    if pair.left is None or pair.right is None:
        return False
    left, right = ([each.name.lower() for each in side.columns] for side in (pair.left, pair.right))
    if left == right:
        return False
    both = set(left) & set(right)
    return [each for each in left if each in both] != [each for each in right if each in both]


@dataclass(frozen=True)
class _Rules:
    """When two things are the same, given the two kinds of sources that tell of them."""

    left: Side
    right: Side

    @property
    def one_kind(self) -> bool:
        """Whether both write types, defaults and SQL in the same way."""
        return self.left.dialect == self.right.dialect

    def table(self, pair: Pair[Structure]) -> TableChange | None:
        """Return what differs in a table, or None."""
        left, right = pair.left, pair.right
        if left is None or right is None:
            return TableChange(left, right)
        if left.kind != right.kind:
            return TableChange(left, right)
        view = right.kind == "view"
        columns = self._columns(left, right, comments_only=view and bool(left.sql and right.sql))
        added = [each.right for each in columns if each.right and not each.left]
        removed = [each.left for each in columns if each.left and not each.right]
        change = TableChange(
            left,
            right,
            columns=columns,
            constraints=self._constraints(left, right),
            indexes=self._indexes(left, right),
            definition=view and self._defined_unlike(left, right),
            renames=tuple(renamed_columns(right.name, removed, added)),
        )
        return change if change.told() else None

    def _columns(
        self, left: Structure, right: Structure, *, comments_only: bool
    ) -> tuple[Pair[StructuredColumn], ...]:
        """Pair columns that differ. Those of a view follow from its SQL, all but comments."""
        if left.columns == right.columns:
            return ()
        olds, news = left.columns, right.columns
        if not self.one_kind:
            olds, news = _keyed(left), _keyed(right)
        pairs = _matched(olds, news, lambda each: each.name)
        if comments_only:
            return tuple(
                each for each in pairs
                if each.left and each.right and each.left.comment != each.right.comment
            )  # fmt: skip
        return tuple(each for each in pairs if not self._same_column(each))

    def _same_column(self, pair: Pair[StructuredColumn]) -> bool:
        left, right = pair.left, pair.right
        if left is None or right is None:
            return False
        if left == right:
            return True
        plain = (left.name, left.type, left.nullable, left.comment) == (
            right.name, right.type, right.nullable, right.comment)  # fmt: skip
        declared = not self.one_kind or left.declared == right.declared
        return plain and declared and self._same_default(left.default, right.default)

    def _same_default(self, left: str, right: str) -> bool:
        if left == right or self.one_kind or not left or not right:
            return left == right
        return _bare(left, self.left.dialect) == _bare(right, self.right.dialect)

    def _constraints(self, left: Structure, right: Structure) -> tuple[Pair[Constraint], ...]:
        if left.constraints == right.constraints and left.schema == right.schema:
            return ()
        olds = {_identity(each, left.schema, self.left.dialect): each for each in left.constraints}
        news = {
            _identity(each, right.schema, self.right.dialect): each for each in right.constraints
        }
        keys = dict.fromkeys([*news, *olds])
        pairs = ((key, Pair(olds.get(key), news.get(key))) for key in keys)
        found = [pair for key, pair in pairs if not (key in olds and key in news)]
        return tuple(_keys_joined(found))

    def _indexes(self, left: Structure, right: Structure) -> tuple[Pair[Index], ...]:
        if left.indexes == right.indexes and left.schema == right.schema:
            return ()
        pairs = _matched(own_indexes(left), own_indexes(right), lambda each: each.name)
        return tuple(each for each in pairs if not self._same_index(each))

    def _same_index(self, pair: Pair[Index]) -> bool:
        left, right = pair.left, pair.right
        if left is None or right is None or left.unique != right.unique:
            return False
        if not self.one_kind or not left.sql or not right.sql:
            return left.columns == right.columns
        texts = {" ".join(index_text(each.sql).split()) for each in (left, right)}
        return left.sql == right.sql or len(texts) == 1

    def _defined_unlike(self, left: Structure, right: Structure) -> bool:
        if not left.sql or not right.sql:
            return False  # one does not tell: its columns are compared instead
        if view_kind(left.sql) != view_kind(right.sql):
            return True
        olds, news = view_text(left.sql), view_text(right.sql)
        if self.one_kind and olds == news and not _names(olds[1], left.schema, right.schema):
            return False
        return _spelled(olds, self.left, left.schema) != _spelled(news, self.right, right.schema)


def _keyed(table: Structure) -> tuple[StructuredColumn, ...]:
    """Return the columns, none of a primary key nullable: SQLite says that each of them is."""
    keys = {
        each for rule in table.constraints if rule.kind == "PRIMARY KEY" for each in rule.columns
    }
    return tuple(
        replace(each, nullable=False) if each.name in keys else each for each in table.columns
    )


def _names(query: str, left: str, right: str) -> bool:
    """Tell whether one text may mean another thing in two schemas: it has the name of one."""
    text = query.lower()
    return left != right and (left.lower() in text or right.lower() in text)


def _spelled(text: tuple[str, str], side: Side, schema: str) -> tuple[str, str]:
    names, query = text
    return " ".join(names.lower().split()), canonical(query, side.dialect, schema)


def _bare(default: str, dialect: str) -> str:
    """Return a default without the cast that some systems write around it."""
    spelled = canonical(default, dialect)
    while spelled.startswith("CAST(") and spelled.endswith(")") and " AS " in spelled:
        spelled = spelled[5:-1].rpartition(" AS ")[0]
    return spelled


def _identity(constraint: Constraint, schema: str, dialect: str) -> tuple[object, ...]:
    """Return what makes two keys the same, whatever their names."""
    columns = tuple(each.lower() for each in constraint.columns)
    if constraint.target is not None:
        target = constraint.target
        place = "" if target.schema == schema else target.schema
        led = tuple(each.lower() for each in target.columns)
        return "FOREIGN KEY", columns, place, target.table.lower(), led, actions(constraint)
    if constraint.kind == "CHECK":
        return "CHECK", canonical(constraint.sql.partition("(")[2].rpartition(")")[0], dialect)
    return constraint.kind, columns


def own_indexes(table: Structure) -> tuple[Index, ...]:
    """Return the indexes that are not there for a key: PostgreSQL tells those under its name."""
    keys = {each.name for each in table.constraints if each.name and each.kind != "CHECK"}
    return tuple(each for each in table.indexes if each.name not in keys)


def actions(constraint: Constraint) -> str:
    """Return what a foreign key says after its columns: ON DELETE CASCADE, DEFERRABLE."""
    _, opened, rest = constraint.sql.upper().rpartition(")")
    words = " ".join(rest.split()) if opened else ""
    for silent in ("ON DELETE NO ACTION", "ON UPDATE NO ACTION"):
        words = words.replace(silent, "")
    return " ".join(words.split())


def _keys_joined(pairs: list[Pair[Constraint]]) -> list[Pair[Constraint]]:
    """Tell a primary key of other columns as one that changed: a table has one at most."""
    primary = [each for each in pairs if (each.right or each.left or _NONE).kind == "PRIMARY KEY"]
    if len(primary) < 2:
        return pairs
    left = next((each.left for each in primary if each.left), None)
    right = next((each.right for each in primary if each.right), None)
    return [Pair(left, right), *(each for each in pairs if each not in primary)]


_NONE = Constraint("", (), "")
