"""No text keeps the parser for long: what would is skimmed, or refused with a sentence."""

from __future__ import annotations

import subprocess
import sys

import pytest

from core.engine.columns import columns_read
from core.engine.parsing import is_costly
from core.engine.references import TableName, references
from core.engine.translate import translate
from core.errors import InvalidInput

COSTLY = {
    "joins that wait for their ON": "select * from t" + " join t" * 40,
    "subscripts": "select x" + "[1]" * 2000 + " from t",
    "casts": "select x" + "::int" * 4000 + " from t",
    "arrows": "select " + "x -> " * 4000 + "x from t",
    "powers": "select " + "2 ** " * 4000 + "2 from t",
    "columns": "select " + "a, " * 50_000 + "a from t",
}


@pytest.mark.parametrize("sql", COSTLY.values(), ids=COSTLY)
def test_what_would_take_minutes_is_only_skimmed(sql):
    code = "import sys; from core.engine.references import references as r\n"
    code += "f = r(sys.stdin.read()); print(f.parsed, *(each.name for each in f.reads))"
    ended = subprocess.run(
        [sys.executable, "-c", code], input=sql, capture_output=True, text=True, timeout=60
    )
    assert ended.stdout.split()[0] == "False", ended.stderr
    assert "t" in ended.stdout.split()


@pytest.mark.parametrize("sql", COSTLY.values(), ids=COSTLY)
def test_it_is_neither_translated_nor_traced(sql):
    with pytest.raises(InvalidInput, match="too long, or chains too much"):
        translate(sql, "postgres")
    assert columns_read(sql, "t", lambda name: ("t", ("x",))) is None


@pytest.mark.parametrize(
    "sql",
    [
        "select * from t" + " join t using (x)" * 100,
        "select * from t" + " cross join t natural join t" * 100,
        "select * from a join b join c on b.x = c.x on a.x = b.x",
        "select [" + "[1, 2], " * 1000 + "[3]]",
        "select " + "x::int, " * 200 + "1 from t",
    ],
)
def test_what_people_write_is_parsed(sql):
    assert not is_costly(sql)
    assert references(sql).parsed


def test_a_text_that_is_skimmed_still_tells_its_tables():
    found = references("select * from a" + " join b" * 40)
    assert TableName("", "", "a") in found.reads
