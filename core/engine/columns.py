"""Which columns of a table a text of SQL reads, as far as that can be told without running it.

Names are found as sqlglot's optimizer finds them, given the columns of each table. Where a text
says less than is needed, none are told rather than some.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Hashable, Sequence

from core.engine.lexer import fold, statements
from core.engine.parsing import is_costly
from core.engine.plain import plain
from core.engine.references import TableName

log = logging.getLogger(__name__)

Find = Callable[[TableName], tuple[Hashable, Sequence[str]] | None]
"""Tells which table a name means, and the names of its columns."""


def columns_read(sql: str, table: Hashable, find: Find) -> frozenset[str] | None:
    """Return the columns of a table that `sql` reads, or None where that cannot be told.

    About 5 ms for a usual query. Never raises for bad SQL.
    """
    if is_costly(sql):
        return None
    from core.engine.trace import trace  # late: sqlglot takes 0.3 s to import

    names: dict[str, str] = {}
    read: set[str] = set()

    def columns(name: TableName) -> tuple[bool, Sequence[str]] | None:
        found = find(name)
        if found is None:
            return None
        if found[0] == table:
            names.update((fold(each), each) for each in found[1])
        return found[0] == table, found[1]

    try:
        for tokens in statements(sql):
            found = trace(plain(sql, tokens), columns)
            if found is None:
                return None
            read |= found
    except Exception:  # sqlglot raises what it likes; a guess is not worth a page
        log.debug("the columns of a text could not be told", exc_info=True)
        return None
    return frozenset(names[each] for each in read) if read <= set(names) else None
