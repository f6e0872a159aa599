"""The plan of a statement, as DuckDB tells it in JSON; with `analyze` the statement is run."""

from __future__ import annotations

import json
import re
from typing import Any

import duckdb

from core.engine.parameters import from_json
from core.engine.worker.activity import Activity
from core.engine.worker.database import Database
from core.engine.worker.errors import translate
from core.engine.worker.gate import check
from core.engine.worker.runs import placed
from core.engine.worker.statements import bind, parts, split
from core.errors import InvalidInput, QueryError
from core.workers.child import Call

_EXPLAIN = re.compile(r"^\s*explain\s+(?:analyze\s+)?(?:\([^()]*\)\s*)?", re.IGNORECASE)


def explain(database: Database, activity: Activity, call: Call) -> None:
    """Answer op `explain` with the JSON of DuckDB's plan."""
    args = call.args
    texts = split(args["sql"], args["statement_limit"])
    if len(texts) > 1:
        raise InvalidInput("A plan belongs to one statement.", hint="Choose one of them.")
    text = texts[0]
    options = "ANALYZE, FORMAT json" if args["analyze"] else "FORMAT json"
    with database.session(args["session"], activity) as cursor:
        try:
            plan = _explain(cursor, options, text.sql, args, database)
            if plan == {"result": "error"}:  # DuckDB 1.5.5 on a plan that needs no scan at all
                plan = _explain(cursor, "FORMAT json", text.sql, args, database)
        except Exception as error:
            refusal = translate(error, f"\n{text.sql}", database.readable, database.hosts)
            if isinstance(refusal, QueryError) and refusal.line:
                refusal.line -= 1
            raise placed(refusal, text) from error
    call.finish({"plan": plan})


def _explain(
    cursor: duckdb.DuckDBPyConnection,
    options: str,
    text: str,
    args: dict[str, Any],
    database: Database,
) -> Any:
    # Blanks in place of an EXPLAIN that is there keep the positions.
    text = _EXPLAIN.sub(lambda match: " " * len(match[0]), text, count=1)
    *before, statement = parts(cursor, f"EXPLAIN ({options})\n{text}")
    params = from_json(args["params"])
    for each in before:  # a PIVOT first finds its columns, with a statement of its own
        cursor.execute(each, bind(each, params))
    values = bind(statement, params)
    reachable = database.readable + database.listed
    check(statement, text, values or {}, reachable, str(database.folder))
    cursor.execute(statement, values)
    return json.loads(cursor.fetchall()[-1][1])
