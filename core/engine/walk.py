"""Walk one statement's syntax tree, scope by scope, and note what it refers to.

The only importer of sqlglot in the engine. A name hides a table only where SQL says so: a common
table expression is seen after itself, inside itself when it is recursive, and never as a target.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sqlglot import exp, parse_one
from sqlglot.errors import SqlglotError

from core.engine.lexer import fold
from core.engine.parsing import is_costly
from core.engine.references import Kind, TableName
from core.engine.skim import skim

if TYPE_CHECKING:
    from core.engine.references import Found

# sqlglot warns of each statement that it keeps as a Command; they are skimmed here.
logging.getLogger("sqlglot").setLevel(logging.ERROR)

_READS = {"select", "from", "with", "values", "pivot", "unpivot", "describe", "desc", "show"}
_READS |= {"summarize", "table", "("}
_WRITES = {"insert", "update", "delete", "merge", "create", "drop", "alter", "copy", "truncate"}
_WRITES |= {"comment", "import", "export"}

_EXPLAIN = re.compile(r"(?:explain(?:\s+analyze\b)?(?:\s*\([^()]*\))?\s*)++", re.I)
_PREPARE = re.compile(r"prepare\s+\S+(?:\s*\([^()]*\))?\s+as\s+", re.I)
_CALL = re.compile(r"call\s+", re.I)
_SHOW_TABLE = re.compile(r"show\s+(?!(?:all\s+)?(?:tables|databases|schemas|variables)\b)", re.I)
# Possessive: a long name could else be taken apart in more ways than there is time for.
_CREATE_AS = re.compile(
    r"create\s+(?:or\s+replace\s+)?(?:temp\w*\s+)?(?:table|view)\s+(?:if\s+not\s+exists\s+)?"
    r'(?P<name>(?:"(?:[^"]|"")*+"|[^\s"])++)\s+as\s+(?P<query>\(?\s*(?:un)?pivot\b.*)',
    re.I | re.S,
)
_UNTABLED = re.compile(r"(?:copy\s+from|export|import)\s+database\b", re.I)

# Their answer depends on tables that are named by a value.
_DYNAMIC = {"query", "query_table", "execute"}
_FILE_FUNCTION = re.compile(
    r"(?:read_\w+|\w*_scan|scan_\w+|glob|sniff_csv|st_read|parquet_\w*metadata|parquet_schema)$"
)
_TARGETING = (
    exp.Insert,
    exp.Update,
    exp.Delete,
    exp.Merge,
    exp.Alter,
    exp.AlterRename,
    exp.Comment,
)


def walk_statement(sql: str, found: Found) -> None:
    """Add to `found` what one statement, without comments and parameters, refers to."""
    if match := _EXPLAIN.match(sql):
        _explained(sql[match.end() :], found, runs="analyze" in match[0].lower())
        return
    if match := _PREPARE.match(sql):
        sql = sql[match.end() :]
    if match := _CALL.match(sql):
        found.kinds.add("other")
        sql = "select * from " + sql[match.end() :]
    if match := _SHOW_TABLE.match(sql):
        sql = "describe " + sql[match.end() :]
    if match := _CREATE_AS.match(sql):
        skim("create table " + match["name"], found)
        sql = match["query"]
        found.kinds.add("write")
    found.kinds.add(kind := _kind(sql))
    if _UNTABLED.match(sql) or not sql.strip():
        found.dynamic |= bool(sql.strip())
        return
    try:
        if is_costly(sql):
            raise SqlglotError("it would take long")
        tree = parse_one(sql, dialect="duckdb")
        if isinstance(tree, exp.Command):
            raise SqlglotError(f"{tree.this} is kept as text")
        _Walk(sql, found).run(tree)
        if isinstance(tree, exp.DML):  # as in `with s as (...) insert into t from s`
            found.kinds.add("write")
    except (SqlglotError, RecursionError):
        if re.match(r"execute\b", sql, re.I):
            found.dynamic = True
        elif kind != "other":
            found.parsed = False
            skim(sql, found)


def _explained(sql: str, found: Found, *, runs: bool) -> None:
    """Walk what is explained. Without ANALYZE it only looks at the tables that it would write."""
    inner = found if runs else replace(found, writes=found.reads, outputs=set(), kinds=set())
    walk_statement(sql, inner)
    found.kinds.add("read")
    found.dynamic, found.parsed = inner.dynamic, inner.parsed


def _kind(sql: str) -> Kind:
    word = re.match(r"\(|\w*", sql)
    first = fold(word[0]) if word else ""
    return "write" if first in _WRITES else "read" if first in _READS else "other"


class _Walk:
    """Visits nodes from a stack, not by recursion: SQL may be nested deeper than Python allows."""

    def __init__(self, sql: str, found: Found) -> None:
        self.sql = sql
        self.found = found
        self.targets: dict[int, bool] = {}
        """Ids of tables that are written, and whether they are tables to speak of."""

    def run(self, root: exp.Expr) -> None:
        if isinstance(root, exp.Use | exp.Show | exp.Detach):
            return
        stack: list[tuple[exp.Expr, frozenset[str]]] = [(root, frozenset())]
        while stack:
            node, hidden = stack.pop()
            if clause := node.args.get("with_"):
                hidden = self._push_ctes(clause, hidden, stack)
            self._note(node, hidden)
            stack.extend((child, hidden) for child in _children(node))

    def _push_ctes(
        self, clause: exp.Expr, hidden: frozenset[str], stack: list[tuple[exp.Expr, frozenset[str]]]
    ) -> frozenset[str]:
        for cte in clause.expressions:
            after = hidden | {fold(cte.alias)}
            stack.append((cte.this, after if clause.args.get("recursive") else hidden))
            hidden = after
        return hidden

    def _note(self, node: exp.Expr, hidden: frozenset[str]) -> None:
        if isinstance(node, exp.Table):
            self._table(node, hidden)
        elif isinstance(node, exp.Func):
            self._function(node)
        elif isinstance(node, exp.Copy):
            self._copy(node)
        elif isinstance(node, exp.Attach):
            self.found.files.update(_strings(node.this))
        elif isinstance(node, exp.Create | exp.Drop):
            self._definition(node)
        elif isinstance(node, exp.TruncateTable):
            for target in node.expressions:
                self._target(target)
        elif isinstance(node, _TARGETING):
            self._target(node.this)

    def _definition(self, node: exp.Expr) -> None:
        made = str(node.args.get("kind")).upper()
        for target in node.args.get("tables") or [node.this]:
            if made in ("MACRO", "FUNCTION"):
                table = target.find(exp.Table)
                self.found.macros.add(fold(table.name if table else target.name))
            if made == "INDEX" and isinstance(target, exp.Index):
                self._target(target.args.get("table"))
            else:
                self._target(target, named=made in ("TABLE", "VIEW"))

    def _target(self, node: Any, *, named: bool = True) -> None:
        while isinstance(node, exp.Schema | exp.UserDefinedFunction):
            node = node.this
        if isinstance(node, exp.Table):
            self.targets[id(node)] = named

    def _copy(self, node: exp.Copy) -> None:
        files = [text for file in node.args.get("files") or () for text in _strings(file)]
        if node.args.get("kind"):
            self._target(node.this)
            self.found.files.update(files)
        else:
            self.found.outputs.update(files)

    def _table(self, node: exp.Table, hidden: frozenset[str]) -> None:
        target = self.targets.get(id(node))
        if not isinstance(node.this, exp.Identifier) or target is False:
            return
        parts = (node.catalog, node.db, node.name)
        if target:
            self.found.writes.add(TableName(*parts))
        elif self.sql[node.this.meta.get("start", 0)] == "'":
            self.found.files.add(node.name)
        elif not (node.db == "" and fold(node.name) in hidden) and not _is_show(node):
            self.found.reads.add(TableName(*parts))

    def _function(self, node: exp.Func) -> None:
        if isinstance(node, exp.Anonymous):
            name = fold(node.name)
        elif "start" in node.meta:
            name = fold(self.sql[node.meta["start"] : node.meta["end"] + 1])
        else:
            name = fold(node.sql_name())
            # sqlglot models AND, [1, 2] and CASE as functions too: only what is called counts.
            if not re.search(rf"\b{name}\s*\(", self.sql, re.I):
                return
        self.found.functions.add(name)
        self.found.dynamic |= name in _DYNAMIC
        if _FILE_FUNCTION.match(name):
            self.found.files.update(_first_strings(node))


def _children(node: exp.Expr) -> Iterator[exp.Expr]:
    if isinstance(node, exp.Column | exp.Identifier | exp.Literal | exp.TableAlias):
        return
    clause = node.args.get("with_")
    yield from (child for child in node.iter_expressions() if child is not clause)


def _is_show(node: exp.Table) -> bool:
    """Tell `from (show tables)`, which sqlglot reads as a table `show` with an alias."""
    return fold(node.name) == "show" and fold(node.alias) in ("tables", "databases", "all")


def _first_strings(node: exp.Func) -> Iterator[str]:
    """Yield the literal paths of a reader's first argument, one string or a list of them."""
    arguments = [value for value in (node.args.get("this"), *node.expressions) if value is not None]
    first = next((value for value in arguments if isinstance(value, exp.Expr)), None)
    if first is not None:
        yield from _strings(first)


def _strings(node: Any) -> Iterator[str]:
    if isinstance(node, exp.Expr):
        yield from (each.name for each in node.find_all(exp.Literal) if each.is_string)
