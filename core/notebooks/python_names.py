"""What a cell of Python defines and reads, as the compiler's own symbol tables tell."""

from __future__ import annotations

import ast
import builtins
import symtable
from collections.abc import Iterator
from typing import TypeGuard

from core.notebooks.cell import Names, Problem

_BUILTINS = frozenset(dir(builtins)) | {"__name__", "__file__", "__doc__"}


def python_names(source: str) -> Names:
    """Return the names of Python's source. What begins with `_` is the cell's own.

    A name that the cell binds anywhere at its top is its own there too, as in any module.
    """
    try:
        tree = ast.parse(source)
        top = symtable.symtable(source, "cell", "exec")
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        line = getattr(error, "lineno", 0) or 0
        told = getattr(error, "msg", "") or str(error) or "it is nested too deeply"
        return Names(problems=(Problem(f"This is no Python: {told}.", "", line),))
    bound = _bound(tree, top)
    gone = _deleted(tree)
    read = {
        each.get_name() for each in top.get_symbols() if each.is_referenced() and not _binds(each)
    }
    read |= {name for table in _inner(top) for name in _globals(table)}
    read |= gone - bound
    defines = {name for name in bound - gone if not name.startswith("_")}
    reads = {name for name in read - bound if name not in _BUILTINS and not name.startswith("_")}
    return Names(frozenset(defines), frozenset(reads), problems=tuple(_problems(tree)))


def _bound(tree: ast.Module, top: symtable.SymbolTable) -> set[str]:
    """Return what is bound at the top, by a statement there or a function that says `global`."""
    names = {each.get_name() for each in top.get_symbols() if _binds(each)}
    stored = _stored(tree)
    for table in _inner(top):
        names |= {
            each.get_name()
            for each in table.get_symbols()
            if each.is_declared_global() and each.is_assigned()
        }
    # An annotation alone, a `del` alone, and a caught exception, whose name goes with its block.
    caught = {each.name for each in ast.walk(tree) if isinstance(each, ast.ExceptHandler)}
    return names - ((caught | _declared(tree) | _deleted(tree)) - stored)


def _binds(symbol: symtable.Symbol) -> bool:
    return symbol.is_assigned() or symbol.is_imported()


def _inner(table: symtable.SymbolTable) -> Iterator[symtable.SymbolTable]:
    for child in table.get_children():
        yield child
        yield from _inner(child)


def _globals(table: symtable.SymbolTable) -> set[str]:
    return {
        each.get_name() for each in table.get_symbols() if each.is_global() and each.is_referenced()
    }


def _stored(tree: ast.Module) -> set[str]:
    """Return the names that something is stored under, anywhere."""
    bare = {id(each.target) for each in ast.walk(tree) if _is_bare(each)}
    stored: set[str] = set()
    for each in ast.walk(tree):
        if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store) and id(each) not in bare:
            stored.add(each.id)
        elif isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            stored.add(each.name)
        elif isinstance(each, ast.alias):
            stored.add(each.asname or each.name.partition(".")[0])
    return stored


def _declared(tree: ast.Module) -> set[str]:
    """Return the names at the top that are given a type and no value."""
    return {
        each.target.id for each in tree.body if _is_bare(each) and isinstance(each.target, ast.Name)
    }


def _is_bare(node: ast.AST) -> TypeGuard[ast.AnnAssign]:
    return isinstance(node, ast.AnnAssign) and node.value is None


def _deleted(tree: ast.Module) -> set[str]:
    """Return the names that a `del` at the top takes away."""
    return {
        target.id
        for statement in tree.body
        if isinstance(statement, ast.Delete)
        for target in statement.targets
        if isinstance(target, ast.Name)
    }


def _problems(tree: ast.Module) -> Iterator[Problem]:
    for each in ast.walk(tree):
        if isinstance(each, ast.ImportFrom) and any(name.name == "*" for name in each.names):
            yield Problem(
                f"from {each.module} import * hides what it defines.",
                "Import the names, or the module.",
                each.lineno,
            )
