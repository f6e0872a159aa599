"""The gate reads any text in a time that grows as the text does: it cannot be interrupted."""

from __future__ import annotations

import duckdb
import pytest

from core.engine.worker.gate import check
from core.errors import Forbidden

MANY = 200_000


def gated(sql: str) -> None:
    with duckdb.connect() as con:
        (statement,) = con.extract_statements(sql)
    check(statement, sql, {}, (), "/nowhere")


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    "sql",
    [
        f"SELECT '{'create ' * MANY}'",
        f"SELECT 1 /* {'create ' * MANY} */",
        f"SELECT '{'/*' * MANY}'",
        f"SELECT '{'--' * MANY}'",
        f"ATTACH 'x{'or replace ' * MANY}' AS y",
    ],
    ids=["create", "create in a comment", "unclosed", "dashes", "replace"],
)
def test_a_text_made_to_be_slow_is_read_at_once(sql):
    gated(sql)


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE PERSISTENT SECRET s (TYPE http)",
        "create/* ' */or--\nreplace persistent /**/ secret s (type http)",
        "DETACH workspace /* as it is */",
        "ATTACH OR REPLACE ':memory:' AS files",
        "ATTACH OR REPLACE 'or replace' AS \"workspace\"",
    ],
)
def test_what_is_refused_is_refused_with_comments_too(sql):
    with pytest.raises(Forbidden):
        gated(sql)
