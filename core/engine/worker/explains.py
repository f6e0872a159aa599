"""The plan of a statement, as DuckDB tells it in JSON; with `analyze` the statement is run."""

from __future__ import annotations

import json
from typing import Any

import duckdb

from core.engine.parameters import from_json
from core.engine.worker.activity import Activity
from core.engine.worker.database import Database
from core.engine.worker.errors import translate
from core.engine.worker.statements import bind, split
from core.errors import InvalidInput
from core.workers.child import Call


def explain(database: Database, activity: Activity, call: Call) -> None:
    """Answer op `explain` with the JSON of DuckDB's plan."""
    args = call.args
    texts = split(args["sql"], args["statement_limit"])
    if len(texts) > 1:
        raise InvalidInput("A plan belongs to one statement.", hint="Choose one of them.")
    text = texts[0].sql
    options = "ANALYZE, FORMAT json" if args["analyze"] else "FORMAT json"
    lease = database.lease(args["session"])
    with lease.lock, activity.on(lease.cursor) as cursor:
        try:
            # On one line with the text, so that positions in its errors need only a shift.
            plan = _explain(cursor, f"EXPLAIN ({options}) {text}", args)
            if plan == {"result": "error"}:  # DuckDB 1.5.5 on a plan that needs no scan at all
                plan = _explain(cursor, f"EXPLAIN (FORMAT json) {text}", args)
        except Exception as error:
            raise translate(error, text, database.readable) from error
    call.finish({"plan": plan})


def _explain(cursor: duckdb.DuckDBPyConnection, sql: str, args: dict[str, Any]) -> Any:
    statement = cursor.extract_statements(sql)[0]
    cursor.execute(statement, bind(statement, from_json(args["params"])))
    return json.loads(cursor.fetchall()[-1][1])
