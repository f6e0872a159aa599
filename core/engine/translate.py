"""Rewrite DuckDB's SQL in another engine's dialect, and refuse what would come to mean another
thing there.

sqlglot translates; it does not know what functions of one name do. Those that were seen to answer
otherwise elsewhere are refused by name: a query that fails is better than one that is wrong.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.engine.parsing import is_costly
from core.errors import InvalidInput, QueryError

if TYPE_CHECKING:
    from sqlglot.expressions import Expr

# Dialect -> functions that run there and give something else than in DuckDB, and in what way.
_OTHERWISE: dict[str, dict[str, str]] = {
    "spark": {
        "dayofweek": "Spark counts days from 1 on Sunday, DuckDB from 0",
        "isodow": "Spark has no such part and takes another",
        "approx_quantile": "Spark and DuckDB estimate differently",
    },
    "mysql": {
        "dayofweek": "MySQL counts days from 1 on Sunday, DuckDB from 0",
        "log": "MySQL's log is the natural one, DuckDB's is to base 10",
        "week": "MySQL counts weeks from 0, DuckDB by ISO",
        "greatest": "MySQL gives NULL if any is, DuckDB leaves NULL out",
        "least": "MySQL gives NULL if any is, DuckDB leaves NULL out",
    },
    "postgres": {
        "dayofweek": "PostgreSQL has no such function",
        "list_sort": "PostgreSQL has no such function",
    },
}


_FOLDS_UP = ("oracle", "snowflake")
"""Dialects in which a name without quotes is one of capitals: those are told in small letters."""


def translate(sql: str, dialect: str, *, quote: bool = False) -> str:
    """Return a text of statements in sqlglot's `dialect`, as `translated` does."""
    return ";\n\n".join(translated(sql, dialect, quote=quote))


def translated(sql: str, dialect: str, *, quote: bool = False) -> list[str]:
    """Return the statements of a text in sqlglot's `dialect`, laid out anew.

    With `quote` all names are quoted, for SQL whose names are known to be right: each dialect has
    its own reserved words. Raises QueryError for what DuckDB would not parse, InvalidInput for
    what cannot be said there.
    """
    if is_costly(sql):
        raise InvalidInput(
            "This is too long, or chains too much, to be translated.",
            hint="Split it into several queries, and give each JOIN its ON.",
        )
    try:
        return _translated(sql, dialect, quote=quote)
    except RecursionError:
        raise InvalidInput(
            "This is nested too deeply to be translated.", hint="Split it into several queries."
        ) from None


def _translated(sql: str, dialect: str, *, quote: bool) -> list[str]:
    import sqlglot  # 0.2 s, and the app's first page does without it
    from sqlglot import ErrorLevel
    from sqlglot.errors import ParseError, TokenError, UnsupportedError

    try:
        trees = [tree for tree in sqlglot.parse(sql, read="duckdb") if tree is not None]
    except ParseError as error:
        told = error.errors[0] if error.errors else {}
        raise QueryError(
            f"This cannot be translated: {told.get('description', 'it does not parse')}.",
            sql=sql,
            line=int(told.get("line") or 0),
            column=int(told.get("col") or 0),
        ) from error
    except TokenError as error:
        raise QueryError(
            "This cannot be translated: a quote or a comment is not closed.", sql=sql
        ) from error
    if not trees:
        raise InvalidInput("There is no statement to translate.")
    for tree in trees:
        _refuse(tree, dialect)
    try:
        return [
            tree.sql(
                dialect=dialect,
                pretty=True,
                identify=quote and dialect not in _FOLDS_UP,
                unsupported_level=ErrorLevel.RAISE,
            )
            for tree in trees
        ]
    except UnsupportedError as error:
        first = str(error).splitlines()[0].rstrip(".")
        raise InvalidInput(
            f"This cannot be said in that dialect: {first}.",
            hint="Run it on DuckDB, or rewrite it.",
        ) from error


def _refuse(tree: Expr, dialect: str) -> None:
    from sqlglot import exp

    otherwise = _OTHERWISE.get("mysql" if dialect == "mariadb" else dialect, {})
    for node in tree.find_all(exp.Func, exp.Extract):
        names = {node.sql_name().lower(), node.name.lower(), type(node).__name__.lower()}
        if isinstance(node, exp.Extract):
            names |= {node.name.lower()}
        for name in names & otherwise.keys():
            raise InvalidInput(
                f"{name} would give something else there: {otherwise[name]}.",
                hint="Write it in the other engine's own way, or run it on DuckDB.",
            )
