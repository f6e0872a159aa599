"""Questions about a result that is kept: sorted and filtered pages, counts, charts, profiles.

The spool is mapped and queried as the relation `result` with columns c0, c1, ... in their DuckDB
types and `__row`, the position from 0. What was spooled as text is cast back on the way.
"""

from __future__ import annotations

import re
import threading
from collections import OrderedDict
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from core.engine.parameters import from_json
from core.engine.worker.activity import Activity
from core.engine.worker.database import Database
from core.engine.worker.errors import translate
from core.engine.worker.plain import Plainer
from core.errors import NotFound
from core.workers.child import Call

KEPT = 8
_ARRAY = re.compile(r"\[\d+\]$")


class Results:
    """The spools that were asked about lately, mapped."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._tables: OrderedDict[tuple[str, bool], tuple[int, pa.Table]] = OrderedDict()
        self._lock = threading.Lock()

    def path(self, result: str) -> Path:
        """Return where a result's spool lies."""
        return self._folder / f"{result}.arrow"

    def table(self, call: Call) -> pa.Table:
        """Return the result that a call is about, zero copy; `__row` is there if its SQL asks.

        A small result comes with the call; a large one lies in its spool, of which the call
        names how many batches have arrived.
        """
        numbered = "__row" in call.args["sql"]
        if call.body:
            table = pa.ipc.open_stream(call.body).read_all()
            return _numbered(table) if numbered else table
        return self._mapped(call.args["result"], call.args["batches"], numbered)

    def _mapped(self, result: str, batches: int, numbered: bool) -> pa.Table:
        key = (result, numbered)
        with self._lock:
            self._let_go()
            known, table = self._tables.get(key, (0, None))
            if table is not None and known == batches:
                self._tables.move_to_end(key)
                return table
        table = self._load(result, batches)
        if numbered:
            table = _numbered(table)
        with self._lock:
            self._tables[key] = (batches, table)
            while len(self._tables) > KEPT:
                self._tables.popitem(last=False)
        return table

    def _let_go(self) -> None:
        """Unmap what was deleted: its disk space is free only then."""
        for key in [key for key in self._tables if not self.path(key[0]).exists()]:
            del self._tables[key]

    def _load(self, result: str, batches: int) -> pa.Table:
        try:
            stream = pa.ipc.open_stream(pa.memory_map(str(self.path(result))))
        except FileNotFoundError as error:
            raise NotFound(
                "This result is no longer kept.", hint="Run the query again to get it back."
            ) from error
        except (pa.ArrowException, OSError) as error:
            raise _damaged() from error
        try:
            stream.read_next_batch()  # the empty one that the schema is written with
            read = [stream.read_next_batch() for _ in range(batches)]
        except (pa.ArrowException, OSError, EOFError, StopIteration) as error:
            raise _damaged() from error
        return pa.Table.from_batches(read, stream.schema)


def _damaged() -> NotFound:
    return NotFound("The file of this result was damaged.", hint="Run the query again.")


def _numbered(table: pa.Table) -> pa.Table:
    return table.append_column("__row", pa.arange(0, table.num_rows))


def over(database: Database, results: Results, activity: Activity, call: Call) -> None:
    """Answer op `over`: run SQL composed by core over `result`, and return an Arrow stream."""
    args = call.args
    sql: str = args["sql"]
    table = results.table(call)
    with database.system(activity) as cursor, activity.on(cursor):
        cursor.register("spool", table)
        try:
            cursor.execute(
                f"WITH result AS ({relation(args['types'], table)}) {sql}",
                from_json(args["params"]) or None,
            )
            answer = read(cursor)
        except Exception as error:
            raise translate(error, sql) from error
        finally:
            cursor.unregister("spool")
    call.finish({"rows": answer.num_rows}, stream(answer))


def relation(types: list[str], table: pa.Table) -> str:
    """Compose the SELECT that gives the spool's columns back their DuckDB types."""
    columns = []
    for at, name in enumerate(types):
        texted = pa.types.is_string(table.schema.field(at).type) and name != "VARCHAR"
        changed = texted or name == "HUGEINT" or _ARRAY.search(name)
        columns.append(f"CAST(c{at} AS {name}) AS c{at}" if changed else f"c{at}")
    if "__row" in table.column_names:
        columns.append("__row")
    return f"SELECT {', '.join(columns)} FROM spool"


def read(cursor: duckdb.DuckDBPyConnection) -> pa.Table:
    """Read what a cursor has to give as a plain table."""
    columns = [(str(each[0]), str(each[1])) for each in cursor.description or ()]
    reader = cursor.to_arrow_reader(65_536)
    plain = Plainer(reader.schema, [kind for _, kind in columns], [name for name, _ in columns])
    return pa.Table.from_batches([plain(batch) for batch in reader], plain.schema)


def stream(table: pa.Table) -> Any:
    """Write a table as an Arrow IPC stream in memory."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as stream:
        stream.write_table(table)
    return sink.getvalue()
