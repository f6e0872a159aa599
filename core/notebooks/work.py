"""What a cell has to work with: the notebook's session, and the values that inputs gave."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from core.connector import quoted
from core.engine.lexer import fold, parameters
from core.engine.references import references
from core.engine.results import PUSHED
from core.engine.run import Run
from core.engine.session import Session
from core.errors import InvalidInput, QueryError
from core.notebooks.cell import Outcome
from core.notebooks.models import Cell

_NO_VIEW = "cannot be used in views"
"""What DuckDB says of a PIVOT whose columns the data tells."""

Follow = Callable[[Run], object]
"""Is told of each run, and returns when it has ended."""


class Work:
    """One run of a notebook's cells, in a session of its own. `given` are values from outside."""

    def __init__(
        self, session: Session, given: Mapping[str, Any], *, follow: Follow = Run.wait
    ) -> None:
        self._session, self._follow = session, follow
        self._given = {fold(name): value for name, value in given.items()}
        self._values: dict[str, Any] = {}

    def given(self, name: str, otherwise: Any) -> Any:
        """Return the value from outside for an input, or what it is without one."""
        return self._given.get(fold(name), otherwise)

    def put(self, name: str, value: Any) -> None:
        """Give a value a name, for `$name` in SQL."""
        self._values[fold(name)] = value

    def ask(self, sql: str, *, on: str = "") -> Run:
        """Run SQL to its end, with the values that it names. Raises what went wrong."""
        values = {} if on else {name: self._value(name) for name in parameters(sql)}
        return self._ended(self._session.start(sql, values, on=on))

    def rows(self, sql: str, most: int = 1) -> list[tuple[Any, ...]]:
        """Return the first rows of a query."""
        run = self.ask(sql)
        assert run.result is not None
        return self._session.page(run, run.result, 0, most).frame.rows()

    def first(self, run: Run) -> tuple[Any, ...]:
        """Return the first row of a run's last result."""
        assert run.result is not None
        return self._session.page(run, run.result, 0, 1).frame.row(0)

    def count(self, run: Run) -> int:
        """Return how many rows the last result of a run has, or changed."""
        return 0 if run.result is None else run.result.rows or run.result.affected or 0

    def define(self, cell: Cell) -> Outcome:
        """Run a cell of one query, and make its rows a table by the cell's name.

        A view, which takes nothing to keep and lets later filters reach the source; a temporary
        table where a view cannot be: for values, for rows of another engine, for a cell that hides
        the table it reads, and where the cell says `materialize`.
        """
        name = f"temp.main.{quoted(cell.name)}"
        if on := cell.flags.get("on", ""):
            into = f"CREATE OR REPLACE TEMP TABLE {name} AS FROM {PUSHED}"
            return Outcome(
                self.count(self._ended(self._session.start(cell.body, on=on, into=into)))
            )
        query = f"AS (\n{cell.body.rstrip().rstrip(';')}\n)"
        try:
            if not self._makes_view(cell, f"{name} {query}"):
                self.ask(f"CREATE OR REPLACE TEMP TABLE {name} {query}")
        except QueryError as error:
            error.line = max(0, error.line - 1)  # the cell's own SQL begins in the second line
            raise
        return Outcome(self.count(self.ask(f"FROM {name}")))

    def _makes_view(self, cell: Cell, definition: str) -> bool:
        read = {fold(each.name) for each in references(cell.body).reads}
        if "materialize" in cell.flags or parameters(cell.body) or fold(cell.name) in read:
            return False
        try:
            self.ask(f"CREATE OR REPLACE TEMP VIEW {definition}")
        except QueryError as error:
            if _NO_VIEW not in error.message:
                raise
            return False
        return True

    def _ended(self, run: Run) -> Run:
        self._follow(run)
        run.wait()
        if run.error is not None:
            raise run.error
        return run

    def _value(self, name: str) -> Any:
        try:
            return self._values[fold(name)]
        except KeyError:
            raise InvalidInput(f"There is no value for ${name}.") from None
